/*
 * The program's own view of its signals, and the handlers that we have in the kernel instead.
 */
#ifndef COWSPY_INTERPOSE_SIGNALS_H
#define COWSPY_INTERPOSE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

#include "base/sys.h"

/* struct sigaction as the kernel has it. */
struct action {
	void *handler;
	unsigned long flags;
	void (*restorer)(void);
	sigmask_t mask;
};

/* Install our handlers; `net`: SIGSYS too. `snapshot_signal` 0: none. Before the program runs. */
void signals_start(int snapshot_signal, bool net);

/* Before exec: give the kernel what the new program shall inherit. And back, when exec failed. */
void signals_before_exec(void);
void signals_after_failed_exec(void);

/* In a new task that shares our memory but began with default actions. */
void signals_restore(void);

/*
 * From one of our handlers: the signal is the program's. Does what the kernel would have done:
 * returns after arranging that the program's handler runs when ours returns, or that the default
 * action is taken; or does not return.
 */
void signals_deliver(int signal, siginfo_t *info, ucontext_t *context);

/* Whether the program has a handler of its own for it. */
bool signals_program_handles(int signal);

#endif
