/*
 * libc's functions that sleep, wait for children, ask who we are, or make any system call at all.
 * The clock needs none: the kernel's vdso makes no system calls.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "net.h"

/* --- sleeping --- */

EXPORT int nanosleep(const struct timespec *time, struct timespec *left)
{
	DOOR(nanosleep, time, left);
	return (int)call_point(SYS_clock_nanosleep, ARGS(CLOCK_REALTIME, 0, (long)time, (long)left),
			       CALLER);
}

EXPORT int usleep(useconds_t microseconds)
{
	DOOR(usleep, microseconds);
	const struct timespec time = {.tv_sec = (long)(microseconds / 1000000),
				      .tv_nsec = (long)(microseconds % 1000000) * 1000};
	return (int)call_point(SYS_clock_nanosleep, ARGS(CLOCK_REALTIME, 0, (long)&time), CALLER);
}

/* --- children --- */

EXPORT pid_t wait(int *status)
{
	DOOR(wait, status);
	return (pid_t)call_point(SYS_wait4, ARGS(-1, (long)status), CALLER);
}

EXPORT pid_t waitpid(pid_t child, int *status, int options)
{
	DOOR(waitpid, child, status, options);
	return (pid_t)call_point(SYS_wait4, ARGS(child, (long)status, options), CALLER);
}

EXPORT pid_t wait4(pid_t child, int *status, int options, struct rusage *usage)
{
	DOOR(wait4, child, status, options, usage);
	return (pid_t)call_point(SYS_wait4, ARGS(child, (long)status, options, (long)usage),
				 CALLER);
}

EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	DOOR(waitid, type, id, info, options);
	return (int)call_point(SYS_waitid, ARGS(type, id, (long)info, options), CALLER);
}

/* --- identity --- */

EXPORT pid_t getpid(void)
{
	DOOR(getpid);
	return (pid_t)sys_call0(SYS_getpid);
}

EXPORT pid_t getppid(void)
{
	DOOR(getppid);
	return (pid_t)sys_call0(SYS_getppid);
}

EXPORT pid_t gettid(void)
{
	DOOR(gettid);
	return (pid_t)sys_call0(SYS_gettid);
}

EXPORT uid_t getuid(void)
{
	DOOR(getuid);
	return (uid_t)sys_call0(SYS_getuid);
}

EXPORT uid_t geteuid(void)
{
	DOOR(geteuid);
	return (uid_t)sys_call0(SYS_geteuid);
}

EXPORT gid_t getgid(void)
{
	DOOR(getgid);
	return (gid_t)sys_call0(SYS_getgid);
}

EXPORT gid_t getegid(void)
{
	DOOR(getegid);
	return (gid_t)sys_call0(SYS_getegid);
}

EXPORT int sched_yield(void)
{
	DOOR(sched_yield);
	return (int)sys_call0(SYS_sched_yield);
}

/* --- any call --- */

/* New tasks return twice: only the net knows how. A signal frame is where libc's would leave it. */
static bool returns_strangely(long nr)
{
	return nr == SYS_clone || nr == SYS_clone3 || nr == SYS_fork || nr == SYS_vfork ||
	       nr == SYS_rt_sigreturn;
}

EXPORT long syscall(long nr, ...)
{
	long args[6];
	va_list rest;
	va_start(rest, nr);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(rest, long);
	va_end(rest);
	if (nr == SYS_io_uring_setup || nr == SYS_userfaultfd)
		net_keep();
	DOOR(syscall, nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (door.real && returns_strangely(nr))
		return DOOR_REAL(syscall)(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	return call_libc(nr, args, CALLER);
}
