#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "calls.h"
#include "names.h"
#include "net.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "record/trace_file.h"
#include "report/children.h"
#include "report/output.h"
#include "scope.h"
#include "signals.h"
#include "track/fault.h"
#include "track/forks.h"
#include "track/guard.h"
#include "track/kernel_writes.h"
#include "track/lock.h"
#include "track/mappings.h"
#include "track/threads.h"
#include "track/userfault.h"

/* Newer than the oldest headers that we build with. */
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static sigmask_t fork_mask; /* of the thread that holds the write lock for its fork */
static _Atomic int ended_pid;

/* --- fork --- */

/* A vfork child shares our memory but is not the process that we report on. */
bool process_is_watched(void)
{
	return process_pid == (int)sys_call0(SYS_getpid);
}

void process_fork_begin(void)
{
	sigmask_t mask;
	net_keep();
	sys_sigmask_block(&mask);
	guard_exempt_stack((uintptr_t)__builtin_frame_address(0));
	stacks_pause();
	lock_write();
	scope_first_fork();
	forks_prepare();
	fork_mask = mask;
}

void process_fork_parent(long child)
{
	sigmask_t mask = fork_mask;
	forks_parent(&mask, child);
	stacks_resume();
}

void process_fork_child(bool actions_cleared)
{
	sigmask_t mask = fork_mask;
	net_thread();
	signals_child(actions_cleared);
	stacks_child();
	guard_child();
	output_child();
	report_start();
	forks_child(&mask);
}

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

static bool clears_actions(long nr, const long args[6])
{
	uint64_t flags = 0;
	return nr == SYS_clone3 && !sys_copy(&flags, (const void *)args[0], sizeof(flags)) &&
	       (flags & CLONE_CLEAR_SIGHAND);
}

static long fork_now(long nr, const long args[6])
{
	process_fork_begin();
	long result = call_plain(nr, args);
	if (result == 0)
		process_fork_child(clears_actions(nr, args));
	else
		process_fork_parent(result);
	return result;
}

/*
 * A fork: the child has its own memory and goes on from here, on a copy of this stack. The kernel
 * may write the child's id, or a descriptor for it.
 */
long process_clone(long nr, const long args[6], uintptr_t caller)
{
	return kernel_writes_fork(nr, args, caller, fork_now);
}

/*
 * libc's fork: its clone must meet the net even when nothing is armed yet, since from the first
 * fork on everything is watched, and arming happens at the clone itself. Without the net nothing
 * is ever armed: both sides only have to know that they share pages, and the child that it is another
 * process.
 */
static void before_libc_fork(void)
{
	sigmask_t mask;
	net_watch_begin();
	if (net_active() || !process_is_watched())
		return;
	lock_write_masked(&mask);
	scope_first_fork();
	forks_prepare();
	lock_write_end_masked(&mask);
}

static void after_libc_fork_parent(void)
{
	net_watch_end();
}

static void after_libc_fork_child(void)
{
	net_watch_end();
	if (process_is_watched())
		return;
	lock_child();
	sys_sigmask_block(&fork_mask);
	process_fork_child(false);
}

/* --- exit and exec --- */

void process_end(enum report_reason reason)
{
	int pid = process_pid;
	sigmask_t mask;
	if (!calls_started || !process_is_watched() || atomic_exchange(&ended_pid, pid) == pid)
		return;
	/* A handler that ends the process would end the report in its middle. */
	sys_sigmask_block(&mask);
	output_report(reason);
	sys_sigmask_restore(&mask);
}

long process_exit(long nr, const long args[6], uintptr_t caller)
{
	(void)caller;
	process_end(REPORT_EXIT);
	return call_plain(nr, args);
}

static bool can_exec(long nr, const long args[6])
{
	const bool at = nr == SYS_execveat;
	long directory = at ? args[0] : AT_FDCWD;
	long flags = at ? args[4] : 0;
	return sys_call4(SYS_faccessat2, directory, at ? args[1] : args[0], 1 /* X_OK */,
			 AT_EACCESS | flags) == 0;
}

/* A failed exec leaves the report of this moment behind; the one at exit still comes. */
long process_exec(long nr, const long args[6], uintptr_t caller)
{
	bool ours = process_is_watched();
	(void)caller;
	if (!can_exec(nr, args))
		return call_plain(nr, args);
	if (ours)
		process_end(REPORT_EXEC);
	signals_before_exec();
	long result = call_plain(nr, args);
	signals_after_failed_exec();
	if (ours)
		atomic_store(&ended_pid, 0);
	return result;
}

/* --- the end of watching --- */

/*
 * Filters of seccomp may forbid the system calls that protecting and reporting need. A program that
 * dispatches system calls itself takes the net away, and its handler of SIGSYS must come first: what
 * ours called would be dispatched as well. So report now, then leave everything open.
 */
static void retire(void)
{
	sigmask_t mask;
	process_end(REPORT_EXIT);
	lock_write_masked(&mask);
	mappings_give_up_all(REGION_SECCOMP);
	lock_write_end_masked(&mask);
	net_give_up();
	signals_retire();
	calls_started = false;
}

static bool strict_or_filter(unsigned long operation)
{
	return operation == SECCOMP_SET_MODE_STRICT || operation == SECCOMP_SET_MODE_FILTER;
}

long process_seccomp(long nr, const long args[6], uintptr_t caller)
{
	if (strict_or_filter((unsigned long)args[0]))
		retire();
	return kernel_writes_call(nr, args, caller);
}

/*
 * A child lets its parent trace it: what that expects are the program's own signals and calls. Our
 * handlers stay: without a protected page nothing calls them but what would have come anyhow.
 */
static void open_for_tracer(void)
{
	sigmask_t mask;
	if (!process_is_watched())
		return;
	lock_write_masked(&mask);
	mappings_give_up_all(REGION_TRACED);
	lock_write_end_masked(&mask);
	net_give_up();
	signals_unwatch();
}

long process_ptrace(long nr, const long args[6], uintptr_t caller)
{
	if (args[0] == PTRACE_TRACEME)
		open_for_tracer();
	return kernel_writes_call(nr, args, caller);
}

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

long process_prctl(long nr, const long args[6], uintptr_t caller)
{
	if (args[0] == PR_SET_SECCOMP ||
	    (args[0] == PR_SET_SYSCALL_USER_DISPATCH && args[1] == PR_SYS_DISPATCH_ON))
		retire();
	if (args[0] == PR_SET_TSC && args[1] == PR_TSC_SIGSEGV)
		sys_clock = NULL; /* reading the clock in user space is a fault now */
	if (args[0] == PR_SET_MDWE)
		memory_forbid_executable();
	long result = kernel_writes_call(nr, args, caller);
	if (args[0] == PR_SET_VMA && args[1] == PR_SET_VMA_ANON_NAME)
		names_observe(args);
	return result;
}

/* --- descriptors: ours are not there for the program --- */

static bool is_ours(long fd)
{
	return fd >= 0 && (fd == truth_descriptor() || fd == trace_file_descriptor() ||
			   fd == userfault_descriptor() || fd == children_descriptor());
}

long process_close(long nr, const long args[6], uintptr_t caller)
{
	(void)caller;
	if (is_ours((int)args[0]))
		return -EBADF;
	output_before_close((int)args[0]);
	return call_plain(nr, args);
}

/* Our lowest descriptor in [first, last]. False when there is none. */
static bool next_of_ours(unsigned first, unsigned last, unsigned *mine)
{
	const int all[] = {truth_descriptor(), trace_file_descriptor(), userfault_descriptor(),
			   children_descriptor()};
	unsigned lowest = UINT_MAX;
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		unsigned fd = (unsigned)all[i];
		if (all[i] >= 0 && fd >= first && fd <= last && fd < lowest)
			lowest = fd;
	}
	*mine = lowest;
	return lowest != UINT_MAX;
}

void process_descriptors_part(void)
{
	sigmask_t mask;
	if (!process_is_watched())
		return;
	lock_write_masked(&mask);
	guard_end_handover();
	lock_write_end_masked(&mask);
}

long process_unshare(long nr, const long args[6], uintptr_t caller)
{
	(void)caller;
	if (args[0] & CLONE_FILES)
		process_descriptors_part();
	return call_plain(nr, args);
}

long process_close_range(long nr, const long args[6], uintptr_t caller)
{
	unsigned first = (unsigned)args[0], last = (unsigned)args[1];
	unsigned mine;
	(void)caller;
	if (args[2] & CLOSE_RANGE_UNSHARE)
		process_descriptors_part();
	if (first <= 2 && last >= 2)
		output_before_close(2);
	if (first > last || !next_of_ours(first, last, &mine))
		return call_plain(nr, args);
	long result = 0;
	do {
		if (mine > first)
			result = sys_call3(nr, first, mine - 1, args[2]);
		first = mine + 1;
	} while (!result && first <= last && next_of_ours(first, last, &mine));
	if (!result && first <= last)
		result = sys_call3(nr, first, last, args[2]);
	return result;
}

/* How programs look for open descriptors. */
long process_descriptor(long nr, const long args[6], uintptr_t caller)
{
	return is_ours((int)args[0]) ? -EBADF : call_buffers(nr, args, caller);
}

long process_dup(long nr, const long args[6], uintptr_t caller)
{
	(void)caller;
	if (is_ours((int)args[0]))
		return -EBADF;
	/* A vfork child's descriptors are its own. */
	if (!process_is_watched())
		return call_plain(nr, args);
	/* Give the number up: when we need one again, we open another. */
	if ((int)args[1] == trace_file_descriptor())
		trace_file_descriptor_leave();
	if ((int)args[1] == truth_descriptor())
		truth_child();
	if ((int)args[1] == userfault_descriptor())
		userfault_descriptor_leave();
	if ((int)args[1] == children_descriptor())
		children_descriptor_leave();
	return call_plain(nr, args);
}

/* Another user, or another root: what we opened before stays open. */
long process_rights(long nr, const long args[6], uintptr_t caller)
{
	if (process_is_watched())
		children_keep();
	return call_buffers(nr, args, caller);
}

/* --- start --- */

/* Registered first, hence called last. */
static void end_quickly(void)
{
	process_end(REPORT_EXIT);
}

void process_start(void)
{
	int time_stamp = 0;
	process_pid = (int)sys_call0(SYS_getpid);
	if (!sys_call2(SYS_prctl, PR_GET_TSC, &time_stamp) && time_stamp == PR_TSC_SIGSEGV)
		sys_clock = NULL;
	(void)at_quick_exit(end_quickly); /* refused when memory is out: then without a report */
	pthread_atfork(before_libc_fork, after_libc_fork_parent, after_libc_fork_child);
}
