/*
 * Raw system calls.
 *
 * Every function here is a bare `syscall` instruction: any thread may call it, the fault handler
 * included; nothing touches errno, a lock, or libc. All return what the kernel returns: a result,
 * or -errno. The instruction lies in our own text, which Syscall User Dispatch lets pass, so none
 * of these calls is ever seen by our own net.
 */
#ifndef COWSPY_BASE_SYS_H
#define COWSPY_BASE_SYS_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "sys_arch.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE ((uintptr_t)1 << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* The kernel's view of a signal set: 64 bits, bit n-1 for signal n. */
typedef uint64_t sigmask_t;
#define SIGMASK(signal) ((sigmask_t)1 << ((signal)-1))

#define sys_call0(nr) sys_raw((nr), 0, 0, 0, 0, 0, 0)
#define sys_call1(nr, a) sys_raw((nr), (long)(a), 0, 0, 0, 0, 0)
#define sys_call2(nr, a, b) sys_raw((nr), (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_call3(nr, a, b, c) sys_raw((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d) sys_raw((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys_call5(nr, a, b, c, d, e) \
	sys_raw((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define sys_call6(nr, a, b, c, d, e, f) \
	sys_raw((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* True when a raw result is an error, as the kernel defines it. */
static inline int sys_failed(long result)
{
	return (unsigned long)result >= (unsigned long)-4095L;
}

static inline uintptr_t page_floor(uintptr_t address)
{
	return address & PAGE_MASK;
}

static inline uintptr_t page_ceil(uintptr_t address)
{
	return (address + PAGE_SIZE - 1) & PAGE_MASK;
}

/*
 * Signals by which faults of ours arrive, and which would kill if they were blocked then: SIGSEGV
 * and SIGSYS for first writes and dispatched calls, SIGBUS while there is a trace.
 */
extern sigmask_t sys_faults;

/* Block every signal in this thread but those. *old: the former mask for sys_sigmask_restore(). */
static inline void sys_sigmask_block(sigmask_t *old)
{
	sigmask_t all = ~sys_faults;
	sys_call4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, old, sizeof(all));
}

static inline void sys_sigmask_restore(const sigmask_t *old)
{
	sys_call4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, old, 0, sizeof(*old));
}

/* A signal that our own call has raised while it was blocked: the program shall not get it. */
void sys_take_signal_away(int signal);

/*
 * Write all of data, resuming after short writes and EINTR. Returns 0 or -errno, and the signals
 * that errors raise (SIGXFSZ, SIGPIPE) never reach the program.
 */
int sys_write_all(int fd, const void *data, size_t length);

/*
 * libc's clock_gettime, once start-up has found it: it reads the clock in user space (vDSO), is
 * async-signal-safe, and cannot fail with a valid clock.
 */
extern int (*sys_clock)(clockid_t, struct timespec *);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t sys_now(void);

/*
 * memcpy that returns -EFAULT when either side cannot be accessed; 0 otherwise. Relies on our
 * fault handler.
 */
int sys_copy(void *to, const void *from, size_t length);

/* Where the fault handler finds a fault of sys_copy, and where it continues. */
extern const char sys_copy_end[], sys_copy_fault[];

/*
 * Call function(argument) on the stack whose end is top, with the vector registers kept: for calls
 * of libc where they belong to the program. Needs 4 KiB of that stack.
 */
long sys_saving_vectors(void *top, long (*function)(void *), void *argument);

/* The restorer of our signal handlers, in the bytes that unwinders know. */
void sys_restorer(void);

#endif
