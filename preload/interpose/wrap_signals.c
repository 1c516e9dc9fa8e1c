/*
 * libc's functions that set signal actions and masks, as the program calls them.
 *
 * The net sees their system calls while something is armed; before that these wrappers keep our
 * handlers reachable. Handlers of the program get our restorer, which is the same code as libc's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>

#include "calls.h"
#include "net.h"
#include "real.h"
#include "signals.h"

static sigmask_t interrupting; /* siginterrupt: `signal` sets no SA_RESTART for these */

static long kernel_call(long nr, long a, long b, long c, long d, uintptr_t caller)
{
	return call_libc(nr, (const long[6]){a, b, c, d}, caller);
}

static int set_action(int signal, const struct action *new, struct action *old, uintptr_t caller)
{
	if (signal < 1 || signal > 64 || (SIGMASK(signal) & LIBC_SIGNALS)) {
		errno = EINVAL;
		return -1;
	}
	return (int)kernel_call(SYS_rt_sigaction, signal, (long)new, (long)old, sizeof(sigmask_t),
				caller);
}

EXPORT int sigaction(int signal, const struct sigaction *new, struct sigaction *old)
{
	struct action kernel_new, kernel_old;
	if (new) {
		kernel_new.handler = (void *)new->sa_sigaction;
		kernel_new.flags = (unsigned long)(unsigned)new->sa_flags | SA_RESTORER_FLAG;
		kernel_new.restorer = sys_restorer;
		memcpy(&kernel_new.mask, &new->sa_mask, sizeof(kernel_new.mask));
	}
	int result = set_action(signal, new ? &kernel_new : NULL, old ? &kernel_old : NULL, CALLER);
	if (result || !old)
		return result;
	old->sa_sigaction = (void (*)(int, siginfo_t *, void *))kernel_old.handler;
	old->sa_flags = (int)kernel_old.flags;
	old->sa_restorer = kernel_old.restorer;
	memset(&old->sa_mask, 0, sizeof(old->sa_mask));
	memcpy(&old->sa_mask, &kernel_old.mask, sizeof(kernel_old.mask));
	return 0;
}

static sighandler_t set_handler(int number, sighandler_t handler, unsigned long flags,
				sigmask_t mask, uintptr_t caller)
{
	const struct action new = {
		.handler = (void *)handler,
		.flags = flags | SA_RESTORER_FLAG,
		.restorer = sys_restorer,
		.mask = mask,
	};
	struct action old;
	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	return set_action(number, &new, &old, caller) ? SIG_ERR : (sighandler_t)old.handler;
}

static sighandler_t set_bsd(int number, sighandler_t handler, uintptr_t caller)
{
	sigmask_t self = number >= 1 && number <= 64 ? SIGMASK(number) : 0;
	return set_handler(number, handler, self & interrupting ? 0 : SA_RESTART, self, caller);
}

EXPORT sighandler_t signal(int number, sighandler_t handler)
{
	return set_bsd(number, handler, CALLER);
}

EXPORT sighandler_t ssignal(int number, sighandler_t handler)
{
	return set_bsd(number, handler, CALLER);
}

sighandler_t bsd_signal(int number, sighandler_t handler);
EXPORT sighandler_t bsd_signal(int number, sighandler_t handler)
{
	return set_bsd(number, handler, CALLER);
}

EXPORT sighandler_t sysv_signal(int number, sighandler_t handler)
{
	return set_handler(number, handler, SA_RESETHAND | SA_NODEFER, 0, CALLER);
}

EXPORT sighandler_t __sysv_signal(int number, sighandler_t handler)
{
	return set_handler(number, handler, SA_RESETHAND | SA_NODEFER, 0, CALLER);
}

EXPORT int siginterrupt(int number, int interrupt)
{
	struct sigaction action;
	if (sigaction(number, NULL, &action))
		return -1;
	if (interrupt) {
		interrupting |= SIGMASK(number);
		action.sa_flags &= ~SA_RESTART;
	} else {
		interrupting &= ~SIGMASK(number);
		action.sa_flags |= SA_RESTART;
	}
	return sigaction(number, &action, NULL);
}

static long set_mask(int how, const sigset_t *set, sigset_t *old, uintptr_t caller)
{
	sigmask_t mask = 0;
	if (set) {
		memcpy(&mask, set, sizeof(mask));
		if (how != SIG_UNBLOCK)
			mask &= ~LIBC_SIGNALS;
	}
	return call_issue(SYS_rt_sigprocmask,
			  (const long[6]){how, set ? (long)&mask : 0, (long)old, sizeof(mask)},
			  caller);
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	long result = set_mask(how, set, old, CALLER);
	if (!result)
		return 0;
	errno = (int)-result;
	return -1;
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)-set_mask(how, set, old, CALLER);
}

EXPORT int sigaltstack(const stack_t *new, stack_t *old)
{
	return (int)kernel_call(SYS_sigaltstack, (long)new, (long)old, 0, 0, CALLER);
}

/*
 * libc makes the system calls of these itself, and the net sees them. While they wait, handlers run
 * with their mask: the net must not come on only then, see net.h.
 */
static void see_mask(const sigset_t *set)
{
	sigmask_t mask = 0;
	if (set)
		memcpy(&mask, set, sizeof(mask));
	if (mask & signals_hidden)
		net_keep();
}

EXPORT int sigsuspend(const sigset_t *set)
{
	REAL(sigsuspend);
	see_mask(set);
	return real_sigsuspend(set);
}

EXPORT int pselect(int count, fd_set *reading, fd_set *writing, fd_set *excepted,
		   const struct timespec *timeout, const sigset_t *set)
{
	REAL(pselect);
	see_mask(set);
	return real_pselect(count, reading, writing, excepted, timeout, set);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void see_signal(int number)
{
	if (number >= 1 && number <= SIGNALS_MOST && SIGMASK(number) & signals_held())
		net_keep();
}

EXPORT sighandler_t sigset(int number, sighandler_t handler)
{
	REAL(sigset);
	see_signal(number);
	return real_sigset(number, handler);
}

EXPORT int sighold(int number)
{
	REAL(sighold);
	see_signal(number);
	return real_sighold(number);
}

EXPORT int sigignore(int number)
{
	REAL(sigignore);
	see_signal(number);
	return real_sigignore(number);
}
