/*
 * libc's functions for files and their names. Those that do more than one system call are left to
 * the net (getcwd, faccessat, opendir, readdir, ...).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "door.h"

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);
ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room);
ssize_t __readlinkat_chk(int folder, const char *path, char *buffer, size_t size, size_t room);

/* The third or fourth argument is there only where the second says so. */
#define NEEDS_MODE(flags) (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE)

#define TAKE_MODE(flags) \
	mode_t mode = 0; \
	if (NEEDS_MODE(flags)) { \
		va_list rest; \
		va_start(rest, flags); \
		mode = va_arg(rest, mode_t); \
		va_end(rest); \
	}

static int open_at(int folder, const char *path, int flags, mode_t mode, uintptr_t caller)
{
	return (int)call_point(SYS_openat, ARGS(folder, (long)path, flags, mode), caller);
}

EXPORT int open(const char *path, int flags, ...)
{
	TAKE_MODE(flags);
	DOOR(open, path, flags, mode);
	return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int open64(const char *path, int flags, ...)
{
	TAKE_MODE(flags);
	DOOR(open64, path, flags, mode);
	return open_at(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
	TAKE_MODE(flags);
	DOOR(openat, folder, path, flags, mode);
	return open_at(folder, path, flags, mode, CALLER);
}

EXPORT int openat64(int folder, const char *path, int flags, ...)
{
	TAKE_MODE(flags);
	DOOR(openat64, folder, path, flags, mode);
	return open_at(folder, path, flags, mode, CALLER);
}

EXPORT int close(int fd)
{
	DOOR(close, fd);
	return (int)call_point(SYS_close, ARGS(fd), CALLER);
}

EXPORT int dup(int fd)
{
	DOOR(dup, fd);
	return (int)call_libc(SYS_dup, ARGS(fd), CALLER);
}

EXPORT int dup2(int fd, int to)
{
	DOOR(dup2, fd, to);
	return (int)call_libc(SYS_dup2, ARGS(fd, to), CALLER);
}

EXPORT int dup3(int fd, int to, int flags)
{
	DOOR(dup3, fd, to, flags);
	return (int)call_libc(SYS_dup3, ARGS(fd, to, flags), CALLER);
}

EXPORT int pipe(int ends[2])
{
	DOOR(pipe, ends);
	return (int)call_libc(SYS_pipe, ARGS((long)ends), CALLER);
}

EXPORT int pipe2(int ends[2], int flags)
{
	DOOR(pipe2, ends, flags);
	return (int)call_libc(SYS_pipe2, ARGS((long)ends, flags), CALLER);
}

EXPORT int ftruncate(int fd, off_t size)
{
	DOOR(ftruncate, fd, size);
	return (int)call_libc(SYS_ftruncate, ARGS(fd, size), CALLER);
}

EXPORT int ftruncate64(int fd, __off64_t size)
{
	DOOR(ftruncate64, fd, size);
	return (int)call_libc(SYS_ftruncate, ARGS(fd, size), CALLER);
}

EXPORT int access(const char *path, int mode)
{
	DOOR(access, path, mode);
	return (int)call_libc(SYS_access, ARGS((long)path, mode), CALLER);
}

EXPORT ssize_t readlink(const char *path, char *buffer, size_t size)
{
	DOOR(readlink, path, buffer, size);
	return call_libc(SYS_readlink, ARGS((long)path, (long)buffer, (long)size), CALLER);
}

EXPORT ssize_t readlinkat(int folder, const char *path, char *buffer, size_t size)
{
	DOOR(readlinkat, folder, path, buffer, size);
	return call_libc(SYS_readlinkat, ARGS(folder, (long)path, (long)buffer, (long)size),
			 CALLER);
}

EXPORT ssize_t getdents64(int fd, void *buffer, size_t size)
{
	DOOR(getdents64, fd, buffer, size);
	return call_libc(SYS_getdents64,
			 ARGS(fd, (long)buffer, size > INT_MAX ? INT_MAX : (long)size), CALLER);
}

/* --- commands: the argument is there or not, and is passed on whatever it is --- */

#define TAKE_ARGUMENT(last) \
	va_list rest; \
	va_start(rest, last); \
	void *argument = va_arg(rest, void *); \
	va_end(rest)

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	TAKE_ARGUMENT(request);
	DOOR(ioctl, fd, request, argument);
	return (int)call_libc(SYS_ioctl, ARGS(fd, (long)request, (long)argument), CALLER);
}

/* Whether libc's fcntl is more than the system call, or waits. */
static bool command_is_plain(int command)
{
	return command != F_GETOWN && command != F_SETLKW && command != F_OFD_SETLKW;
}

EXPORT int fcntl(int fd, int command, ...)
{
	TAKE_ARGUMENT(command);
	DOOR(fcntl, fd, command, argument);
	if (door.real && !command_is_plain(command))
		return DOOR_REAL(fcntl)(fd, command, argument);
	return (int)call_libc(SYS_fcntl, ARGS(fd, command, (long)argument), CALLER);
}

EXPORT int fcntl64(int fd, int command, ...)
{
	TAKE_ARGUMENT(command);
	DOOR(fcntl64, fd, command, argument);
	if (door.real && !command_is_plain(command))
		return DOOR_REAL(fcntl64)(fd, command, argument);
	return (int)call_libc(SYS_fcntl, ARGS(fd, command, (long)argument), CALLER);
}

/* --- as programs built with _FORTIFY_SOURCE call them: libc ends those that are wrong --- */

EXPORT int __open_2(const char *path, int flags)
{
	DOOR(__open_2, path, flags);
	if (NEEDS_MODE(flags))
		return DOOR_REAL(__open_2)(path, flags);
	return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

EXPORT int __open64_2(const char *path, int flags)
{
	DOOR(__open64_2, path, flags);
	if (NEEDS_MODE(flags))
		return DOOR_REAL(__open64_2)(path, flags);
	return open_at(AT_FDCWD, path, flags, 0, CALLER);
}

EXPORT int __openat_2(int folder, const char *path, int flags)
{
	DOOR(__openat_2, folder, path, flags);
	if (NEEDS_MODE(flags))
		return DOOR_REAL(__openat_2)(folder, path, flags);
	return open_at(folder, path, flags, 0, CALLER);
}

EXPORT int __openat64_2(int folder, const char *path, int flags)
{
	DOOR(__openat64_2, folder, path, flags);
	if (NEEDS_MODE(flags))
		return DOOR_REAL(__openat64_2)(folder, path, flags);
	return open_at(folder, path, flags, 0, CALLER);
}

EXPORT ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t room)
{
	DOOR(__readlink_chk, path, buffer, size, room);
	if (size > room)
		return DOOR_REAL(__readlink_chk)(path, buffer, size, room);
	return call_libc(SYS_readlink, ARGS((long)path, (long)buffer, (long)size), CALLER);
}

EXPORT ssize_t __readlinkat_chk(int folder, const char *path, char *buffer, size_t size,
				size_t room)
{
	DOOR(__readlinkat_chk, folder, path, buffer, size, room);
	if (size > room)
		return DOOR_REAL(__readlinkat_chk)(folder, path, buffer, size, room);
	return call_libc(SYS_readlinkat, ARGS(folder, (long)path, (long)buffer, (long)size),
			 CALLER);
}
