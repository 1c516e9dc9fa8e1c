/* libc's functions that read and write descriptors. */
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "door.h"

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t size, __off64_t offset, size_t room);

EXPORT ssize_t read(int fd, void *buffer, size_t size)
{
	DOOR(read, fd, buffer, size);
	return call_point(SYS_read, ARGS(fd, (long)buffer, (long)size), CALLER);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t size)
{
	DOOR(write, fd, buffer, size);
	return call_point(SYS_write, ARGS(fd, (long)buffer, (long)size), CALLER);
}

EXPORT ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	DOOR(pread, fd, buffer, size, offset);
	return call_point(SYS_pread64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}

EXPORT ssize_t pread64(int fd, void *buffer, size_t size, __off64_t offset)
{
	DOOR(pread64, fd, buffer, size, offset);
	return call_point(SYS_pread64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}

EXPORT ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	DOOR(pwrite, fd, buffer, size, offset);
	return call_point(SYS_pwrite64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}

EXPORT ssize_t pwrite64(int fd, const void *buffer, size_t size, __off64_t offset)
{
	DOOR(pwrite64, fd, buffer, size, offset);
	return call_point(SYS_pwrite64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
	DOOR(readv, fd, parts, count);
	return call_point(SYS_readv, ARGS(fd, (long)parts, count), CALLER);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	DOOR(writev, fd, parts, count);
	return call_point(SYS_writev, ARGS(fd, (long)parts, count), CALLER);
}

/* A 64-bit kernel takes the whole offset from the first of its two arguments. */
EXPORT ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
	DOOR(preadv, fd, parts, count, offset);
	return call_point(SYS_preadv, ARGS(fd, (long)parts, count, offset), CALLER);
}

EXPORT ssize_t preadv64(int fd, const struct iovec *parts, int count, __off64_t offset)
{
	DOOR(preadv64, fd, parts, count, offset);
	return call_point(SYS_preadv, ARGS(fd, (long)parts, count, offset), CALLER);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	DOOR(pwritev, fd, parts, count, offset);
	return call_point(SYS_pwritev, ARGS(fd, (long)parts, count, offset), CALLER);
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int count, __off64_t offset)
{
	DOOR(pwritev64, fd, parts, count, offset);
	return call_point(SYS_pwritev, ARGS(fd, (long)parts, count, offset), CALLER);
}

EXPORT off_t lseek(int fd, off_t offset, int whence)
{
	DOOR(lseek, fd, offset, whence);
	return call_libc(SYS_lseek, ARGS(fd, offset, whence), CALLER);
}

EXPORT __off64_t lseek64(int fd, __off64_t offset, int whence)
{
	DOOR(lseek64, fd, offset, whence);
	return call_libc(SYS_lseek, ARGS(fd, offset, whence), CALLER);
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
	DOOR(sendfile, out, in, offset, size);
	return call_libc(SYS_sendfile, ARGS(out, in, (long)offset, (long)size), CALLER);
}

EXPORT ssize_t sendfile64(int out, int in, __off64_t *offset, size_t size)
{
	DOOR(sendfile64, out, in, offset, size);
	return call_libc(SYS_sendfile, ARGS(out, in, (long)offset, (long)size), CALLER);
}

EXPORT int fsync(int fd)
{
	DOOR(fsync, fd);
	return (int)call_point(SYS_fsync, ARGS(fd), CALLER);
}

EXPORT int fdatasync(int fd)
{
	DOOR(fdatasync, fd);
	return (int)call_point(SYS_fdatasync, ARGS(fd), CALLER);
}

/* --- as programs built with _FORTIFY_SOURCE call them: libc ends those that overflow --- */

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	DOOR(__read_chk, fd, buffer, size, room);
	if (size > room)
		return DOOR_REAL(__read_chk)(fd, buffer, size, room);
	return call_point(SYS_read, ARGS(fd, (long)buffer, (long)size), CALLER);
}

EXPORT ssize_t __pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room)
{
	DOOR(__pread_chk, fd, buffer, size, offset, room);
	if (size > room)
		return DOOR_REAL(__pread_chk)(fd, buffer, size, offset, room);
	return call_point(SYS_pread64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}

EXPORT ssize_t __pread64_chk(int fd, void *buffer, size_t size, __off64_t offset, size_t room)
{
	DOOR(__pread64_chk, fd, buffer, size, offset, room);
	if (size > room)
		return DOOR_REAL(__pread64_chk)(fd, buffer, size, offset, room);
	return call_point(SYS_pread64, ARGS(fd, (long)buffer, (long)size, offset), CALLER);
}
