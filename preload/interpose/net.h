/*
 * The net: Syscall User Dispatch (Linux 5.11, Documentation/admin-guide/syscall-user-dispatch.rst).
 * Every system call that a thread makes outside of our own text becomes a SIGSYS while the selector
 * says so, which it does while any page is protected (regions.h).
 */
#ifndef COWSPY_INTERPOSE_NET_H
#define COWSPY_INTERPOSE_NET_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

/* Whether this kernel has it; learns where our text is. Before the program runs. */
bool net_start(void);

/* Switch it on for the calling thread. The kernel switches it off in every new task. */
void net_thread(void);

bool net_active(void);

/* From the SIGSYS handler: true when the signal is a dispatched call; it goes on in net_thunk. */
bool net_dispatch(const siginfo_t *info, ucontext_t *context);

/* Make calls of this process visible for a while, whether or not a page is protected. */
void net_watch_begin(void);
void net_watch_end(void);

#endif
