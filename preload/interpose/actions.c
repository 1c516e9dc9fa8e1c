/* The program's signal actions, and ours in the kernel. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "calls.h"
#include "handlers.h"
#include "net.h"
#include "signals.h"
#include "track/threads.h"

/* Flags that the kernel keeps (UAPI_SA_FLAGS and SA_RESTORER). */
#define KEPT_FLAGS \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | \
	 (unsigned)SA_RESETHAND | 0x800u | SA_RESTORER_FLAG)
#define ALL_BUT_FAULTS (~(SIGMASK(SIGSEGV) | SIGMASK(SIGSYS)))
#define NEVER_OURS (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP) | LIBC_SIGNALS)

struct loan {
	struct action actions[SIGNALS_MOST + 1];
	sigmask_t hidden;
	stack_t alternate;
};

static struct action program_actions[SIGNALS_MOST + 1];
static _Atomic int actions_lock;
static sigmask_t always; /* ours whatever the program does */
static bool watched;     /* so are all that it handles */
static int snapshot_signal, mode_signal;
sigmask_t signals_hidden;

static void lock(sigmask_t *mask)
{
	sys_sigmask_block(mask);
	while (atomic_exchange_explicit(&actions_lock, 1, memory_order_acquire))
		sys_call0(SYS_sched_yield);
}

static void unlock(const sigmask_t *mask)
{
	atomic_store_explicit(&actions_lock, 0, memory_order_release);
	sys_sigmask_restore(mask);
}

static struct action *actions_now(void)
{
	const struct thread *self = thread_self();
	return self && self->child_actions ? self->child_actions : program_actions;
}

static long kernel_action(int signal, const struct action *new, struct action *old)
{
	return sys_call4(SYS_rt_sigaction, signal, new, old, sizeof(sigmask_t));
}

static bool is_ours(const void *handler)
{
	return handler == (void *)handlers_fault || handler == (void *)handlers_dispatch ||
	       handler == (void *)handlers_snapshot || handler == (void *)handlers_mode ||
	       handler == (void *)handlers_forward;
}

/* What the program set: the kernel may have reset it, or been told behind our back. */
static struct action *action_of(int signal)
{
	struct action *known = &actions_now()[signal], now;
	if (kernel_action(signal, NULL, &now) == 0 && !is_ours(now.handler) &&
	    (now.handler != known->handler || now.flags != known->flags))
		*known = now;
	return known;
}

/*
 * While our handlers run all signals are blocked but those by which a fault or a dispatched call of
 * libunwind inside them arrives.
 */
static struct action action_ours(int signal, const struct action *program)
{
	struct action ours = {
		.handler = (void *)handlers_forward,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER_FLAG |
			 (program->flags & (SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT)),
		.restorer = sys_restorer,
		.mask = ~sys_faults,
	};
	if (signal == SIGSEGV || signal == SIGBUS) {
		ours.handler = (void *)handlers_fault;
		ours.flags |= SA_NODEFER;
	} else if (signal == SIGSYS) {
		ours.handler = (void *)handlers_dispatch;
		ours.mask = ~(sys_faults & ~SIGMASK(SIGSYS));
	} else if (signal == snapshot_signal || signal == mode_signal) {
		ours.handler = signal == mode_signal ? (void *)handlers_mode
						     : (void *)handlers_snapshot;
		if (!action_is_handler(program))
			ours.flags |= SA_RESTART;
	}
	return ours;
}

/* Give the kernel what it must have for what the program set. */
static void install(int signal)
{
	struct action action = actions_now()[signal];
	if ((always & SIGMASK(signal)) ||
	    (watched && action_is_handler(&action) && !(NEVER_OURS & SIGMASK(signal))))
		action = action_ours(signal, &action);
	else
		action.mask = mask_for_kernel(action.mask);
	kernel_action(signal, &action, NULL);
}

static void install_always(void)
{
	for (int signal = 1; signal <= SIGNALS_MOST; signal++)
		if (always & SIGMASK(signal))
			install(signal);
}

/* The handlers that the program, or a library that started before us, has set so far. */
static void take_over(void)
{
	for (int signal = 1; signal <= SIGNALS_MOST; signal++) {
		if (NEVER_OURS & SIGMASK(signal))
			continue;
		if (action_is_handler(action_of(signal)) || (always & SIGMASK(signal)))
			install(signal);
	}
}

void signals_start(int snapshot, int mode, bool net)
{
	snapshot_signal = snapshot;
	mode_signal = mode;
	signals_hidden = net ? sys_faults : sys_faults & ~SIGMASK(SIGSYS);
	always = signals_hidden | (snapshot ? SIGMASK(snapshot) : 0) | (mode ? SIGMASK(mode) : 0);
	take_over();
	mask_take_over();
}

void signals_watch(void)
{
	sigmask_t mask;
	lock(&mask);
	watched = true;
	take_over();
	unlock(&mask);
	mask_take_over();
	thread_take_alternate_stack();
}

/* The mask as the program has set it, for the kernel to act on. */
static void mask_give_back(void)
{
	const struct thread *self = thread_self();
	sigmask_t mask;
	sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, sizeof(mask));
	mask = self ? mask_for_program(mask, self) : mask;
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

void signals_unwatch(void)
{
	const sigmask_t others = ~(always | NEVER_OURS);
	sigmask_t mask;
	lock(&mask);
	watched = false;
	for (int signal = 1; signal <= SIGNALS_MOST; signal++)
		if ((others & SIGMASK(signal)) && signals_program_handles(signal))
			install(signal);
	unlock(&mask);
	thread_give_alternate_stack();
}

void signals_retire(void)
{
	sigmask_t mask;
	lock(&mask);
	always = 0;
	watched = false;
	for (int signal = 1; signal <= SIGNALS_MOST; signal++)
		if (!(NEVER_OURS & SIGMASK(signal)))
			kernel_action(signal, &actions_now()[signal], NULL);
	unlock(&mask);
	mask_give_back();
	signals_hidden = 0;
}

static bool is_valid(const long args[6])
{
	long signal = (int)args[0];
	return signal >= 1 && signal <= SIGNALS_MOST && args[3] == sizeof(sigmask_t) &&
	       !(args[1] && (signal == SIGKILL || signal == SIGSTOP));
}

long signals_action(long nr, const long args[6], uintptr_t caller)
{
	int signal = (int)args[0];
	struct action new, old;
	sigmask_t mask;
	(void)caller;
	if (!is_valid(args))
		return call_plain(nr, args);
	if (args[1] && sys_copy(&new, (const void *)args[1], sizeof(new)))
		return -EFAULT;
	if (args[1] && action_is_handler(&new) && ((new.mask | SIGMASK(signal)) & signals_hidden))
		net_keep();
	lock(&mask);
	old = *action_of(signal);
	if (args[1]) {
		new.flags &= KEPT_FLAGS;
		new.mask &= ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP));
		actions_now()[signal] = new;
		install(signal);
	}
	unlock(&mask);
	/* Like the program's own write, since the page may be armed. */
	return args[2] ? call_write_program((void *)args[2], &old, sizeof(old)) : 0;
}

struct action actions_take(int signal, bool reset)
{
	sigmask_t mask;
	lock(&mask);
	struct action *known = &actions_now()[signal], taken = *known;
	if (reset && action_is_handler(known) && (known->flags & SA_RESETHAND)) {
		known->handler = (void *)SIG_DFL;
		if (!(always & SIGMASK(signal)))
			install(signal);
	}
	unlock(&mask);
	return taken;
}

void actions_set_default(int signal)
{
	const struct action fallback = {.handler = (void *)SIG_DFL};
	kernel_action(signal, &fallback, NULL);
}

sigmask_t signals_held(void)
{
	return always;
}

bool signals_program_handles(int signal)
{
	return action_is_handler(&actions_now()[signal]);
}

/* --- new processes and programs --- */

void signals_before_exec(void)
{
	const struct action *actions = actions_now();
	for (int signal = 1; signal <= SIGNALS_MOST; signal++)
		if ((always & SIGMASK(signal)) && actions[signal].handler == (void *)SIG_IGN)
			kernel_action(signal, &actions[signal], NULL);
	mask_give_back();
}

void signals_after_failed_exec(void)
{
	mask_take_over();
	install_always();
}

void signals_lend(void)
{
	struct thread *self = thread_meet();
	if (!self || self->lent++)
		return;
	if (!self->loan)
		self->loan = memory_alloc(sizeof(*self->loan));
	if (!self->loan)
		return;
	self->loan->hidden = self->hidden;
	self->loan->alternate = self->alternate;
}

static void clear(struct action *actions)
{
	for (int signal = 1; signal <= SIGNALS_MOST; signal++)
		if (action_is_handler(&actions[signal]))
			actions[signal] = (struct action){0};
	install_always();
}

void signals_borrow(bool cleared)
{
	struct thread *self = thread_self();
	if (!self || !self->loan)
		return;
	if (!self->child_actions)
		memcpy(self->loan->actions, program_actions, sizeof(program_actions));
	self->child_actions = self->loan->actions;
	if (cleared)
		clear(self->child_actions);
}

void signals_lend_end(void)
{
	struct thread *self = thread_self();
	if (!self || --self->lent || !self->loan)
		return;
	self->child_actions = NULL;
	self->hidden = self->loan->hidden;
	self->alternate = self->loan->alternate;
}

void signals_child(bool cleared)
{
	struct thread *self = thread_self();
	atomic_store(&actions_lock, 0);
	if (self)
		pending_drop(self);
	if (cleared)
		clear(program_actions);
}
