/*
 * Every system call of the program that we see goes through here, whichever door it came by: a
 * wrapper of a libc function, or the net (Syscall User Dispatch).
 */
#ifndef COWSPY_INTERPOSE_CALLS_H
#define COWSPY_INTERPOSE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sys.h"

/* Until our start-up has run (constructors of other libraries may run before), calls pass. */
extern bool calls_started;

/*
 * Issue the call for the program, doing what has to be done around it. `caller` is the address in
 * the program to which it returns. Returns the kernel's result: a value, or -errno.
 */
long call_issue(long nr, const long args[6], uintptr_t caller);

/* As call_issue, in libc's manner: -1 with errno set. */
long call_libc(long nr, const long args[6], uintptr_t caller);

/*
 * As call_libc, for calls that are cancellation points in libc: a thread that waits in one can be
 * cancelled.
 */
long call_point(long nr, const long args[6], uintptr_t caller);

/* Whether the calling thread is inside a library that works for us: libunwind. */
bool call_is_ours(void);

/* The call as it is. */
static inline long call_plain(long nr, const long args[6])
{
	return sys_raw(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* The call with its output buffers open; for handlers of calls that edited their arguments. */
long call_buffers(long nr, const long args[6], uintptr_t caller);

/* Store into the program's memory what the kernel would have stored there. 0 or -EFAULT. */
long call_write_program(void *to, const void *from, size_t size);

typedef long (*call_fn)(long nr, const long args[6], uintptr_t caller);

/* memory.c */
long memory_mmap(long nr, const long args[6], uintptr_t caller);
long memory_munmap(long nr, const long args[6], uintptr_t caller);
long memory_mremap(long nr, const long args[6], uintptr_t caller);
long memory_mprotect(long nr, const long args[6], uintptr_t caller);
long memory_shmat(long nr, const long args[6], uintptr_t caller);
long memory_mlock(long nr, const long args[6], uintptr_t caller);
long memory_mlockall(long nr, const long args[6], uintptr_t caller);
long memory_munlockall(long nr, const long args[6], uintptr_t caller);
long memory_brk(long nr, const long args[6], uintptr_t caller);
long memory_seal(long nr, const long args[6], uintptr_t caller);

/* Nothing writable may become executable any more: opening a page would be refused. */
void memory_forbid_executable(void);

/* A stack lies in [start, start + length): never protect it. */
void memory_is_stack(uintptr_t start, uintptr_t length);

/* advice.c */
long advice_madvise(long nr, const long args[6], uintptr_t caller);
long advice_process_madvise(long nr, const long args[6], uintptr_t caller);

/* asynchronous.c */
long asynchronous_ring_setup(long nr, const long args[6], uintptr_t caller);
long asynchronous_ring_enter(long nr, const long args[6], uintptr_t caller);
long asynchronous_ring_register(long nr, const long args[6], uintptr_t caller);
long asynchronous_submit(long nr, const long args[6], uintptr_t caller);
long asynchronous_named(long nr, const long args[6], uintptr_t caller);
long asynchronous_ioctl(long nr, const long args[6], uintptr_t caller);

/*
 * System calls are seen from now on. If the kernel may write memory at any time because of what
 * was set up before that, nothing is protected. No lock held.
 */
void asynchronous_start(void);

/* process.c */
long process_clone(long nr, const long args[6], uintptr_t caller);
long process_exec(long nr, const long args[6], uintptr_t caller);
long process_exit(long nr, const long args[6], uintptr_t caller);
long process_seccomp(long nr, const long args[6], uintptr_t caller);
long process_ptrace(long nr, const long args[6], uintptr_t caller);
long process_prctl(long nr, const long args[6], uintptr_t caller);
long process_close(long nr, const long args[6], uintptr_t caller);
long process_close_range(long nr, const long args[6], uintptr_t caller);
long process_descriptor(long nr, const long args[6], uintptr_t caller);
long process_rights(long nr, const long args[6], uintptr_t caller);
long process_unshare(long nr, const long args[6], uintptr_t caller);
long process_dup(long nr, const long args[6], uintptr_t caller);

/* signals.c */
long signals_action(long nr, const long args[6], uintptr_t caller);
long signals_mask(long nr, const long args[6], uintptr_t caller);
long signals_mask_ours(const long args[6]);
long signals_with_mask(long nr, const long args[6], uintptr_t caller);
long signals_alternate_stack(long nr, const long args[6], uintptr_t caller);

/* pending.c */
long pending_show(long nr, const long args[6], uintptr_t caller);
long pending_wait(long nr, const long args[6], uintptr_t caller);

#endif
