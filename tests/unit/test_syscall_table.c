/* sources: preload/track/syscall_table.c preload/track/syscall_commands.c preload/track/syscall_futexes.c preload/track/syscall_ioctls.c preload/track/rings.c preload/track/syscall_queues.c preload/track/syscall_sockets.c */
/*
 * The table of system calls: complete for the kernel headers of this machine, and the ranges that
 * it names for each kind of output.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "track/syscall_table.h"

#define TRANSFER_MOST 0x7ffff000UL
#define X ((long)buffer)

static char buffer[1 << 16];
static struct output_range ranges[OUTPUT_RANGES_MOST];
static unsigned count;

static int read_memory(void *to, uintptr_t from, uintptr_t length)
{
	struct iovec into = {to, length}, source = {(void *)from, length};
	ssize_t copied = process_vm_readv(getpid(), &into, 1, &source, 1, 0);
	return copied == (ssize_t)length ? 0 : -EFAULT;
}

static void outputs(long nr, long a, long b, long c, long d, long e, long f)
{
	const long args[6] = {a, b, c, d, e, f};
	count = syscall_outputs(nr, args, ranges, OUTPUT_RANGES_MOST, read_memory);
}

static void assert_range(unsigned index, const void *start, uintptr_t length)
{
	assert_true(index < count);
	assert_int_equal(ranges[index].start, (uintptr_t)start);
	assert_int_equal(ranges[index].length, length);
}

static FILE *unistd_open(void)
{
	FILE *file = fopen("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "r");
	return file ? file : fopen("/usr/include/asm/unistd_64.h", "r");
}

static void every_call_of_the_headers_is_listed(void **state)
{
	(void)state;
	FILE *file = unistd_open();
	if (!file)
		skip();
	char line[256], name[64];
	long nr, newest = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "#define __NR_%63s %ld", name, &nr) != 2)
			continue;
		const struct syscall_entry *entry = syscall_entry(nr);
		if (!entry)
			fail_msg("system call %ld %s is not in the table", nr, name);
		assert_string_equal(entry->name, name);
		newest = nr > newest ? nr : newest;
	}
	fclose(file);
	assert_true(newest >= 334);
	for (nr = newest + 1; nr < newest + 200; nr++) {
		if (syscall_entry(nr))
			print_message("ahead of the headers: %ld %s\n", nr,
				      syscall_entry(nr)->name);
	}
}

/* Arguments of -1 reach nothing; a call that exists answers something else than ENOSYS. */
static void newer_calls_of_this_kernel_are_noticed(void **state)
{
	(void)state;
	for (long nr = 424; nr < 512; nr++) {
		if (!syscall_entry(nr) &&
		    (syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != ENOSYS))
			print_message("this kernel has a system call %ld, the table has not\n", nr);
	}
}

static void unknown_numbers_have_no_entry(void **state)
{
	(void)state;
	assert_null(syscall_entry(-1));
	assert_null(syscall_entry(337));
	assert_null(syscall_entry(423));
	assert_null(syscall_entry(512));
	assert_null(syscall_entry(0x40000000L)); /* x32 */
	assert_null(syscall_entry(1L << 31));
	assert_ptr_equal(syscall_entry(SYS_read), syscall_entry(SYS_read | 1L << 32));
	outputs(500, X, 3, -1, 0, 0, 0);
	assert_int_equal(count, 1);
	assert_range(0, buffer, 65536);
}

static void writers_of_nothing_have_no_ranges(void **state)
{
	(void)state;
	outputs(SYS_write, 1, X, 100, X, X, X);
	assert_int_equal(count, 0);
	outputs(SYS_sendmsg, 1, X, 100, X, X, X);
	assert_int_equal(count, 0);
}

static void fixed_sizes(void **state)
{
	(void)state;
	outputs(SYS_fstat, 1, X, 0, 0, 0, 0);
	assert_range(0, buffer, 144);
	outputs(SYS_wait4, -1, X, 0, X + 512, 0, 0);
	assert_int_equal(count, 2);
	assert_range(0, buffer, 4);
	assert_range(1, buffer + 512, 144);
	outputs(SYS_wait4, -1, 0, 0, 0, 0, 0);
	assert_int_equal(count, 0);
}

static void counted_sizes(void **state)
{
	(void)state;
	outputs(SYS_read, 0, X, 10, 0, 0, 0);
	assert_range(0, buffer, 10);
	outputs(SYS_read, 0, X, 0, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_read, 0, X, LONG_MAX, 0, 0, 0);
	assert_range(0, buffer, TRANSFER_MOST);
	outputs(SYS_read, 0, -16, 4096, 0, 0, 0);
	assert_range(0, (void *)-16L, 15);
	outputs(SYS_epoll_wait, 0, X, 3, -1, 0, 0);
	assert_range(0, buffer, 36);
	outputs(SYS_epoll_wait, 0, X, -3, -1, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_epoll_wait, 0, X, 3 | 7L << 32, -1, 0, 0);
	assert_range(0, buffer, 36);
	outputs(SYS_epoll_wait, 0, X, INT_MAX, -1, 0, 0);
	assert_range(0, buffer, TRANSFER_MOST);
	outputs(SYS_getcwd, X, LONG_MAX, 0, 0, 0, 0);
	assert_range(0, buffer, 4096);
	outputs(SYS_select, 65, X, X + 512, 0, X + 1024, 0);
	assert_int_equal(count, 3);
	assert_range(0, buffer, 16);
	assert_range(1, buffer + 512, 16);
	assert_range(2, buffer + 1024, 16);
	outputs(SYS_mincore, 0, 4097, X, 0, 0, 0);
	assert_range(0, buffer, 2);
}

static void value_results(void **state)
{
	(void)state;
	int length = 16;
	outputs(SYS_accept, 3, X, (long)&length, 0, 0, 0);
	assert_int_equal(count, 2);
	assert_range(0, &length, 4);
	assert_range(1, buffer, 16);
	outputs(SYS_accept, 3, X, 8, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_accept, 3, 0, 0, 0, 0, 0);
	assert_int_equal(count, 0);
	length = -1;
	outputs(SYS_getsockname, 3, X, (long)&length, 0, 0, 0);
	assert_int_equal(count, 1);
	length = 4;
	outputs(SYS_getsockopt, 3, SOL_SOCKET, SO_TYPE, X, (long)&length, 0);
	assert_range(0, &length, 4);
	assert_range(1, buffer, 4);
	outputs(SYS_getsockopt, 3, SOL_SOCKET, SO_GET_FILTER, X, (long)&length, 0);
	assert_range(1, buffer, 32);
}

static void vectors(void **state)
{
	(void)state;
	struct iovec vector[1025];
	for (int i = 0; i < 1025; i++)
		vector[i] = (struct iovec){buffer + 32 * i, 16};
	outputs(SYS_readv, 0, (long)vector, 9, 0, 0, 0);
	assert_int_equal(count, 9);
	assert_range(8, buffer + 8 * 32, 16);
	outputs(SYS_readv, 0, (long)vector, 65, 0, 0, 0);
	assert_int_equal(count, OUTPUT_RANGES_MOST + 1);
	outputs(SYS_readv, 0, (long)vector, 1025, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_readv, 0, 8, 4, 0, 0, 0);
	assert_int_equal(count, 0);
	for (int i = 0; i < 1024; i++)
		vector[i] = (struct iovec){buffer + 16 * i, 16};
	outputs(SYS_preadv2, 0, (long)vector, 1024, 0, 0, 0);
	assert_int_equal(count, 1);
	assert_range(0, buffer, 16384);
	vector[1].iov_len = SIZE_MAX;
	outputs(SYS_readv, 0, (long)vector, 2, 0, 0, 0);
	assert_range(0, buffer, 16 + TRANSFER_MOST);
}

static void message_headers(void **state)
{
	(void)state;
	struct iovec vector = {buffer + 1024, 100};
	struct mmsghdr messages[2] = {0};
	messages[0].msg_hdr = (struct msghdr){.msg_name = buffer,
					      .msg_namelen = 16,
					      .msg_iov = &vector,
					      .msg_iovlen = 1,
					      .msg_control = buffer + 512,
					      .msg_controllen = 64};
	outputs(SYS_recvmsg, 3, (long)messages, 0, 0, 0, 0);
	assert_int_equal(count, 4);
	assert_range(0, messages, 56);
	assert_range(1, buffer, 16);
	assert_range(2, buffer + 1024, 100);
	assert_range(3, buffer + 512, 64);
	outputs(SYS_recvmmsg, 3, (long)messages, 2, 0, X + 4096, 0);
	assert_int_equal(count, 5);
	assert_range(0, messages, 128);
	assert_range(4, buffer + 4096, 16);
	outputs(SYS_sendmmsg, 3, (long)messages, 2, 0, 0, 0);
	assert_int_equal(count, 1);
	assert_range(0, messages, 128);
}

static void commands(void **state)
{
	(void)state;
	outputs(SYS_prctl, PR_GET_NAME, X, 0, 0, 0, 0);
	assert_range(0, buffer, 16);
	outputs(SYS_prctl, PR_SET_NAME, X, 0, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_fcntl, 3, F_GETLK, X, 0, 0, 0);
	assert_range(0, buffer, 32);
	outputs(SYS_fcntl, 3, F_SETLK, X, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, 0, X, X + 64, 0, 0);
	assert_int_equal(count, 2);
	outputs(SYS_clone, 17, 0, X, X + 64, 0, 0);
	assert_int_equal(count, 0);
	struct iovec vector = {buffer, 216};
	outputs(SYS_ptrace, 0x4204, 1, 1, (long)&vector, 0, 0);
	assert_int_equal(count, 2);
	assert_range(0, buffer, 216);
	assert_range(1, &vector, 16);
}

static void futexes(void **state)
{
	(void)state;
	outputs(SYS_futex, X, FUTEX_WAKE_PRIVATE, 1, 0, X + 64, 0);
	assert_int_equal(count, 0);
	outputs(SYS_futex, X, FUTEX_WAKE, 1, 0, X + 64, 0);
	assert_int_equal(count, 1);
	outputs(SYS_futex, X, FUTEX_WAKE_OP_PRIVATE, 1, 0, X + 64, 0);
	assert_range(0, buffer + 64, 4);
	outputs(SYS_futex, X, FUTEX_LOCK_PI_PRIVATE, 1, 0, 0, 0);
	assert_range(0, buffer, 4);
	/* Why a shared futex that the kernel only reads is listed. */
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*(volatile int *)page = 1;
	assert_int_equal(mprotect(page, 4096, PROT_READ), 0);
	assert_int_equal(syscall(SYS_futex, page, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0), 0);
	assert_int_equal(syscall(SYS_futex, page, FUTEX_WAKE, 1, 0, 0, 0), -1);
	assert_int_equal(errno, EFAULT);
	munmap(page, 4096);
}

static void ioctls(void **state)
{
	(void)state;
	outputs(SYS_ioctl, 0, FIONREAD, X, 0, 0, 0);
	assert_int_equal(count, 1);
	assert_true(ranges[0].length >= 4);
	outputs(SYS_ioctl, 0, FIOCLEX, 0, 0, 0, 0);
	assert_int_equal(count, 0);
	outputs(SYS_ioctl, 0, _IOR('q', 1, char[1000]), X, 0, 0, 0);
	assert_range(0, buffer, 1000);
	struct ifconf list = {.ifc_len = 400, .ifc_buf = buffer};
	outputs(SYS_ioctl, 0, SIOCGIFCONF, (long)&list, 0, 0, 0);
	assert_int_equal(count, 2);
	assert_range(0, buffer, 400);
	assert_true(ranges[1].start == (uintptr_t)&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_the_headers_is_listed),
		cmocka_unit_test(newer_calls_of_this_kernel_are_noticed),
		cmocka_unit_test(unknown_numbers_have_no_entry),
		cmocka_unit_test(writers_of_nothing_have_no_ranges),
		cmocka_unit_test(fixed_sizes),
		cmocka_unit_test(counted_sizes),
		cmocka_unit_test(value_results),
		cmocka_unit_test(vectors),
		cmocka_unit_test(message_headers),
		cmocka_unit_test(commands),
		cmocka_unit_test(futexes),
		cmocka_unit_test(ioctls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
