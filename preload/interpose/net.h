/*
 * The net: Syscall User Dispatch (Linux 5.11, Documentation/admin-guide/syscall-user-dispatch.rst).
 * Every system call that a thread makes outside of our own text becomes a SIGSYS while the selector
 * says so, which it does while any page is protected (regions.h).
 */
#ifndef COWSPY_INTERPOSE_NET_H
#define COWSPY_INTERPOSE_NET_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/*
 * Whether this kernel has it; learns where our text is. Before the program runs. It is switched on
 * by net_keep or net_watch_begin: the mere check costs every call some 60 ns.
 */
bool net_start(void);

/*
 * Switch it on for the calling thread, if it is on by now. The kernel switches it off in every new
 * task.
 */
void net_thread(void);

bool net_active(void);

/* Whether returns of signal handlers of the calling thread through net_restorer are seen. */
bool net_sees_returns(void);

/* The restorer of the program's handlers, in the bytes that unwinders know; not in our text. */
void net_restorer(void);

/* From the SIGSYS handler: true when the signal is a dispatched call; it goes on in net_thunk. */
bool net_dispatch(const siginfo_t *info, ucontext_t *context);

/*
 * From now on, and for good, every call is seen. Before the first mapping is tracked, the first
 * thread or vfork, the first mask that hides a signal of ours: since libc blocks all signals in
 * places, the net must never be switched on while another thread could be there; and what the
 * program believes about its signals differs from what the kernel knows from then on.
 */
void net_keep(void);

/* No call is seen any more: the program restricts itself to fewer system calls than we need. */
void net_give_up(void);

/* Whether address lies in our text. */
bool net_holds(uintptr_t address);

/* Make calls of this process visible for a while, whether or not a page is protected. */
void net_watch_begin(void);
void net_watch_end(void);

#endif
