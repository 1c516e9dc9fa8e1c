/* timeout: 300 */
/* environment: COWSPY_FOLLOW=off */
/*
 * Every call of the system call table that writes memory, with its buffers in open pages and in
 * closed ones (a fork closes all), across both kinds, with zero lengths, bad addresses, and pages
 * that are not there. In this process open and closed must give the same result and data; what
 * fails, and how, goes into a transcript, where plain and watched must be equal.
 */
#include "check.h"

#define assert_true(condition) CHECK(condition)
#define assert_int_equal(got, expected) CHECK_EQUAL(got, expected)
#define PROBE_CALL probe_syscall

static long probe_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	errno = 0;
	long result = syscall(nr, a, b, c, d, e, f);
	return result == -1 && errno ? -errno : result;
}

#include "../unit/syscall_probes.h"

/* ---- the table: which arguments are lengths, and what has to be tried ---- */

/* clang-format off */
#define NOTHING(nr, text)
#define WRITES(nr, text, ...) [nr] = {(text), {__VA_ARGS__}},
#define COMPUTED(nr, text, function) [nr] = {(text), {{0}}},
#define FIXED(pointer, bytes) {.has_count = false}
#define ARRAY(pointer, n, bytes) {.has_count = true, .count = (n)}
#define INTS ARRAY
#define BYTES(pointer, n) ARRAY(pointer, n, 1)
#define BYTES_MOST(pointer, n, most) ARRAY(pointer, n, 1)
#define INT_BYTES(pointer, n) ARRAY(pointer, n, 1)
#define BITS(pointer, n) ARRAY(pointer, n, 1)
#define PAGES(pointer, n) ARRAY(pointer, n, 1)
#define IOVEC(pointer, n) ARRAY(pointer, n, 1)
#define MMSGHDR(pointer, n) ARRAY(pointer, n, 1)
#define VALUE(pointer, n) {.has_count = false}
#define MSGHDR(pointer) {.has_count = false}
/* clang-format on */

static const struct {
	const char *name;
	struct {
		bool has_count;
		uint8_t count;
	} outputs[4];
} table[] = {
#include "../../preload/track/syscall_table_arch.h"
};

#define TABLE (sizeof(table) / sizeof(table[0]))
#define PROBES (sizeof(probes) / sizeof(probes[0]))

/* Calls of the table without a probe, and why. */
static const struct {
	const char *name, *why;
} untried[] = {
	{"_sysctl", "gone since Linux 5.5"},
	{"lookup_dcookie", "gone since Linux 6.7"},
	{"set_thread_area", "of 32-bit programs"},
	{"get_thread_area", "of 32-bit programs"},
	{"setsockopt", "the counters of packet filter tables"},
	{"quotactl", "needs a file system with quotas"},
	{"quotactl_fd", "needs a file system with quotas"},
	{"io_cancel", "nothing can be cancelled"},
	{"io_uring_enter", "in asynchronous_rings.c"},
	{"set_tid_address", "in asynchronous.c"},
	{"rseq", "in asynchronous.c"},
	{"listns", "newer than the kernels at hand"},
};

static bool is_tried(size_t nr)
{
	for (size_t i = 0; i < PROBES; i++)
		if (probes[i].nr == (long)nr)
			return true;
	for (size_t i = 0; i < sizeof(untried) / sizeof(untried[0]); i++)
		if (!strcmp(untried[i].name, table[nr].name))
			return true;
	return false;
}

static void test_completeness(void)
{
	for (size_t nr = 0; nr < TABLE; nr++)
		if (table[nr].name && !is_tried(nr))
			check_fail(__FILE__, __LINE__, "no probe for %s", table[nr].name);
}

/* ---- how the pages of the slices lie before a call ---- */

enum pages { OPEN, CLOSED, FIRST_OPEN, SECOND_OPEN, SECOND_MISSING, KINDS };

static const char *const kinds[KINDS] = {"open", "closed", "first open", "second open",
					 "second missing"};

static void close_all(void)
{
	struct itimerval never = {.it_value.tv_usec = 0};
	setitimer(ITIMER_REAL, &never, NULL);
	pid_t pid = fork();
	if (!pid)
		raise(SIGKILL);
	CHECK_EQUAL(wait_for(pid), 128 + SIGKILL);
}

static void touch(char *page)
{
	*(volatile char *)page = *page;
}

/* The arguments hold what the call needs; the rest of the area a pattern. */
static void lay_out(const struct probe *probe, long *args, enum pages pages, char pattern)
{
	munmap(area, AREA);
	CHECK(mmap(area, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == area);
	memset(area, pattern, AREA);
	probe_resolve(probe, args);
	memcpy(before, area, AREA);
	if (pages == OPEN)
		return;
	close_all();
	for (char *at = area; at < area + AREA; at += SLICE) {
		if (pages == FIRST_OPEN)
			touch(at);
		else if (pages == SECOND_OPEN)
			touch(at + SLICE_PAGE);
		else if (pages == SECOND_MISSING)
			munmap(at + SLICE_PAGE, SLICE_PAGE);
	}
	if (probe->prepare == alarm_soon)
		alarm_soon(args);
}

/* ---- open and closed pages give the same ---- */

#define TRIES 6

static char first[AREA], now[AREA];
static bool stable[AREA];

/* What differs from call to call, but too seldom to be learned: time left, and what was used. */
static const struct {
	long nr;
	int argument;
	size_t size;
} varying[] = {
	{SYS_select, 4, sizeof(struct timeval)},   {SYS_pselect6, 4, sizeof(struct timespec)},
	{SYS_ppoll, 2, sizeof(struct timespec)},   {SYS_recvmmsg, 4, sizeof(struct timespec)},
	{SYS_wait4, 3, sizeof(struct rusage)},     {SYS_waitid, 4, sizeof(struct rusage)},
	{SYS_getrusage, 1, sizeof(struct rusage)},
};

static void forget_varying(const struct probe *probe, const long *args)
{
	for (size_t i = 0; i < sizeof(varying) / sizeof(varying[0]); i++) {
		long at = args[varying[i].argument];
		if (varying[i].nr == probe->nr)
			memcpy((void *)at, before + (at - (long)area), varying[i].size);
	}
}

/* What the call writes, as a difference to what was there. */
static long changes_of(const struct probe *probe, enum pages pages, char *changes)
{
	long args[6];
	lay_out(probe, args, pages, 0x55);
	long result = probe_call(probe, args);
	forget_varying(probe, args);
	for (size_t i = 0; i < AREA; i++)
		changes[i] = area[i] ^ before[i];
	return result;
}

/*
 * Of times, ids and the like not even two calls into open pages agree: bytes that ever differ there
 * do not count.
 */
static bool learn(const struct probe *probe, long *result)
{
	long again = changes_of(probe, OPEN, now);
	bool same = again == *result;
	for (size_t i = 0; i < AREA; i++)
		stable[i] &= now[i] == first[i];
	*result = again;
	return same;
}

static bool agrees(const struct probe *probe, enum pages pages, long expected, bool exact)
{
	long result = changes_of(probe, pages, now);
	if (exact ? result != expected : (result < 0) != (expected < 0))
		return false;
	for (size_t i = 0; i < AREA; i++)
		if (stable[i] && now[i] != first[i])
			return false;
	return true;
}

static void test_same(const struct probe *probe)
{
	long result = changes_of(probe, OPEN, first);
	memset(stable, true, sizeof(stable));
	bool exact = learn(probe, &result);
	for (enum pages pages = CLOSED; pages <= SECOND_OPEN; pages++) {
		int tries = 0;
		while (tries < TRIES && !agrees(probe, pages, result, exact)) {
			exact &= learn(probe, &result);
			tries++;
		}
		if (tries == TRIES)
			printf("%s, %s: differs\n", probe->what, kinds[pages]);
	}
}

/* ---- what fails ---- */

/* A call that would wait is interrupted. */
static long call_briefly(const struct probe *probe, const long *args)
{
	struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
	struct itimerval never = {.it_value.tv_usec = 0};
	setitimer(ITIMER_REAL, &soon, NULL);
	long result = probe_call(probe, args);
	setitimer(ITIMER_REAL, &never, NULL);
	return result;
}

static void print_outcome(const struct probe *probe, const char *how, long result)
{
	printf("%s, %s: %s\n", probe->what, how, result < 0 ? strerror((int)-result) : "done");
}

static void test_lengths(const struct probe *probe)
{
	long args[6];
	for (int i = 0; i < 4; i++) {
		if (!table[probe->nr].outputs[i].has_count)
			continue;
		lay_out(probe, args, CLOSED, 0);
		args[table[probe->nr].outputs[i].count] = 0;
		print_outcome(probe, "no length", call_briefly(probe, args));
	}
}

static bool in_area(long argument)
{
	return argument >= (long)area && argument < (long)(area + AREA);
}

static void test_addresses(const struct probe *probe, char *unreadable, char *read_only)
{
	const struct {
		const char *name;
		long address;
	} bad[] = {{"low address", 16},
		   {"kernel address", -8192},
		   {"no access", (long)unreadable},
		   {"read-only", (long)read_only}};
	long args[6];
	for (int i = 0; i < 6; i++) {
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
			lay_out(probe, args, OPEN, 0);
			if (!in_area(args[i]))
				break;
			args[i] = bad[k].address;
			print_outcome(probe, bad[k].name, call_briefly(probe, args));
		}
	}
}

static void test_missing(const struct probe *probe)
{
	long args[6];
	lay_out(probe, args, SECOND_MISSING, 0);
	print_outcome(probe, kinds[SECOND_MISSING], call_briefly(probe, args));
}

static void test_probe(const struct probe *probe)
{
	static char *unreadable, *read_only;
	long args[6];
	if (!unreadable) {
		unreadable = map_anonymous(2);
		read_only = map_anonymous(2);
		CHECK_EQUAL(mprotect(unreadable, 2 * CHECK_PAGE, PROT_NONE), 0);
		CHECK_EQUAL(mprotect(read_only, 2 * CHECK_PAGE, PROT_READ), 0);
	}
	lay_out(probe, args, OPEN, 0);
	long result = probe_call(probe, args);
	if (result != probe->error && probe_refused(result)) {
		print_outcome(probe, "refused", result);
		return;
	}
	print_outcome(probe, kinds[OPEN], result);
	test_same(probe);
	test_lengths(probe);
	test_addresses(probe, unreadable, read_only);
	test_missing(probe);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	test_completeness();
	objects_make(NULL);
	for (size_t i = 0; i < PROBES; i++)
		test_probe(&probes[i]);
	objects_drop(NULL);
	return 0;
}
