/*
 * How each flag of a program's action for a signal that we hold (SIGSEGV, SIGSYS with the net, the
 * snapshot signal) is honoured when the signal turns out to be the program's:
 *
 *	SA_SIGINFO    the three arguments are always passed; a one-argument handler ignores two
 *	SA_ONSTACK    the frame goes to the alternate stack that the program set, if it set one and
 *	              is not running on it; else below the interrupted stack pointer
 *	SA_NODEFER    the signal itself is not added to the mask
 *	SA_RESETHAND  the action becomes SIG_DFL before the handler runs
 *	SA_RESTART    a synchronous fault interrupts no call; our snapshot action carries the flag
 *	              that the program chose
 *	sa_mask       becomes the mask while the handler runs, and sigreturn restores the old one
 *	SIG_IGN       ignored if it was sent; a fault kills, as the kernel has it
 *	SIG_DFL       the kernel's own default action is taken, with the original fault or siginfo
 *
 * The program's handler does not run inside ours. Ours builds the frame that the kernel would have
 * built, and returns into it; so masks, stacks and siglongjmp are the kernel's business as ever.
 */
#include "signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "calls.h"
#include "frame.h"
#include "handlers.h"
#include "track/context.h"
#include "track/threads.h"

#define SIGNALS 64
#define SA_RESTORER_FLAG 0x04000000

/* The program's actions; those of signals that we do not hold are kept to show its own masks. */
static struct action actions[SIGNALS + 1];
static bool known[SIGNALS + 1];
static _Atomic int actions_lock;

static sigmask_t held;   /* signals whose kernel action is ours */
static sigmask_t hidden; /* of these, never blocked in the kernel: faults must arrive */
static int snapshot_signal;

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

static long kernel_action(int signal, const struct action *new, struct action *old)
{
	return sys_call4(SYS_rt_sigaction, signal, new, old, sizeof(sigmask_t));
}

static bool is_handler(const struct action *action)
{
	return action->handler != (void *)SIG_DFL && action->handler != (void *)SIG_IGN;
}

static struct action *action_of(int signal)
{
	if (!known[signal]) {
		kernel_action(signal, NULL, &actions[signal]);
		known[signal] = true;
	}
	return &actions[signal];
}

static void hold(int signal, void (*handler)(int, siginfo_t *, void *), sigmask_t mask,
		 unsigned long flags)
{
	const struct action ours = {
		.handler = (void *)handler,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER_FLAG | flags,
		.restorer = sys_restorer,
		.mask = mask,
	};
	kernel_action(signal, &ours, NULL);
}

/*
 * While our handlers run all signals are blocked but those by which a fault or a dispatched call of
 * libunwind inside them arrives.
 */
static void hold_again(int signal)
{
	sigmask_t all_but_faults = ~(SIGMASK(SIGSEGV) | SIGMASK(SIGSYS));
	if (signal == SIGSEGV)
		hold(signal, handlers_fault, all_but_faults, SA_NODEFER);
	else if (signal == SIGSYS)
		hold(signal, handlers_dispatch, ~SIGMASK(SIGSEGV), 0);
	else if (signal == snapshot_signal)
		hold(signal, handlers_snapshot, all_but_faults,
		     is_handler(&actions[signal]) ? actions[signal].flags & SA_RESTART : SA_RESTART);
}

static void take(int signal)
{
	action_of(signal);
	held |= SIGMASK(signal);
	hold_again(signal);
}

void signals_start(int snapshot, bool net)
{
	sigmask_t blocked = 0;
	snapshot_signal = snapshot;
	hidden = SIGMASK(SIGSEGV) | (net ? SIGMASK(SIGSYS) : 0);
	take(SIGSEGV);
	if (net)
		take(SIGSYS);
	if (snapshot)
		take(snapshot);
	/* A blocked SIGSEGV is inherited over exec. */
	sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &hidden, &blocked, sizeof(blocked));
	struct thread *self = thread_self();
	if (self)
		self->hidden = blocked & hidden;
}

long signals_action(long nr, const long args[6], uintptr_t caller)
{
	int signal = (int)args[0];
	struct action new, old;
	sigmask_t mask;
	(void)caller;
	if (signal < 1 || signal > SIGNALS || args[3] != sizeof(sigmask_t) ||
	    (args[1] && (signal == SIGKILL || signal == SIGSTOP)))
		return call_plain(nr, args);
	if (args[1] && sys_copy(&new, (const void *)args[1], sizeof(new)))
		return -EFAULT;
	lock(&mask);
	old = *action_of(signal);
	if (args[1]) {
		actions[signal] = new;
		if (held & SIGMASK(signal)) {
			hold_again(signal);
		} else {
			new.mask &= ~hidden;
			kernel_action(signal, &new, NULL);
		}
	}
	unlock(&mask);
	if (!args[2])
		return 0;
	/* Through a call that writes it, since the page may be armed. */
	return call_write_program((void *)args[2], &old, sizeof(old));
}

long signals_mask(long nr, const long args[6], uintptr_t caller)
{
	struct thread *self = thread_meet();
	sigmask_t set = 0, old = 0, before;
	(void)caller;
	if (args[3] != sizeof(sigmask_t) || !self)
		return call_plain(nr, args);
	if (args[1] && sys_copy(&set, (const void *)args[1], sizeof(set)))
		return -EFAULT;
	before = self->hidden;
	sigmask_t stripped = set & ~hidden;
	long result = sys_call4(nr, args[0], args[1] ? &stripped : NULL, &old, sizeof(old));
	if (result)
		return result;
	if (args[1]) {
		if (args[0] == SIG_BLOCK)
			self->hidden |= set & hidden;
		else if (args[0] == SIG_UNBLOCK)
			self->hidden &= ~set;
		else
			self->hidden = set & hidden;
	}
	old |= before;
	return args[2] ? call_write_program((void *)args[2], &old, sizeof(old)) : 0;
}

/* For our own libraries: the program's view stays as it is. */
long signals_mask_ours(const long args[6])
{
	long edited[6];
	sigmask_t set;
	memcpy(edited, args, sizeof(edited));
	if (args[1]) {
		memcpy(&set, (const void *)args[1], sizeof(set));
		set &= ~hidden;
		edited[1] = (long)&set;
	}
	return call_plain(SYS_rt_sigprocmask, edited);
}

/* Where a call takes a mask to wait with: which argument, and which holds its size. */
static void mask_argument(long nr, unsigned *mask, unsigned *size)
{
	*mask = nr == SYS_rt_sigsuspend ? 0 : nr == SYS_ppoll ? 3 : nr == SYS_pselect6 ? 5 : 4;
	*size = *mask + 1;
}

/* pselect6 takes its mask and the mask's size through a structure. */
struct pselect_mask {
	const sigmask_t *mask;
	size_t size;
};

long signals_with_mask(long nr, const long args[6], uintptr_t caller)
{
	unsigned index, size_index;
	long edited[6];
	struct pselect_mask packed = {0};
	sigmask_t mask;
	memcpy(edited, args, sizeof(edited));
	mask_argument(nr, &index, &size_index);
	const void *from = (const void *)args[index];
	if (from && nr == SYS_pselect6) {
		if (sys_copy(&packed, from, sizeof(packed)))
			return -EFAULT;
		from = packed.mask;
	}
	if (!from || sys_copy(&mask, from, sizeof(mask)))
		return call_buffers(nr, args, caller);
	mask &= ~hidden;
	packed.mask = &mask;
	edited[index] = nr == SYS_pselect6 ? (long)&packed : (long)&mask;
	return call_buffers(nr, edited, caller);
}

/* --- the alternate stack --- */

static bool on_stack(const stack_t *stack, uintptr_t pointer)
{
	return !(stack->ss_flags & SS_DISABLE) &&
	       pointer - (uintptr_t)stack->ss_sp < stack->ss_size;
}

long signals_alternate_stack(long nr, const long args[6], uintptr_t caller)
{
	struct thread *self = thread_meet();
	stack_t new, old;
	(void)caller;
	if (!self || !self->signal_stack)
		return call_plain(nr, args);
	old = self->alternate;
	if (!self->own_alternate_stack)
		sys_call2(SYS_sigaltstack, 0, &old);
	if (args[0]) {
		if (sys_copy(&new, (const void *)args[0], sizeof(new)))
			return -EFAULT;
		long result = sys_call2(SYS_sigaltstack, &new, 0);
		if (result)
			return result;
		self->alternate = new;
		self->own_alternate_stack = new.ss_flags & SS_DISABLE;
		if (self->own_alternate_stack) {
			self->alternate.ss_sp = NULL;
			self->alternate.ss_size = 0;
			stack_t ours = {.ss_sp = self->signal_stack,
					.ss_size = self->signal_stack_size};
			sys_call2(SYS_sigaltstack, &ours, 0);
		} else {
			memory_is_stack((uintptr_t)new.ss_sp, new.ss_size);
		}
	}
	return args[1] ? call_write_program((void *)args[1], &old, sizeof(old)) : 0;
}

/* --- delivery --- */

static void take_default(int signal, siginfo_t *info, ucontext_t *context)
{
	const struct action fallback = {.handler = (void *)SIG_DFL};
	kernel_action(signal, &fallback, NULL);
	/* A fault happens again when we return; what was sent is sent again. */
	if (info->si_code <= 0)
		sys_call4(SYS_rt_tgsigqueueinfo, sys_call0(SYS_getpid), sys_call0(SYS_gettid),
			  signal, info);
	*(sigmask_t *)&context->uc_sigmask &= ~SIGMASK(signal);
}

static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/* The mask under which the program's handler runs. */
static sigmask_t handler_mask(int signal, const struct action *action, sigmask_t interrupted)
{
	sigmask_t mask = interrupted | action->mask;
	if (!(action->flags & SA_NODEFER))
		mask |= SIGMASK(signal);
	return mask & ~hidden;
}

void signals_deliver(int signal, siginfo_t *info, ucontext_t *context)
{
	struct thread *self = thread_self();
	sigmask_t mask;
	lock(&mask);
	struct action action = *action_of(signal);
	bool blocked = self && (self->hidden & SIGMASK(signal));
	if (is_handler(&action) && (action.flags & SA_RESETHAND) && !(blocked && is_fault(info)))
		actions[signal].handler = (void *)SIG_DFL;
	unlock(&mask);

	if (!is_fault(info) && action.handler == (void *)SIG_IGN)
		return;
	if (!is_handler(&action) || (blocked && is_fault(info))) {
		take_default(signal, info, context);
		return;
	}
	sigmask_t *saved = (sigmask_t *)&context->uc_sigmask;
	const struct delivery delivery = {
		.signal = signal,
		.handler = action.handler,
		.info = info,
		.context = context,
		.mask = handler_mask(signal, &action, *saved),
		.alternate = self && !self->own_alternate_stack && (action.flags & SA_ONSTACK) &&
					     !(self->alternate.ss_flags & SS_DISABLE)
				     ? &self->alternate
				     : NULL,
		.on_alternate = self && on_stack(&self->alternate, context_stack(context)),
	};
	frame_deliver(&delivery);
}

bool signals_program_handles(int signal)
{
	return is_handler(&actions[signal]);
}

/* --- exec --- */

void signals_before_exec(void)
{
	struct thread *self = thread_self();
	for (int signal = 1; signal <= SIGNALS; signal++)
		if ((held & SIGMASK(signal)) && actions[signal].handler == (void *)SIG_IGN)
			kernel_action(signal, &actions[signal], NULL);
	if (self && self->hidden)
		sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, &self->hidden, 0, sizeof(sigmask_t));
}

void signals_restore(void)
{
	for (int signal = 1; signal <= SIGNALS; signal++)
		if (held & SIGMASK(signal))
			hold_again(signal);
}

void signals_after_failed_exec(void)
{
	struct thread *self = thread_self();
	if (self && self->hidden)
		sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &self->hidden, 0, sizeof(sigmask_t));
	signals_restore();
}
