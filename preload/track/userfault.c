#include "userfault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "base/descriptor.h"
#include "base/sys.h"

/* Newer than the oldest headers that we build with. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif

static bool allowed;
static _Atomic int descriptor = -1;
static _Atomic unsigned lent; /* tasks on our memory with descriptors of their own */

static int open_new(void)
{
	struct uffdio_api api = {.api = UFFD_API,
				 .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_WP_UNPOPULATED |
					     UFFD_FEATURE_PAGEFAULT_FLAG_WP};
	long fd = sys_call1(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (sys_failed(fd))
		return (int)fd;
	long error = sys_call3(SYS_ioctl, fd, UFFDIO_API, &api);
	if (error) {
		sys_call1(SYS_close, fd);
		return (int)error;
	}
	return descriptor_move_up((int)fd);
}

/* A filter may kill for a call that it does not know. */
static bool is_filtered(void)
{
	return sys_call1(SYS_prctl, PR_GET_SECCOMP) != 0;
}

bool userfault_start(void)
{
	int fd = is_filtered() ? -EPERM : open_new();
	allowed = fd >= 0;
	if (allowed)
		sys_call1(SYS_close, fd);
	return allowed;
}

/* Looked at again after the opening: a task that was lent our memory meanwhile may have come first. */
bool userfault_ready(void)
{
	if (!allowed || atomic_load(&descriptor) >= 0)
		return allowed;
	if (atomic_load(&lent))
		return false;
	int fd = open_new();
	allowed = fd >= 0;
	if (allowed && atomic_load(&lent))
		sys_call1(SYS_close, fd);
	else
		atomic_store(&descriptor, allowed ? fd : -1);
	return atomic_load(&descriptor) >= 0;
}

void userfault_lend(void)
{
	atomic_fetch_add(&lent, 1);
}

void userfault_lend_end(void)
{
	atomic_fetch_sub(&lent, 1);
}

void userfault_end(void)
{
	allowed = false;
	userfault_child();
}

static int request(unsigned long request, void *argument)
{
	return (int)sys_call3(SYS_ioctl, atomic_load(&descriptor), request, argument);
}

int userfault_register(uintptr_t start, uintptr_t end)
{
	struct uffdio_register range = {.range = {.start = start, .len = end - start},
					.mode = UFFDIO_REGISTER_MODE_WP};
	return request(UFFDIO_REGISTER, &range);
}

int userfault_unregister(uintptr_t start, uintptr_t end)
{
	struct uffdio_range range = {.start = start, .len = end - start};
	return request(UFFDIO_UNREGISTER, &range);
}

static int set_protected(uintptr_t start, uintptr_t end, bool on)
{
	struct uffdio_writeprotect range = {.range = {.start = start, .len = end - start},
					    .mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0};
	return request(UFFDIO_WRITEPROTECT, &range);
}

int userfault_protect(uintptr_t start, uintptr_t end)
{
	return set_protected(start, end, true);
}

int userfault_open(uintptr_t start, uintptr_t end)
{
	return set_protected(start, end, false);
}

int userfault_descriptor(void)
{
	return atomic_load(&descriptor);
}

void userfault_descriptor_leave(void)
{
	long other = sys_call3(SYS_fcntl, atomic_load(&descriptor), F_DUPFD_CLOEXEC, 3);
	if (other >= 0) {
		other = descriptor_move_up((int)other);
		sys_call1(SYS_close, atomic_exchange(&descriptor, (int)other));
	}
}

void userfault_child(void)
{
	atomic_store(&lent, 0);
	int fd = atomic_exchange(&descriptor, -1);
	if (fd >= 0)
		sys_call1(SYS_close, fd);
}
