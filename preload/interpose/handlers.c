#include "handlers.h"

#include <stdbool.h>

#include "net.h"
#include "observe/stacks.h"
#include "process.h"
#include "record/trace_file.h"
#include "report/output.h"
#include "signals.h"
#include "track/context.h"
#include "track/fault.h"
#include "track/mode.h"
#include "track/threads.h"

/*
 * A thread that we meet here for the first time has our alternate stack from now on, and sigreturn
 * must not take it away.
 */
static void meet(ucontext_t *context)
{
	const struct thread *self = thread_meet();
	if (self && self->own_alternate_stack)
		context->uc_stack = (stack_t){.ss_sp = self->signal_stack,
					      .ss_size = self->signal_stack_size};
}

static bool in_copy(const ucontext_t *context)
{
	uintptr_t at = context_instruction(context);
	return at >= (uintptr_t)sys_copy && at < (uintptr_t)sys_copy_end;
}

/* By mprotect, or by userfaultfd. */
static bool is_refused_write(const siginfo_t *info, const ucontext_t *context)
{
	int code = info->si_signo == SIGBUS ? BUS_ADRERR : SEGV_ACCERR;
	return info->si_code == code && context_fault_is_write(context);
}

void handlers_fault(int signal, siginfo_t *info, void *context)
{
	meet(context);
	if (is_refused_write(info, context) &&
	    fault_first_write(signal, (uintptr_t)info->si_addr, context))
		return;
	if (info->si_code > 0 && in_copy(context))
		context_jump(context, (uintptr_t)sys_copy_fault);
	else if (info->si_code <= 0 || (!trace_file_rescue(context) && !stacks_rescue(context)))
		signals_deliver(signal, info, context);
}

void handlers_dispatch(int signal, siginfo_t *info, void *context)
{
	if (net_dispatch(info, context))
		return;
	meet(context);
	signals_deliver(signal, info, context);
}

/* By default the snapshot signal would have killed the program: it only asks us. */
void handlers_snapshot(int signal, siginfo_t *info, void *context)
{
	bool ours = process_is_watched();
	meet(context);
	if (ours)
		output_report(REPORT_SNAPSHOT);
	if (!ours || signals_program_handles(signal))
		signals_deliver(signal, info, context);
}

void handlers_mode(int signal, siginfo_t *info, void *context)
{
	bool ours = process_is_watched();
	meet(context);
	if (ours)
		mode_set(!mode_is_exact());
	if (!ours || signals_program_handles(signal))
		signals_deliver(signal, info, context);
}

void handlers_forward(int signal, siginfo_t *info, void *context)
{
	meet(context);
	signals_deliver(signal, info, context);
}
