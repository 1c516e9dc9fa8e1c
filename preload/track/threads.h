/*
 * What we keep for each thread of the program.
 *
 * thread_self() is the calling thread's own structure, or NULL in a thread that we have not met;
 * both it and thread_meet() may be called anywhere, the handlers included. A structure is only
 * written by its own thread, but for its pins, which armers read. Structures are reused once the
 * kernel says that their thread is gone, never unmapped.
 */
#ifndef COWSPY_TRACK_THREADS_H
#define COWSPY_TRACK_THREADS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"
#include "fault_cost.h"

#define THREAD_PINS 16
#define THREAD_WAIT_DEPTH ((uintptr_t)16 << 10) /* stack of ours below a call that waits */

struct action;
struct loan;

/* A range that the kernel may write until a system call in flight returns. */
struct pin {
	uintptr_t start;
	uintptr_t end;
	uintptr_t frame; /* in the stack frame of the call */
};

struct thread {
	struct thread *next; /* all threads, newest first; never unlinked */
	_Atomic int tid;     /* 0: free for reuse */
	uintptr_t bus_page;  /* open at the latest SIGBUS for it, and lock_writers() then */
	uint32_t bus_writers;
	bool unwinding;           /* in libunwind: faults now are its own */
	bool dispatched;          /* the net is on for it */
	bool own_alternate_stack; /* the kernel has our stack, not the program's, for signals */
	uintptr_t block;          /* thread pointer: its TCB lies on its stack's mapping */
	uintptr_t stack_pointer;  /* where its stack was when we met it */
	unsigned inside;          /* our own code calls libc: calls pass through unwatched */
	sigmask_t hidden;         /* blocked by the program, which the kernel's mask does not say */
	sigmask_t kept[2]; /* sent and waiting to be unblocked: to the thread, to the process */
	siginfo_t kept_info[2][3]; /* of SIGSEGV, SIGSYS, SIGBUS */
	sigmask_t awaits;          /* signals that it waits for in sigtimedwait; */
	bool handed;               /* another thread has put the siginfo here */
	sigmask_t wait_mask;       /* of a call that waits with a mask of its own, */
	sigmask_t wait_hidden;     /* what `hidden` goes back to, */
	uintptr_t wait_stack;      /* and where its frame is */
	stack_t alternate;         /* alternate signal stack as the program set it; size 0: none */
	struct loan *loan;         /* what a vfork child uses meanwhile, kept for the next one */
	struct action *child_actions; /* while the vfork child runs on this thread */
	unsigned lent;
	char *signal_stack; /* ours: base and size of the alternate signal stack */
	size_t signal_stack_size;
	char *work_stack_top;            /* for unwinding outside of handlers */
	_Atomic uintptr_t opening_start; /* pages that it is about to open, see guard_opening */
	_Atomic uintptr_t opening_end;
	_Atomic unsigned pin_count;
	struct pin pins[THREAD_PINS];
	struct fault_cost cost; /* of all threads that had this structure, since the last fork */
};

extern __thread struct thread *thread_current __attribute__((tls_model("initial-exec")));

static inline struct thread *thread_self(void)
{
	return thread_current;
}

/* Make `thread` (or, if NULL, a fresh one) the calling thread's own and install its stacks. */
struct thread *thread_begin(struct thread *thread);

/* The calling thread's structure; allocated when this thread was not met before. */
struct thread *thread_meet(void);

/* The calling thread's alternate stack was set behind our back: it is the program's, take over. */
void thread_take_alternate_stack(void);

/* The kernel shall have the program's own again. */
void thread_give_alternate_stack(void);

/* In a forked child: only the calling thread is left. */
void thread_child(void);

/*
 * Whether the calling thread's frame at `frame` was left by a jump, now that the one at `now` is
 * active: a signal handler that jumps out of what it interrupted.
 */
bool thread_frame_left(const struct thread *thread, uintptr_t frame, uintptr_t now);

/* True when address lies on a stack that we made for this thread. */
bool thread_on_our_stack(const struct thread *thread, uintptr_t address);

/* All structures, those of threads that have ended too: on by `next`. */
struct thread *thread_any(void);

/* Walks all threads in use. */
struct thread *thread_first(void);
struct thread *thread_next(const struct thread *thread);

#endif
