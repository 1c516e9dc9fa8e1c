/* libc's functions that change memory, as the program calls them. */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "calls.h"
#include "real.h"

#define ARGS(...) ((const long[6]){__VA_ARGS__})

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	return (void *)call_libc(
		SYS_mmap, ARGS((long)address, (long)length, protection, flags, fd, offset), CALLER);
}

EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd,
		    __off64_t offset)
{
	return (void *)call_libc(
		SYS_mmap, ARGS((long)address, (long)length, protection, flags, fd, offset), CALLER);
}

EXPORT int munmap(void *address, size_t length)
{
	return (int)call_libc(SYS_munmap, ARGS((long)address, (long)length), CALLER);
}

EXPORT void *mremap(void *address, size_t old_length, size_t new_length, int flags, ...)
{
	void *target = NULL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_list rest;
		va_start(rest, flags);
		target = va_arg(rest, void *);
		va_end(rest);
	}
	return (void *)call_libc(
		SYS_mremap,
		ARGS((long)address, (long)old_length, (long)new_length, flags, (long)target),
		CALLER);
}

EXPORT int mprotect(void *address, size_t length, int protection)
{
	return (int)call_libc(SYS_mprotect, ARGS((long)address, (long)length, protection), CALLER);
}

/* libc's: a key of -1 is plain mprotect. */
EXPORT int pkey_mprotect(void *address, size_t length, int protection, int key)
{
	if (key == -1)
		return (int)call_libc(SYS_mprotect, ARGS((long)address, (long)length, protection),
				      CALLER);
	return (int)call_libc(SYS_pkey_mprotect, ARGS((long)address, (long)length, protection, key),
			      CALLER);
}

EXPORT int madvise(void *address, size_t length, int advice)
{
	return (int)call_libc(SYS_madvise, ARGS((long)address, (long)length, advice), CALLER);
}

/* Returns an error number, and does not carry out POSIX_MADV_DONTNEED, as in libc. */
EXPORT int posix_madvise(void *address, size_t length, int advice)
{
	if (advice == POSIX_MADV_DONTNEED)
		return 0;
	return (int)-call_issue(SYS_madvise, ARGS((long)address, (long)length, advice), CALLER);
}

EXPORT void *shmat(int id, const void *address, int flags)
{
	return (void *)call_libc(SYS_shmat, ARGS(id, (long)address, flags), CALLER);
}

EXPORT int mlock(const void *address, size_t length)
{
	return (int)call_libc(SYS_mlock, ARGS((long)address, (long)length), CALLER);
}

EXPORT int mlock2(const void *address, size_t length, unsigned flags)
{
	if (!flags)
		return (int)call_libc(SYS_mlock, ARGS((long)address, (long)length), CALLER);
	return (int)call_libc(SYS_mlock2, ARGS((long)address, (long)length, flags), CALLER);
}

EXPORT int mlockall(int flags)
{
	return (int)call_libc(SYS_mlockall, ARGS(flags), CALLER);
}
