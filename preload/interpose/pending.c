/*
 * SIGSEGV, SIGSYS and SIGBUS that were sent while the program blocks them.
 *
 * In the kernel they are never blocked, so they arrive at once, and are kept here until the program
 * unblocks them or waits for them. What was sent to the process is kept by the thread that it
 * arrived at, unless another thread waits for it. A signalfd does not see what is kept.
 */
#include <errno.h>
#include <string.h>

#include "calls.h"
#include "signals.h"
#include "track/fault.h"
#include "track/threads.h"

static const int signals[] = {SIGSEGV, SIGSYS, SIGBUS};
#define SIGNALS (sizeof(signals) / sizeof(*signals))

enum { TO_THREAD, TO_PROCESS };

static siginfo_t *kept_info(struct thread *self, int to, int signal)
{
	return &self->kept_info[to][signal == SIGSYS ? 1 : signal == SIGBUS ? 2 : 0];
}

static bool pass_to_waiter(const struct thread *self, const siginfo_t *info)
{
	if (info->si_code == SI_TKILL)
		return false;
	for (struct thread *t = thread_first(); t; t = thread_next(t)) {
		if (t == self || !(t->awaits & SIGMASK(info->si_signo)))
			continue;
		/* The kernel lets nobody send this siginfo to another thread. */
		*kept_info(t, TO_PROCESS, info->si_signo) = *info;
		t->handed = true;
		sys_call3(SYS_tgkill, process_pid, atomic_load(&t->tid), info->si_signo);
		return true;
	}
	return false;
}

void pending_keep(struct thread *self, siginfo_t *info)
{
	int to = info->si_code == SI_TKILL ? TO_THREAD : TO_PROCESS;
	if (pass_to_waiter(self, info) || (self->kept[to] & SIGMASK(info->si_signo)))
		return;
	*kept_info(self, to, info->si_signo) = *info;
	self->kept[to] |= SIGMASK(info->si_signo);
}

bool pending_any(const struct thread *self)
{
	return self->kept[TO_THREAD] | self->kept[TO_PROCESS];
}

void pending_drop(struct thread *self)
{
	self->kept[TO_THREAD] = self->kept[TO_PROCESS] = 0;
}

static bool take(struct thread *self, int signal, siginfo_t *info)
{
	for (int to = TO_THREAD; to <= TO_PROCESS; to++) {
		if (!(self->kept[to] & SIGMASK(signal)))
			continue;
		self->kept[to] &= ~SIGMASK(signal);
		*info = *kept_info(self, to, signal);
		return true;
	}
	return false;
}

bool pending_release(struct thread *self, sigmask_t blocked)
{
	bool any = false;
	siginfo_t info;
	for (unsigned i = 0; i < SIGNALS; i++) {
		if ((blocked & SIGMASK(signals[i])) || !take(self, signals[i], &info))
			continue;
		any = true;
		sys_call4(SYS_rt_tgsigqueueinfo, sys_call0(SYS_getpid), sys_call0(SYS_gettid),
			  info.si_signo, &info);
	}
	return any;
}

long pending_show(long nr, const long args[6], uintptr_t caller)
{
	const struct thread *self = thread_self();
	sigmask_t pending = 0;
	if (!self || !pending_any(self) || (unsigned long)args[1] > sizeof(pending))
		return call_buffers(nr, args, caller);
	long result = sys_call2(nr, &pending, sizeof(pending));
	if (result)
		return result;
	pending |= self->kept[TO_THREAD] | self->kept[TO_PROCESS];
	return call_write_program((void *)args[0], &pending, (size_t)args[1]);
}

static long take_awaited(struct thread *self, sigmask_t set, void *info_out)
{
	siginfo_t info;
	for (unsigned i = 0; i < SIGNALS; i++) {
		if (!(set & SIGMASK(signals[i])) || !take(self, signals[i], &info))
			continue;
		return info_out && call_write_program(info_out, &info, sizeof(info)) ? -EFAULT
										     : signals[i];
	}
	return 0;
}

long pending_wait(long nr, const long args[6], uintptr_t caller)
{
	struct thread *self = thread_meet();
	sigmask_t set;
	if (!self || args[3] != sizeof(set) || sys_copy(&set, (const void *)args[0], sizeof(set)) ||
	    !(set & signals_hidden))
		return call_buffers(nr, args, caller);
	long result = take_awaited(self, set, (void *)args[1]);
	if (result)
		return result;
	self->awaits = set;
	result = call_buffers(nr, args, caller);
	self->awaits = 0;
	if (self->handed && result > 0 && args[1])
		call_write_program((void *)args[1], kept_info(self, TO_PROCESS, (int)result),
				   sizeof(siginfo_t));
	self->handed = false;
	return result;
}
