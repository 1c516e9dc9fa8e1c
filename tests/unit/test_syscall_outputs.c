/* sources: preload/track/syscall_table.c preload/track/syscall_commands.c preload/track/syscall_futexes.c preload/track/syscall_ioctls.c preload/track/rings.c preload/track/syscall_queues.c preload/track/syscall_sockets.c */
/*
 * Is the table right? Each call here is really made, three times, with its buffers in one area:
 * twice over different patterns, where every byte that the kernel changed must lie in a range that
 * the table names; then with only the pages of these ranges writable, where it must succeed again.
 * A call that this kernel or its rights refuse is counted and named, not failed.
 */
#include <arpa/inet.h>
#include <asm/prctl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/fiemap.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#include "track/syscall_table.h"

#define SLICE 32768UL
#define SLICES 12UL
#define AREA (SLICE * SLICES)

static char *area, before[AREA];
static unsigned slices;
static struct output_range ranges[OUTPUT_RANGES_MOST];
static unsigned range_count;

/* What the calls work on. */
static int file, directory, zero, pipe_in, pipe_out, pair[2], udp, listener, tcp_client, epoll,
	timerfd, pty_slave, pty_master, queue, message_queue, semaphores, shared_memory, map, tun,
	inet;
static pid_t child;
static aio_context_t aio;
static int posix_timer;
static char path[] = "/tmp/cowspy-outputs-XXXXXX";

enum argument_kind { VALUE = 0, DESCRIPTOR, OUTPUT, INPUT };

struct argument {
	enum argument_kind kind;
	long value;
	const void *data; /* of INPUT: copied into a slice; of DESCRIPTOR: the int */
};

/* clang-format off */
#define V(n) {.kind = VALUE, .value = (long)(n)}
#define FD(variable) {.kind = DESCRIPTOR, .data = &(variable)}
#define OUT {.kind = OUTPUT}
#define IN(type, ...) {.kind = INPUT, .value = sizeof(type), .data = &(const type){__VA_ARGS__}}
/* clang-format on */
#define LENGTH(n) IN(int, n)

struct probe {
	const char *what;
	long nr;
	struct argument args[6];
	void (*prepare)(long *args); /* before each call; may change arguments and what they hold */
	long error;                  /* the call is meant to fail so */
	bool quiet;                  /* it may succeed without a change */
};

static int read_memory(void *to, uintptr_t from, uintptr_t length)
{
	struct iovec into = {to, length}, source = {(void *)from, length};
	ssize_t copied = process_vm_readv(getpid(), &into, 1, &source, 1, 0);
	return copied == (ssize_t)length ? 0 : -EFAULT;
}

/* Fresh pages in the area; buffers lie across a page boundary. */
static char *slice(void)
{
	assert_true(slices < SLICES);
	return area + slices++ * SLICE + PAGE_SIZE - 64;
}

static long slice_of(const void *data, size_t size)
{
	char *to = slice();
	memcpy(to, data, size);
	return (long)to;
}

static void resolve(const struct probe *probe, long *args)
{
	slices = 0;
	for (int i = 0; i < 6; i++) {
		const struct argument *from = &probe->args[i];
		switch (from->kind) {
		case VALUE: args[i] = from->value; break;
		case DESCRIPTOR: args[i] = *(const int *)from->data; break;
		case OUTPUT: args[i] = (long)slice(); break;
		case INPUT: args[i] = slice_of(from->data, (size_t)from->value); break;
		}
	}
	if (probe->prepare)
		probe->prepare(args);
	range_count = syscall_outputs(probe->nr, args, ranges, OUTPUT_RANGES_MOST, read_memory);
	assert_in_range(range_count, 0, OUTPUT_RANGES_MOST);
}

static long make(const struct probe *probe, const long *a)
{
	long result = sys_raw(probe->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result == 0 && (probe->nr == SYS_clone || probe->nr == SYS_clone3))
		sys_raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (result > 0 && (probe->nr == SYS_clone || probe->nr == SYS_clone3))
		waitpid((pid_t)result, NULL, 0);
	return result;
}

static bool named(uintptr_t address)
{
	for (unsigned i = 0; i < range_count; i++) {
		if (address - ranges[i].start < ranges[i].length)
			return true;
	}
	return false;
}

static size_t compare(const struct probe *probe)
{
	size_t changed = 0;
	for (size_t i = 0; i < AREA; i++) {
		if (area[i] == before[i])
			continue;
		changed++;
		if (!named((uintptr_t)area + i))
			fail_msg("%s: wrote byte %zu of argument buffer %zu, which is in no range",
				 probe->what, i % SLICE - PAGE_SIZE + 64, i / SLICE);
	}
	return changed;
}

/* Only what the table names may be written, page by page. */
static void protect(void)
{
	assert_int_equal(mprotect(area, AREA, PROT_READ), 0);
	for (unsigned i = 0; i < range_count; i++) {
		uintptr_t start = page_floor(ranges[i].start);
		uintptr_t end = page_ceil(ranges[i].start + ranges[i].length);
		uintptr_t first = (uintptr_t)area, last = first + AREA;
		start = start > first ? start : first;
		end = end < last ? end : last;
		if (start < end)
			mprotect((void *)start, end - start, PROT_READ | PROT_WRITE);
	}
}

static bool refused(long result)
{
	static const int errors[] = {ENOSYS, EPERM,  EACCES, EOPNOTSUPP, ENODEV, ENXIO,
				     EBADF,  EBADFD, ENOENT, ENODATA,    ENOTTY};
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (result == -errors[i])
			return true;
	}
	return false;
}

static void check_result(const struct probe *probe, long result, const char *how)
{
	if (probe->error ? result != probe->error : result < 0)
		fail_msg("%s: %ld %s", probe->what, result, how);
}

static bool run(const struct probe *probe)
{
	long args[6];
	size_t changed = 0;
	for (int pattern = 0; pattern < 2; pattern++) {
		memset(area, pattern ? 0xaa : 0x55, AREA);
		resolve(probe, args);
		memcpy(before, area, AREA);
		long result = make(probe, args);
		if (result != probe->error && refused(result)) {
			print_message("  refused: %s: %s\n", probe->what, strerror((int)-result));
			return false;
		}
		check_result(probe, result, "over a pattern");
		changed += compare(probe);
	}
	if (!changed && !probe->quiet)
		fail_msg("%s changed nothing", probe->what);
	resolve(probe, args);
	protect();
	long result = make(probe, args);
	mprotect(area, AREA, PROT_READ | PROT_WRITE);
	check_result(probe, result, "with all but its outputs read-only");
	return true;
}

#include "syscall_probes.h"

static void the_kernel_writes_only_what_the_table_names(void **state)
{
	(void)state;
	unsigned made = 0, all = sizeof(probes) / sizeof(probes[0]);
	for (unsigned i = 0; i < all; i++)
		made += run(&probes[i]);
	print_message("%u of %u calls made\n", made, all);
	assert_true(made >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_kernel_writes_only_what_the_table_names,
						objects_make, objects_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
