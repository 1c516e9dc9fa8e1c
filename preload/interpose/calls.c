#include "calls.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "net.h"
#include "observe/stacks.h"
#include "probe.h"
#include "track/regions.h"
#include "track/staging.h"
#include "track/threads.h"

#define CALLS_MOST 512

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

/* The calls that need more than their output buffers opened. */
static const call_fn special[CALLS_MOST] = {
	[SYS_mmap] = memory_mmap,
	[SYS_munmap] = memory_munmap,
	[SYS_mremap] = memory_mremap,
	[SYS_mprotect] = memory_mprotect,
	[SYS_pkey_mprotect] = memory_mprotect,
	[SYS_madvise] = advice_madvise,
	[SYS_process_madvise] = advice_process_madvise,
	[SYS_brk] = memory_brk,
	[SYS_shmat] = memory_shmat,
	[SYS_mseal] = memory_seal,
	[SYS_mlock] = memory_mlock,
	[SYS_mlock2] = memory_mlock,
	[SYS_mlockall] = memory_mlockall,
	[SYS_munlockall] = memory_munlockall,
	[SYS_io_uring_setup] = asynchronous_ring_setup,
	[SYS_io_uring_enter] = asynchronous_ring_enter,
	[SYS_io_uring_register] = asynchronous_ring_register,
	[SYS_io_submit] = asynchronous_submit,
	[SYS_set_tid_address] = asynchronous_named,
	[SYS_rseq] = asynchronous_named,
	[SYS_ioctl] = asynchronous_ioctl,
	[SYS_fork] = process_clone,
	[SYS_vfork] = process_clone,
	[SYS_clone] = process_clone,
	[SYS_clone3] = process_clone,
	[SYS_execve] = process_exec,
	[SYS_execveat] = process_exec,
	[SYS_exit_group] = process_exit,
	[SYS_seccomp] = process_seccomp,
	[SYS_prctl] = process_prctl,
	[SYS_ptrace] = process_ptrace,
	[SYS_close] = process_close,
	[SYS_close_range] = process_close_range,
	[SYS_dup] = process_descriptor,
	[SYS_fcntl] = process_descriptor,
	[SYS_fstat] = process_descriptor,
	[SYS_setuid] = process_rights,
	[SYS_setgid] = process_rights,
	[SYS_setreuid] = process_rights,
	[SYS_setregid] = process_rights,
	[SYS_setresuid] = process_rights,
	[SYS_setresgid] = process_rights,
	[SYS_setfsuid] = process_rights,
	[SYS_setfsgid] = process_rights,
	[SYS_setgroups] = process_rights,
	[SYS_capset] = process_rights,
	[SYS_chroot] = process_rights,
	[SYS_pivot_root] = process_rights,
	[SYS_setns] = process_rights,
	[SYS_unshare] = process_unshare,
	[SYS_dup2] = process_dup,
	[SYS_dup3] = process_dup,
	[SYS_rt_sigaction] = signals_action,
	[SYS_rt_sigprocmask] = signals_mask,
	[SYS_rt_sigsuspend] = signals_with_mask,
	[SYS_ppoll] = signals_with_mask,
	[SYS_pselect6] = signals_with_mask,
	[SYS_epoll_pwait] = signals_with_mask,
	[SYS_epoll_pwait2] = signals_with_mask,
	[SYS_sigaltstack] = signals_alternate_stack,
	[SYS_rt_sigpending] = pending_show,
	[SYS_rt_sigtimedwait] = pending_wait,
};

bool calls_started;

bool call_is_ours(void)
{
	const struct thread *self = thread_self();
	return stacks_capturing() || (self && self->inside);
}

/*
 * What libunwind maps for our use must never be protected. What malloc reserves meanwhile, without
 * access as yet, is the arena of a thread that we made unwind first: the program's. And where
 * libunwind blocks all signals around its own locks, faults and dispatched calls must still arrive.
 */
static long call_ours(long nr, const long args[6])
{
	long result;
	if (nr == SYS_rt_sigprocmask)
		return signals_mask_ours(args);
	if (probe_call(nr, args, &result))
		return result;
	result = call_plain(nr, args);
	if (nr == SYS_munmap && !result)
		memory_forget((uintptr_t)args[0], (uintptr_t)args[0] + (uintptr_t)args[1]);
	if (nr == SYS_mmap && !sys_failed(result) && args[2] != PROT_NONE)
		memory_note((uintptr_t)result, (uintptr_t)result + page_ceil((uintptr_t)args[1]));
	return result;
}

long call_buffers(long nr, const long args[6], uintptr_t caller)
{
	return staging_call(nr, args, caller);
}

/* An ordinary first write, if the page is armed: our fault handler sees to it. */
long call_write_program(void *to, const void *from, size_t size)
{
	return sys_copy(to, from, size);
}

/* A thread that began unseen, or before the net was on: the net does not have it yet. */
static void call_meet(void)
{
	const struct thread *self = thread_self();
	if (self && (!region_selector || self->dispatched))
		return;
	thread_meet();
	net_thread();
}

long call_issue(long nr, const long args[6], uintptr_t caller)
{
	if (call_is_ours())
		return call_ours(nr, args);
	if (!calls_started)
		return call_plain(nr, args);
	call_meet();
	if ((unsigned long)nr < CALLS_MOST && special[nr])
		return special[nr](nr, args, caller);
	return staging_call(nr, args, caller);
}

static long in_libc_manner(long result)
{
	if (!sys_failed(result))
		return result;
	errno = (int)-result;
	return -1;
}

long call_libc(long nr, const long args[6], uintptr_t caller)
{
	return in_libc_manner(call_issue(nr, args, caller));
}

/*
 * libc switches to asynchronous cancellation around the system call, and so do we; it costs no
 * system call. The thread may then be unwound out of our code as well, just as when the net gets
 * the call from libc. That is safe: whatever takes a lock blocks all signals, and what else stays
 * behind (pins, open pages) costs knowledge, not correctness.
 */
long call_point(long nr, const long args[6], uintptr_t caller)
{
	int type;
	if (call_is_ours())
		return in_libc_manner(call_ours(nr, args));
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	long result = call_issue(nr, args, caller);
	pthread_setcanceltype(type, NULL);
	return in_libc_manner(result);
}
