/*
 * libc's functions that wait for descriptors. select and pselect are left to the net: libc converts
 * their timeouts, in ways that differ from version to version.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "door.h"

int __poll_chk(struct pollfd *polled, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t room);

EXPORT int poll(struct pollfd *polled, nfds_t count, int timeout)
{
	DOOR(poll, polled, count, timeout);
	return (int)call_point(SYS_poll, ARGS((long)polled, (long)count, timeout), CALLER);
}

/* The kernel stores the time that is left; libc gives it a copy. */
static int poll_until(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		      const sigset_t *mask, uintptr_t caller)
{
	struct timespec copy;
	if (timeout)
		copy = *timeout;
	return (int)call_point(SYS_ppoll,
			       ARGS((long)polled, (long)count, timeout ? (long)&copy : 0,
				    (long)mask, sizeof(sigmask_t)),
			       caller);
}

EXPORT int ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		 const sigset_t *mask)
{
	DOOR(ppoll, polled, count, timeout, mask);
	return poll_until(polled, count, timeout, mask, CALLER);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	DOOR(epoll_wait, fd, events, most, timeout);
	return (int)call_point(SYS_epoll_wait, ARGS(fd, (long)events, most, timeout), CALLER);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout,
		       const sigset_t *mask)
{
	DOOR(epoll_pwait, fd, events, most, timeout, mask);
	return (int)call_point(SYS_epoll_pwait,
			       ARGS(fd, (long)events, most, timeout, (long)mask, sizeof(sigmask_t)),
			       CALLER);
}

EXPORT int epoll_ctl(int fd, int operation, int of, struct epoll_event *event)
{
	DOOR(epoll_ctl, fd, operation, of, event);
	return (int)call_libc(SYS_epoll_ctl, ARGS(fd, operation, of, (long)event), CALLER);
}

/* --- as programs built with _FORTIFY_SOURCE call them: libc ends those that overflow --- */

EXPORT int __poll_chk(struct pollfd *polled, nfds_t count, int timeout, size_t room)
{
	DOOR(__poll_chk, polled, count, timeout, room);
	if (room / sizeof(*polled) < count)
		return DOOR_REAL(__poll_chk)(polled, count, timeout, room);
	return (int)call_point(SYS_poll, ARGS((long)polled, (long)count, timeout), CALLER);
}

EXPORT int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		       const sigset_t *mask, size_t room)
{
	DOOR(__ppoll_chk, polled, count, timeout, mask, room);
	if (room / sizeof(*polled) < count)
		return DOOR_REAL(__ppoll_chk)(polled, count, timeout, mask, room);
	return poll_until(polled, count, timeout, mask, CALLER);
}
