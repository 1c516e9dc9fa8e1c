/* libc's functions for sockets. */
#include <sys/socket.h>

#include "door.h"

ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
		       __SOCKADDR_ARG address, socklen_t *length);

#define ADDRESS(argument) ((long)(argument).__sockaddr__)

EXPORT ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	DOOR(recv, fd, buffer, size, flags);
	return call_point(SYS_recvfrom, ARGS(fd, (long)buffer, (long)size, flags), CALLER);
}

EXPORT ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, __SOCKADDR_ARG address,
			socklen_t *length)
{
	DOOR(recvfrom, fd, buffer, size, flags, address, length);
	return call_point(SYS_recvfrom,
			  ARGS(fd, (long)buffer, (long)size, flags, ADDRESS(address), (long)length),
			  CALLER);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	DOOR(recvmsg, fd, message, flags);
	return call_point(SYS_recvmsg, ARGS(fd, (long)message, flags), CALLER);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	DOOR(recvmmsg, fd, messages, count, flags, timeout);
	return (int)call_point(SYS_recvmmsg, ARGS(fd, (long)messages, count, flags, (long)timeout),
			       CALLER);
}

EXPORT ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
	DOOR(send, fd, buffer, size, flags);
	return call_point(SYS_sendto, ARGS(fd, (long)buffer, (long)size, flags), CALLER);
}

EXPORT ssize_t sendto(int fd, const void *buffer, size_t size, int flags,
		      __CONST_SOCKADDR_ARG address, socklen_t length)
{
	DOOR(sendto, fd, buffer, size, flags, address, length);
	return call_point(SYS_sendto,
			  ARGS(fd, (long)buffer, (long)size, flags, ADDRESS(address), length),
			  CALLER);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	DOOR(sendmsg, fd, message, flags);
	return call_point(SYS_sendmsg, ARGS(fd, (long)message, flags), CALLER);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	DOOR(sendmmsg, fd, messages, count, flags);
	return (int)call_point(SYS_sendmmsg, ARGS(fd, (long)messages, count, flags), CALLER);
}

EXPORT int accept(int fd, __SOCKADDR_ARG address, socklen_t *length)
{
	DOOR(accept, fd, address, length);
	return (int)call_point(SYS_accept, ARGS(fd, ADDRESS(address), (long)length), CALLER);
}

EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *length, int flags)
{
	DOOR(accept4, fd, address, length, flags);
	return (int)call_point(SYS_accept4, ARGS(fd, ADDRESS(address), (long)length, flags),
			       CALLER);
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	DOOR(connect, fd, address, length);
	return (int)call_point(SYS_connect, ARGS(fd, ADDRESS(address), length), CALLER);
}

EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	DOOR(bind, fd, address, length);
	return (int)call_libc(SYS_bind, ARGS(fd, ADDRESS(address), length), CALLER);
}

EXPORT int listen(int fd, int backlog)
{
	DOOR(listen, fd, backlog);
	return (int)call_libc(SYS_listen, ARGS(fd, backlog), CALLER);
}

EXPORT int shutdown(int fd, int how)
{
	DOOR(shutdown, fd, how);
	return (int)call_libc(SYS_shutdown, ARGS(fd, how), CALLER);
}

EXPORT int socket(int domain, int type, int protocol)
{
	DOOR(socket, domain, type, protocol);
	return (int)call_libc(SYS_socket, ARGS(domain, type, protocol), CALLER);
}

EXPORT int socketpair(int domain, int type, int protocol, int ends[2])
{
	DOOR(socketpair, domain, type, protocol, ends);
	return (int)call_libc(SYS_socketpair, ARGS(domain, type, protocol, (long)ends), CALLER);
}

EXPORT int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *length)
{
	DOOR(getsockname, fd, address, length);
	return (int)call_libc(SYS_getsockname, ARGS(fd, ADDRESS(address), (long)length), CALLER);
}

EXPORT int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *length)
{
	DOOR(getpeername, fd, address, length);
	return (int)call_libc(SYS_getpeername, ARGS(fd, ADDRESS(address), (long)length), CALLER);
}

EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	DOOR(getsockopt, fd, level, name, value, length);
	return (int)call_libc(SYS_getsockopt, ARGS(fd, level, name, (long)value, (long)length),
			      CALLER);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	DOOR(setsockopt, fd, level, name, value, length);
	return (int)call_libc(SYS_setsockopt, ARGS(fd, level, name, (long)value, length), CALLER);
}

/* --- as programs built with _FORTIFY_SOURCE call them: libc ends those that overflow --- */

EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
	DOOR(__recv_chk, fd, buffer, size, room, flags);
	if (size > room)
		return DOOR_REAL(__recv_chk)(fd, buffer, size, room, flags);
	return call_point(SYS_recvfrom, ARGS(fd, (long)buffer, (long)size, flags), CALLER);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
			      __SOCKADDR_ARG address, socklen_t *length)
{
	DOOR(__recvfrom_chk, fd, buffer, size, room, flags, address, length);
	if (size > room)
		return DOOR_REAL(__recvfrom_chk)(fd, buffer, size, room, flags, address, length);
	return call_point(SYS_recvfrom,
			  ARGS(fd, (long)buffer, (long)size, flags, ADDRESS(address), (long)length),
			  CALLER);
}
