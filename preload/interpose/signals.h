/*
 * The program's own view of its signals, and the handlers that we have in the kernel instead.
 *
 * SIGSEGV, SIGSYS with the net, and the snapshot signal are ours from the start. From
 * signals_watch() on, when the first page is about to be protected, so is every signal for which
 * the program has a handler: the kernel pushes the frame on our alternate stack, never on a stack
 * that may be protected or too small for us, and we build the program's frame where it belongs.
 *
 * Any thread and handler may call; the tables have a lock of their own, held with signals blocked.
 */
#ifndef COWSPY_INTERPOSE_SIGNALS_H
#define COWSPY_INTERPOSE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

#include "base/sys.h"

#define SIGNALS_MOST 64
#define SA_RESTORER_FLAG 0x04000000

/* struct sigaction as the kernel has it. */
struct action {
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	sigmask_t mask;
};

static inline bool action_is_handler(const struct action *action)
{
	return action->handler != (void *)SIG_DFL && action->handler != (void *)SIG_IGN;
}

/* libc keeps two signals for itself, and lets nobody touch them. */
#define LIBC_SIGNALS (SIGMASK(32) | SIGMASK(33))

/* What is never in a mask, or not in those with which our own code protects itself. */
#define SIGNALS_OPEN \
	(SIGMASK(SIGSEGV) | SIGMASK(SIGSYS) | SIGMASK(SIGBUS) | SIGMASK(SIGKILL) | \
	 SIGMASK(SIGSTOP) | LIBC_SIGNALS)

/* Signals that are never blocked in the kernel, since faults and dispatched calls must arrive. */
extern sigmask_t signals_hidden;

/*
 * Which of them the program blocks is known per thread (`hidden`). The frames that we build for its
 * handlers have the program's whole mask, and their return is dispatched to signals_return().
 */
struct thread;
sigmask_t mask_for_kernel(sigmask_t program);
sigmask_t mask_for_program(sigmask_t kernel, const struct thread *self);

/* The calling thread's mask was set behind our back: bring it into our form. */
void mask_take_over(void);

/*
 * Install our handlers; `net`: SIGSYS too. The signals that ask for a report and for another mode: 0
 * for none. Before the program runs.
 */
void signals_start(int snapshot_signal, int mode_signal, bool net);

/*
 * From now on the net sees all calls of this process: take over what the calling thread, the only
 * one, may have set behind our back.
 */
void signals_watch(void);

/* Nothing will be protected any more: only the signals that are ours from the start still are. */
void signals_unwatch(void);

/* Give the kernel back what the program set, for good. */
void signals_retire(void);

/* Before exec: give the kernel what the new program shall inherit. And back, when exec failed. */
void signals_before_exec(void);
void signals_after_failed_exec(void);

/*
 * A vfork child runs on its parent's memory, but its actions, mask and alternate stack are its own.
 * In the parent before and after; in the child first of all. `cleared`: CLONE_CLEAR_SIGHAND.
 */
void signals_lend(void);
void signals_borrow(bool cleared);
void signals_lend_end(void);

/* In a forked child. */
void signals_child(bool cleared);

/*
 * What the program set for the signal. Under the tables' lock if `reset`: an action with
 * SA_RESETHAND becomes the default one by this.
 */
struct action actions_take(int signal, bool reset);

/* The kernel's default action for this signal from now on. */
void actions_set_default(int signal);

/*
 * From one of our handlers: the signal is the program's. Does what the kernel would have done:
 * returns after arranging that the program's handler runs when ours returns, or that the default
 * action is taken; or does not return.
 */
void signals_deliver(int signal, siginfo_t *info, ucontext_t *context);

/*
 * From the SIGSYS handler, where a handler of the program returns through net_restorer: goes on in
 * what that one interrupted. False when its frame cannot be read.
 */
bool signals_return(ucontext_t *context);

/*
 * SIGSEGV, SIGSYS or SIGBUS was sent to a thread that blocks it: keep it. And let go one of each
 * that is not among the `blocked` ones now; false when there is none.
 */
void pending_keep(struct thread *self, siginfo_t *info);
bool pending_release(struct thread *self, sigmask_t blocked);
bool pending_any(const struct thread *self);
void pending_drop(struct thread *self); /* a child has none */

/* The signals that are ours from the start. */
sigmask_t signals_held(void);

/* Whether the program has a handler of its own for it. */
bool signals_program_handles(int signal);

#endif
