/* Building the signal frame that the kernel would have built. One file for each architecture. */
#ifndef COWSPY_INTERPOSE_FRAME_H
#define COWSPY_INTERPOSE_FRAME_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

#include "base/sys.h"

struct delivery {
	int signal;
	void *handler;
	siginfo_t *info;
	ucontext_t *context; /* of our handler: interrupted state of the program */
	sigmask_t mask;      /* the kernel's, while the program's handler runs */
	sigmask_t old_mask;  /* what the frame says: mask and alternate stack to go back to */
	stack_t old_stack;
	void (*restorer)(void);
	const stack_t *alternate; /* that the program has set, or NULL */
	bool on_alternate;        /* the program was on it already */
	bool wants_alternate;     /* SA_ONSTACK */
};

/*
 * Make the program's handler run, with a frame of its own, when ours returns: changes *context.
 * False when there is no room for the frame.
 */
bool frame_deliver(const struct delivery *delivery);

/*
 * The context of a program that returns from a handler, at its frame, becomes the one that the frame
 * holds. False when that cannot be read.
 */
bool frame_return(ucontext_t *context);

#endif
