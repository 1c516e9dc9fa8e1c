#include "handlers.h"

#include <stdbool.h>

#include "net.h"
#include "observe/stacks.h"
#include "report/output.h"
#include "signals.h"
#include "track/context.h"
#include "track/fault.h"
#include "track/threads.h"

struct entry {
	int signal;
	siginfo_t *info;
	ucontext_t *context;
	void (*handle)(const struct entry *entry);
};

static long run(void *argument)
{
	const struct entry *entry = argument;
	const stack_t off = {.ss_flags = SS_DISABLE};
	sys_call2(SYS_sigaltstack, &off, 0);
	entry->handle(entry);
	return 0;
}

/*
 * A program's own alternate stack may be too small for us: go on with ours. The kernel's alternate
 * stack is switched off meanwhile, so that a nested fault is pushed below us and not over the frame
 * that we came by; sigreturn sets it again.
 */
static void run_on_enough_stack(struct entry *entry)
{
	struct thread *self = thread_meet();
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	if (!self || !self->signal_stack || thread_on_signal_stack(self, here) ||
	    self->own_alternate_stack) {
		entry->handle(entry);
		return;
	}
	char *top = self->signal_stack + self->signal_stack_size;
	sys_saving_vectors(top, run, entry);
}

static bool in_copy(const ucontext_t *context)
{
	uintptr_t at = context_instruction(context);
	return at >= (uintptr_t)sys_copy && at < (uintptr_t)sys_copy_end;
}

static bool is_refused_write(const siginfo_t *info, const ucontext_t *context)
{
	return info->si_code == SEGV_ACCERR && context_fault_is_write(context);
}

static void fault(const struct entry *entry)
{
	ucontext_t *context = entry->context;
	if (is_refused_write(entry->info, context) &&
	    fault_first_write((uintptr_t)entry->info->si_addr, context))
		return;
	if (in_copy(context))
		context_jump(context, (uintptr_t)sys_copy_fault);
	else if (!stacks_rescue(context))
		signals_deliver(entry->signal, entry->info, context);
}

void handlers_fault(int signal, siginfo_t *info, void *context)
{
	struct entry entry = {signal, info, context, fault};
	run_on_enough_stack(&entry);
}

void handlers_dispatch(int signal, siginfo_t *info, void *context)
{
	if (!net_dispatch(info, context))
		signals_deliver(signal, info, context);
}

static void snapshot(const struct entry *entry)
{
	(void)entry;
	output_report(REPORT_SNAPSHOT);
}

/* By default the snapshot signal would have killed the program: it only asks us. */
void handlers_snapshot(int signal, siginfo_t *info, void *context)
{
	struct entry entry = {signal, info, context, snapshot};
	run_on_enough_stack(&entry);
	if (signals_program_handles(signal))
		signals_deliver(signal, info, context);
}
