/*
 * How each flag of a program's action is honoured when a signal that we caught is the program's:
 *
 *	SA_SIGINFO    the three arguments are always passed; a one-argument handler ignores two
 *	SA_ONSTACK    the frame goes to the alternate stack that the program set, if it set one and
 *	              is not running on it; else below the interrupted stack pointer
 *	SA_NODEFER    the signal itself is not added to the mask
 *	SA_RESETHAND  the action becomes SIG_DFL before the handler runs
 *	SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT
 *	              our own action in the kernel carries them
 *	sa_mask       becomes the mask while the handler runs, and sigreturn restores the old one
 *	SIG_IGN       ignored if it was sent; a fault kills, as the kernel has it
 *	SIG_DFL       the kernel's own default action is taken, with the original fault or siginfo
 *
 * The program's handler does not run inside ours. Ours builds the frame that the kernel would have
 * built, and returns into it; so masks, stacks and siglongjmp are the kernel's business as ever.
 *
 * What differs: SS_AUTODISARM does not take the alternate stack away while a handler runs; the
 * context that a handler gets names our alternate stack in uc_stack, and in uc_sigmask it has
 * SIGSTKFLT for a blocked SIGSEGV.
 */
#include <errno.h>

#include "calls.h"
#include "frame.h"
#include "net.h"
#include "signals.h"
#include "track/context.h"
#include "track/threads.h"

/* A fault by an instruction, and not something that was sent. */
static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0;
}

/*
 * A fault happens again when we return; what was sent is sent again. It arrives then, not here, so
 * that a core shows the program.
 */
static void take_default(int signal, siginfo_t *info, ucontext_t *context)
{
	const sigmask_t mask = SIGMASK(signal);
	actions_set_default(signal);
	if (!is_fault(info)) {
		sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof(mask));
		sys_call4(SYS_rt_tgsigqueueinfo, sys_call0(SYS_getpid), sys_call0(SYS_gettid),
			  signal, info);
	}
	*(sigmask_t *)&context->uc_sigmask &= ~mask;
}

/*
 * The mask that was in force: of a call that waits with a mask of its own, the kernel has put the
 * one to go back to into the context.
 */
static sigmask_t interrupted_mask(const struct thread *self, const ucontext_t *context)
{
	uintptr_t below = self ? self->wait_stack - context_stack(context) : 0;
	if (below && below < THREAD_WAIT_DEPTH && context_result(context) == -EINTR)
		return self->wait_mask;
	return *(const sigmask_t *)&context->uc_sigmask;
}

static sigmask_t handler_mask(int signal, const struct action *action, sigmask_t interrupted)
{
	sigmask_t more = action->mask;
	if (!(action->flags & SA_NODEFER))
		more |= SIGMASK(signal);
	return interrupted | mask_for_kernel(more);
}

static bool on_stack(const stack_t *stack, uintptr_t pointer)
{
	return pointer - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/*
 * SIGSEGV and SIGSYS are the two signals that can interrupt our own code. What was sent then waits
 * until that code restores the signal mask.
 */
static bool postpone(const struct thread *self, siginfo_t *info, ucontext_t *context)
{
	sigmask_t *mask = (sigmask_t *)&context->uc_sigmask, ours = SIGMASK(info->si_signo);
	bool inside = net_holds(context_instruction(context)) ||
		      (self && thread_on_our_stack(self, context_stack(context)));
	if (!inside || (*mask | SIGNALS_OPEN) != ~(sigmask_t)0)
		return false;
	*mask |= ours;
	sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, &ours, 0, sizeof(ours));
	sys_call4(SYS_rt_tgsigqueueinfo, sys_call0(SYS_getpid), sys_call0(SYS_gettid),
		  info->si_signo, info);
	return true;
}

/* The kernel could not have pushed the frame: that is a fault of its own, and fatal for SIGSEGV. */
static void no_room(int signal, siginfo_t *info, ucontext_t *context)
{
	siginfo_t lost = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
	if (signal != SIGSEGV) {
		signals_deliver(SIGSEGV, &lost, context);
		return;
	}
	lost.si_code = is_fault(info) ? SI_USER : info->si_code;
	take_default(SIGSEGV, &lost, context);
}

void signals_deliver(int signal, siginfo_t *info, ucontext_t *context)
{
	struct thread *self = thread_self();
	sigmask_t interrupted = interrupted_mask(self, context);
	bool blocked = self && (SIGMASK(signal) & signals_hidden) &&
		       (mask_for_program(interrupted, self) & SIGMASK(signal));
	if (!is_fault(info) && (SIGMASK(signal) & signals_hidden)) {
		if (postpone(self, info, context))
			return;
		if (blocked) {
			pending_keep(self, info);
			return;
		}
	}
	struct action action = actions_take(signal, !blocked);

	if (!is_fault(info) && action.handler == (void *)SIG_IGN)
		return;
	if (!action_is_handler(&action) || blocked) {
		take_default(signal, info, context);
		return;
	}
	const struct delivery delivery = {
		.signal = signal,
		.handler = action.handler,
		.info = info,
		.context = context,
		.mask = handler_mask(signal, &action, interrupted),
		.alternate = self && self->alternate.ss_size ? &self->alternate : NULL,
		.on_alternate = self && on_stack(&self->alternate, context_stack(context)),
		.wants_alternate = action.flags & SA_ONSTACK,
	};
	if (!frame_deliver(&delivery))
		no_room(signal, info, context);
}
