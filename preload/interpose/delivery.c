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
 * When it returns, the net tells us: what the program sees as its mask and its alternate stack lies
 * in the frame, where it may change it, and is not what the kernel may have. Without the net the
 * frame is the kernel's, and handlers do not block SIGSEGV, SIGBUS and SIGSYS.
 */
#include <errno.h>

#include "calls.h"
#include "frame.h"
#include "net.h"
#include "signals.h"
#include "track/context.h"
#include "track/threads.h"

#define SS_AUTODISARM (1u << 31) /* linux/signal.h, which cannot stand beside libc's */

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

/* A call that waits with a mask of its own was interrupted. */
static bool is_waiting(const struct thread *self, const ucontext_t *context)
{
	uintptr_t below = self->wait_stack - context_stack(context);
	return below && below < THREAD_WAIT_DEPTH && context_result(context) == -EINTR;
}

/*
 * The program's mask that was in force. Where a call waits, the kernel has put the one to go back to
 * into the context.
 */
static sigmask_t interrupted_mask(const struct thread *self, const ucontext_t *context)
{
	sigmask_t mask = *(const sigmask_t *)&context->uc_sigmask;
	if (!self)
		return mask;
	return mask_for_program(is_waiting(self, context) ? self->wait_mask : mask, self);
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

/* The frame says what the program believes. */
static void show_program(const struct thread *self, struct delivery *delivery)
{
	delivery->restorer = net_restorer;
	delivery->old_mask |= signals_hidden &
			      (is_waiting(self, delivery->context) ? self->wait_hidden
								   : self->hidden);
	if (self->own_alternate_stack)
		delivery->old_stack = self->alternate;
}

/* As the kernel does when it has pushed a frame. */
static void enter(struct thread *self, sigmask_t program)
{
	self->hidden = program & signals_hidden;
	if (self->alternate.ss_flags & SS_AUTODISARM)
		self->alternate = (stack_t){.ss_flags = SS_DISABLE};
}

void signals_deliver(int signal, siginfo_t *info, ucontext_t *context)
{
	struct thread *self = thread_self();
	sigmask_t interrupted = interrupted_mask(self, context);
	bool blocked = self && (self->hidden & SIGMASK(signal) & signals_hidden);
	if (!is_fault(info) && (SIGMASK(signal) & signals_hidden)) {
		if (blocked) {
			pending_keep(self, info);
			return;
		}
		if (postpone(self, info, context))
			return;
	}
	struct action action = actions_take(signal, !blocked);

	if (!is_fault(info) && action.handler == (void *)SIG_IGN)
		return;
	if (!action_is_handler(&action) || blocked) {
		take_default(signal, info, context);
		return;
	}
	if (!(action.flags & SA_NODEFER))
		action.mask |= SIGMASK(signal);
	struct delivery delivery = {
		.signal = signal,
		.handler = action.handler,
		.info = info,
		.context = context,
		.mask = mask_for_kernel(interrupted | action.mask),
		.old_mask = *(const sigmask_t *)&context->uc_sigmask,
		.old_stack = context->uc_stack,
		.restorer = sys_restorer,
		.alternate = self && self->alternate.ss_size ? &self->alternate : NULL,
		.on_alternate = self && on_stack(&self->alternate, context_stack(context)),
		.wants_alternate = action.flags & SA_ONSTACK,
	};
	bool seen = net_sees_returns();
	if (seen)
		show_program(self, &delivery);
	if (!frame_deliver(&delivery))
		no_room(signal, info, context);
	else if (seen)
		enter(self, interrupted | action.mask);
}

bool signals_return(ucontext_t *context)
{
	struct thread *self = thread_self();
	sigmask_t *mask = (sigmask_t *)&context->uc_sigmask, program;
	const stack_t ours = context->uc_stack;
	if (!frame_return(context))
		return false;
	program = *mask & ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP));
	*mask = mask_for_kernel(program);
	if (self->own_alternate_stack) {
		self->alternate = context->uc_stack;
		context->uc_stack = ours;
	}
	self->hidden = program & signals_hidden;
	if (pending_any(self))
		pending_release(self, program);
	return true;
}
