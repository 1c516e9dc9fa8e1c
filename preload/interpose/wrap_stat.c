/* libc's functions for the status of files, in the names of all times. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "door.h"

/* What programs built before glibc 2.33 call. */
int __xstat(int version, const char *path, struct stat *status);
int __xstat64(int version, const char *path, struct stat64 *status);
int __lxstat(int version, const char *path, struct stat *status);
int __lxstat64(int version, const char *path, struct stat64 *status);
int __fxstat(int version, int fd, struct stat *status);
int __fxstat64(int version, int fd, struct stat64 *status);
int __fxstatat(int version, int folder, const char *path, struct stat *status, int flags);
int __fxstatat64(int version, int folder, const char *path, struct stat64 *status, int flags);

EXPORT int stat(const char *path, struct stat *status)
{
	DOOR(stat, path, status);
	return (int)call_libc(SYS_stat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int stat64(const char *path, struct stat64 *status)
{
	DOOR(stat64, path, status);
	return (int)call_libc(SYS_stat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int lstat(const char *path, struct stat *status)
{
	DOOR(lstat, path, status);
	return (int)call_libc(SYS_lstat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int lstat64(const char *path, struct stat64 *status)
{
	DOOR(lstat64, path, status);
	return (int)call_libc(SYS_lstat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int fstat(int fd, struct stat *status)
{
	DOOR(fstat, fd, status);
	return (int)call_libc(SYS_fstat, ARGS(fd, (long)status), CALLER);
}

EXPORT int fstat64(int fd, struct stat64 *status)
{
	DOOR(fstat64, fd, status);
	return (int)call_libc(SYS_fstat, ARGS(fd, (long)status), CALLER);
}

EXPORT int fstatat(int folder, const char *path, struct stat *status, int flags)
{
	DOOR(fstatat, folder, path, status, flags);
	return (int)call_libc(SYS_newfstatat, ARGS(folder, (long)path, (long)status, flags),
			      CALLER);
}

EXPORT int fstatat64(int folder, const char *path, struct stat64 *status, int flags)
{
	DOOR(fstatat64, folder, path, status, flags);
	return (int)call_libc(SYS_newfstatat, ARGS(folder, (long)path, (long)status, flags),
			      CALLER);
}

/* libc does without it where the kernel has none. */
EXPORT int statx(int folder, const char *restrict path, int flags, unsigned mask,
		 struct statx *restrict status)
{
	DOOR(statx, folder, path, flags, mask, status);
	long result = call_issue(SYS_statx, ARGS(folder, (long)path, flags, mask, (long)status),
				 CALLER);
	if (!sys_failed(result))
		return (int)result;
	if (result == -ENOSYS && door.real)
		return DOOR_REAL(statx)(folder, path, flags, mask, status);
	errno = (int)-result;
	return -1;
}

/* --- version 1, and on x86-64 also 0, is the kernel's; libc refuses the others --- */

#define KNOWN(version) ((version) == 0 || (version) == 1)

#define OLD_DOOR(function, version, ...) \
	DOOR(function, version, __VA_ARGS__); \
	if (!KNOWN(version) && door.real) \
	return DOOR_REAL(function)(version, __VA_ARGS__)

EXPORT int __xstat(int version, const char *path, struct stat *status)
{
	OLD_DOOR(__xstat, version, path, status);
	return (int)call_libc(SYS_stat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int __xstat64(int version, const char *path, struct stat64 *status)
{
	OLD_DOOR(__xstat64, version, path, status);
	return (int)call_libc(SYS_stat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int __lxstat(int version, const char *path, struct stat *status)
{
	OLD_DOOR(__lxstat, version, path, status);
	return (int)call_libc(SYS_lstat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int __lxstat64(int version, const char *path, struct stat64 *status)
{
	OLD_DOOR(__lxstat64, version, path, status);
	return (int)call_libc(SYS_lstat, ARGS((long)path, (long)status), CALLER);
}

EXPORT int __fxstat(int version, int fd, struct stat *status)
{
	OLD_DOOR(__fxstat, version, fd, status);
	return (int)call_libc(SYS_fstat, ARGS(fd, (long)status), CALLER);
}

EXPORT int __fxstat64(int version, int fd, struct stat64 *status)
{
	OLD_DOOR(__fxstat64, version, fd, status);
	return (int)call_libc(SYS_fstat, ARGS(fd, (long)status), CALLER);
}

EXPORT int __fxstatat(int version, int folder, const char *path, struct stat *status, int flags)
{
	OLD_DOOR(__fxstatat, version, folder, path, status, flags);
	return (int)call_libc(SYS_newfstatat, ARGS(folder, (long)path, (long)status, flags),
			      CALLER);
}

EXPORT int __fxstatat64(int version, int folder, const char *path, struct stat64 *status, int flags)
{
	OLD_DOOR(__fxstatat64, version, folder, path, status, flags);
	return (int)call_libc(SYS_newfstatat, ARGS(folder, (long)path, (long)status, flags),
			      CALLER);
}
