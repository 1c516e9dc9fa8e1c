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
	ucontext_t *context;      /* of our handler: interrupted state of the program */
	sigmask_t mask;           /* while the program's handler runs */
	const stack_t *alternate; /* to be used, or NULL */
	bool on_alternate;        /* the program was on its alternate stack already */
};

/*
 * Make the program's handler run with a frame of its own. Changes *context, so that it runs when
 * our handler returns; or, where the kernel's frame for ours lies just where the program's must,
 * enters it directly and does not return.
 */
void frame_deliver(const struct delivery *delivery);

#endif
