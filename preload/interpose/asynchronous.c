/* What sets up writes of the kernel that no later call announces. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/stat.h>

#include "adopt.h"
#include "base/text.h"
#include "calls.h"
#include "track/kernel_writes.h"
#include "track/lock.h"
#include "track/mappings.h"
#include "track/rings.h"

static void give_up_all(void)
{
	sigmask_t mask;
	lock_write_masked(&mask);
	mappings_give_up_all(REGION_ASYNCHRONOUS);
	lock_write_end_masked(&mask);
}

static int read_program(void *to, uintptr_t from, uintptr_t length)
{
	return sys_copy(to, (const void *)from, length);
}

/* --- descriptors --- */

#define KIND_MOST 32

/* What /proc/self/fd says of descriptors that are no files. */
#define KIND_RING "anon_inode:[io_uring]"
#define KIND_FAULTS "anon_inode:[userfaultfd]"
#define KIND_GUEST "anon_inode:kvm-vm"

static void kind_of(const char *fd, char kind[KIND_MOST])
{
	char path[64];
	struct text text;
	text_start(&text, -1, path, sizeof(path));
	text_string(&text, "/proc/self/fd/");
	text_bytes(&text, fd, strlen(fd) + 1);
	long length = sys_call3(SYS_readlink, path, kind, KIND_MOST - 1);
	kind[length > 0 ? length : 0] = 0;
}

static bool is_ring(int fd)
{
	char digits[16], kind[KIND_MOST];
	struct text text;
	if (fd < 0)
		return false;
	text_start(&text, -1, digits, sizeof(digits));
	text_decimal(&text, (uint64_t)fd);
	text_bytes(&text, "", 1);
	kind_of(digits, kind);
	return !strcmp(kind, KIND_RING);
}

static bool writes_unseen(const char *fd)
{
	char kind[KIND_MOST];
	kind_of(fd, kind);
	return !strcmp(kind, KIND_RING) || !strcmp(kind, KIND_FAULTS) || !strcmp(kind, KIND_GUEST);
}

static bool any_writes_unseen(int folder)
{
	char entries[1024] __attribute__((aligned(8)));
	long length;
	while ((length = sys_call3(SYS_getdents64, folder, entries, sizeof(entries))) > 0) {
		const struct dirent64 *entry;
		for (long at = 0; at < length; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			if (writes_unseen(entry->d_name))
				return true;
		}
	}
	return false;
}

void asynchronous_start(void)
{
	long folder = sys_call3(SYS_open, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (folder < 0)
		return;
	if (any_writes_unseen((int)folder))
		give_up_all();
	sys_call1(SYS_close, folder);
}

/* --- io_uring --- */

long asynchronous_ring_setup(long nr, const long args[6], uintptr_t caller)
{
	struct ring_parameters parameters;
	sigmask_t mask;
	long result = kernel_writes_call(nr, args, caller);
	if (sys_failed(result))
		return result;
	if (read_program(&parameters, (uintptr_t)args[1], sizeof(parameters)) ||
	    !rings_can_see(parameters.flags)) {
		give_up_all();
		return result;
	}
	lock_write_masked(&mask);
	rings_add((int)result, &parameters);
	lock_write_end_masked(&mask);
	return result;
}

/* The requests' memory stays open: nobody can say when the last of them is done. */
long asynchronous_ring_enter(long nr, const long args[6], uintptr_t caller)
{
	struct output_list none = {.read = read_program};
	int fd = rings_entered(args);
	if (region_selector && (uint32_t)args[1] && !rings_outputs(&none, fd) &&
	    (rings_known(fd) || fd < 0 || is_ring(fd)))
		give_up_all();
	return kernel_writes_lasting(nr, args, caller);
}

#define REGISTER_USES_REGISTERED_RING (1U << 31)

/* IORING_REGISTER_ */
enum {
	REGISTER_BUFFER_RING = 22, /* gets its buffers by writing memory, without a call */
	REGISTER_RECEIVE_QUEUE = 32,
	REGISTER_RESIZE = 33, /* the ring moves */
	REGISTER_NEWEST = 35
};

long asynchronous_ring_register(long nr, const long args[6], uintptr_t caller)
{
	uint32_t operation = (uint32_t)args[1] & ~REGISTER_USES_REGISTERED_RING;
	long result = kernel_writes_call(nr, args, caller);
	if (!sys_failed(result) &&
	    (operation == REGISTER_BUFFER_RING || operation == REGISTER_RECEIVE_QUEUE ||
	     operation == REGISTER_RESIZE || operation > REGISTER_NEWEST))
		give_up_all();
	return result;
}

/* --- io_submit --- */

/*
 * Reads of files and disks are done when the call returns, or have their pages: those of other
 * descriptors (USB gadgets) look the memory up when data comes.
 */
static bool writes_later(const struct iocb *request)
{
	struct stat status;
	if (request->aio_lio_opcode != IOCB_CMD_PREAD && request->aio_lio_opcode != IOCB_CMD_PREADV)
		return false;
	return sys_call2(SYS_fstat, request->aio_fildes, &status) == 0 &&
	       !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
}

long asynchronous_submit(long nr, const long args[6], uintptr_t caller)
{
	bool later = false;
	for (long i = 0; i < args[1] && region_selector && !later; i++) {
		struct iocb request;
		uintptr_t address;
		if (read_program(&address, (uintptr_t)args[2] + (uintptr_t)i * sizeof(address),
				 sizeof(address)) ||
		    read_program(&request, address, sizeof(request)))
			break;
		later = writes_later(&request);
	}
	return later ? kernel_writes_lasting(nr, args, caller)
		     : kernel_writes_call(nr, args, caller);
}

/* --- memory that a call names for later --- */

/* Of the thread: its id is cleared when it ends, its rseq area is written as it is scheduled. */
long asynchronous_named(long nr, const long args[6], uintptr_t caller)
{
	return kernel_writes_lasting(nr, args, caller);
}

/* Whole mappings: no protection of ours may divide them either. */
static void leave_out(uint64_t start, uint64_t length)
{
	sigmask_t mask;
	if (!length || start + length < start)
		return;
	lock_write_masked(&mask);
	adopt_left_out(page_floor(start), page_ceil(start + length), REGION_ASYNCHRONOUS);
	lock_write_end_masked(&mask);
}

#define REQUEST_FAULTS_REGISTER 0xc020aa00U /* UFFDIO_REGISTER */
#define REQUEST_FAULTS_MOVE 0xc028aa05U     /* UFFDIO_MOVE */
#define REQUEST_GUEST_MEMORY 0x4020ae46U    /* KVM_SET_USER_MEMORY_REGION */
#define REQUEST_GUEST_MEMORY2 0x40a0ae49U
#define REQUEST_VHOST_MEMORY 0x4008af03U /* VHOST_SET_MEM_TABLE */
#define REQUEST_USB_SUBMIT 0x8038550aU   /* USBDEVFS_SUBMITURB */
#define VHOST_REGIONS_MOST 512
#define USB_REQUEST_SIZE 56
#define USB_PACKET_SIZE 12

/* Words of the structure that name an address and a length. */
static void leave_out_named(uintptr_t arg, unsigned start, unsigned length)
{
	uint64_t words[4];
	if (!read_program(words, arg, sizeof(words)))
		leave_out(words[start], words[length]);
}

static void leave_out_vhost(uintptr_t arg)
{
	uint32_t count;
	if (read_program(&count, arg, sizeof(count)) || count > VHOST_REGIONS_MOST)
		return;
	for (uint32_t i = 0; i < count; i++)
		leave_out_named(arg + 8 + i * 32UL, 2, 1);
}

/* The kernel fills request and buffer when the program asks which requests are done. */
static void leave_out_usb(uintptr_t arg)
{
	struct {
		uint64_t unused[2], buffer;
		int32_t length, unused2[2], packets;
	} request;
	if (read_program(&request, arg, sizeof(request)))
		return;
	leave_out(request.buffer, (uint32_t)request.length);
	leave_out(arg, USB_REQUEST_SIZE + (uint64_t)(request.packets & 0xffff) * USB_PACKET_SIZE);
}

long asynchronous_ioctl(long nr, const long args[6], uintptr_t caller)
{
	uintptr_t arg = (uintptr_t)args[2];
	switch ((uint32_t)args[1]) {
	case REQUEST_FAULTS_REGISTER: leave_out_named(arg, 0, 1); break;
	case REQUEST_FAULTS_MOVE: leave_out_named(arg, 1, 2); break;
	case REQUEST_GUEST_MEMORY:
	case REQUEST_GUEST_MEMORY2: leave_out_named(arg, 3, 2); break;
	case REQUEST_VHOST_MEMORY: leave_out_vhost(arg); break;
	case REQUEST_USB_SUBMIT: leave_out_usb(arg); break;
	}
	return call_buffers(nr, args, caller);
}
