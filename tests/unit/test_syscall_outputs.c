/* sources: preload/track/syscall_table.c preload/track/syscall_commands.c preload/track/syscall_futexes.c preload/track/syscall_ioctls.c preload/track/rings.c preload/track/syscall_queues.c preload/track/syscall_sockets.c */
/*
 * Is the table right? Each call here is really made, three times, with its buffers in one area:
 * twice over different patterns, where every byte that the kernel changed must lie in a range that
 * the table names; then with only the pages of these ranges writable, where it must succeed again.
 * A call that this kernel or its rights refuse is counted and named, not failed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#define PROBE_CALL sys_raw
#include "syscall_probes.h"
#include "track/syscall_table.h"

static struct output_range ranges[OUTPUT_RANGES_MOST];
static unsigned range_count;

static int read_memory(void *to, uintptr_t from, uintptr_t length)
{
	struct iovec into = {to, length}, source = {(void *)from, length};
	ssize_t copied = process_vm_readv(getpid(), &into, 1, &source, 1, 0);
	return copied == (ssize_t)length ? 0 : -EFAULT;
}

static void resolve(const struct probe *probe, long *args)
{
	probe_resolve(probe, args);
	range_count = syscall_outputs(probe->nr, args, ranges, OUTPUT_RANGES_MOST, read_memory);
	assert_in_range(range_count, 0, OUTPUT_RANGES_MOST);
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
				 probe->what, i % SLICE - SLICE_PAGE + 64, i / SLICE);
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
		long result = probe_call(probe, args);
		if (result != probe->error && probe_refused(result)) {
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
	long result = probe_call(probe, args);
	mprotect(area, AREA, PROT_READ | PROT_WRITE);
	check_result(probe, result, "with all but its outputs read-only");
	return true;
}

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
