/*
 * Memory locks: N pages, K of them locked at every step S, as mincore and smaps show them; what
 * locking copies; its limits and its errors, which are the kernel's.
 */
#include "check_api.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGES 64
#define LOCKED 2
#define STEP 8

static const size_t page_size = CHECK_PAGE;

static void lock_some(char *pages)
{
	for (size_t i = 0; i < PAGES; i += STEP)
		CHECK_EQUAL(mlock(pages + i * page_size, LOCKED * page_size), 0);
}

/* mincore, smaps and cowspy_copied agree on each page. */
static void same_residency(char *pages, size_t n)
{
	unsigned char resident[PAGES], bits[PAGES];
	CHECK_EQUAL(mincore(pages, n * page_size, resident), 0);
	if (!check_watched())
		return;
	CHECK_EQUAL(cowspy_copied(pages, n * page_size, bits), 0);
	for (size_t i = 0; i < n; i++) {
		CHECK_EQUAL(!!(bits[i] & COWSPY_RESIDENT), resident[i] & 1);
		CHECK_EQUAL(!!(bits[i] & COWSPY_LOCKED),
			    smaps_bytes(pages + i * page_size, "Locked") > 0);
	}
}

static void at_every_step(void)
{
	char *pages = map_anonymous(PAGES);
	lock_some(pages);
	same_residency(pages, PAGES);
	for (size_t i = 0; i < PAGES; i++) {
		unsigned char bits = api_bits(pages + i * page_size);
		bool locked = i % STEP < LOCKED;
		int expected = COWSPY_COPIED | COWSPY_RESIDENT | COWSPY_LOCKED | COWSPY_KERNEL;
		if (check_watched())
			CHECK_EQUAL(bits, locked ? expected : 0);
	}
	expect_count(pages, PAGES, 'C', PAGES / STEP * LOCKED);
	check_note("locked %lx %d", (unsigned long)(uintptr_t)pages, PAGES / STEP * LOCKED);
	expect_stack("lock_some", "fill", PAGES / STEP * LOCKED);
	snapshot();
	/* Locks do not stack: one munlock undoes two. */
	CHECK_EQUAL(mlock(pages, page_size), 0);
	CHECK_EQUAL(munlock(pages, PAGES * page_size), 0);
	same_residency(pages, PAGES);
	CHECK(!(api_bits(pages) & COWSPY_LOCKED));
	CHECK_EQUAL(smaps_bytes(pages, "Locked"), 0);
	check_note("locked %lx 0", (unsigned long)(uintptr_t)pages);
	snapshot();
	/* Gone with the mapping. */
	CHECK_EQUAL(mlock(pages, page_size), 0);
	CHECK_EQUAL(munmap(pages, PAGES * page_size), 0);
	CHECK(mmap(pages, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      pages);
	CHECK(!(api_bits(pages) & COWSPY_LOCKED));
	CHECK_EQUAL(munmap(pages, page_size), 0);
}

static void lock_file(char *pages)
{
	CHECK_EQUAL(mlock(pages + 5, 2 * page_size), 0); /* three pages: whole ones are locked */
}

static void what_locking_copies(void)
{
	char *file = map_file(file_of_pages(8), 8), *byte = map_anonymous(4);
	lock_file(file);
	expect_everywhere(file, "CCC?????");
	expect_stack("lock_file", "file", 3);
	/* Reading a private mapping without write permission in copies nothing. */
	char *read_only = mmap(NULL, 4 * page_size, PROT_READ, MAP_PRIVATE, file_of_pages(4), 0);
	CHECK(read_only != MAP_FAILED);
	CHECK_EQUAL(mlock(read_only, 4 * page_size), 0);
	expect_now(read_only, "ffff");
	/* ... until it becomes writable: the kernel copies all of it at once. */
	CHECK_EQUAL(mprotect(read_only, 4 * page_size, PROT_READ | PROT_WRITE), 0);
	expect_everywhere(read_only, "CCCC");
	CHECK(!check_watched() || (api_bits(read_only + page_size) & COWSPY_KERNEL));
	/* On fault only: nothing is copied before it is touched. */
	CHECK_EQUAL(mlock2(byte, 4 * page_size, MLOCK_ONFAULT), 0);
	byte[page_size] = 'b';
	expect_now(byte, ".C..");
	CHECK(!check_watched() || api_bits(byte) == COWSPY_LOCKED);
	CHECK_EQUAL(syscall(SYS_mlock2, byte, 2 * page_size, 0), 0);
	expect_everywhere(byte, "CC..");

	char *locked = mmap(NULL, 4 * page_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	CHECK(locked != MAP_FAILED);
	expect_now(locked, "CCCC");
	/* It grows locked, and filled. */
	locked = mremap(locked, 4 * page_size, 6 * page_size, MREMAP_MAYMOVE);
	CHECK(locked != MAP_FAILED);
	expect_everywhere(locked, "CCCCCC");
	CHECK(!check_watched() ||
	      (api_bits(locked + 5 * page_size) & (COWSPY_KERNEL | COWSPY_LOCKED)) ==
		      (COWSPY_KERNEL | COWSPY_LOCKED));
	expect_all_attributed();
	snapshot();
}

static void all_of_it(void)
{
	char *before = map_anonymous(8), *after;
	CHECK_EQUAL(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	after = mmap(NULL, 8 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	CHECK(after != MAP_FAILED);
	expect_everywhere(before, "CCCCCCCC");
	expect_everywhere(after, "CCCCCCCC");
	CHECK_EQUAL(munlockall(), 0);
	CHECK(!(api_bits(before) & COWSPY_LOCKED));
	CHECK_EQUAL(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT), 0);
	char *on_fault = mmap(NULL, 64 * page_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(on_fault != MAP_FAILED);
	on_fault[3 * page_size] = 'f';
	expect_everywhere(on_fault,
			  "...C............................................................");
	CHECK(!check_watched() || (api_bits(on_fault) & COWSPY_LOCKED));
	CHECK(mlockall(0) == -1 && errno == EINVAL);
	CHECK(mlockall(MCL_ONFAULT) == -1 && errno == EINVAL);
	CHECK_EQUAL(munlockall(), 0);
	CHECK_EQUAL(smaps_bytes(before, "Locked"), 0);
	snapshot();
}

static void not_inherited(void)
{
	char *pages = map_anonymous(2);
	CHECK_EQUAL(mlock(pages, 2 * page_size), 0);
	pid_t child = fork();
	if (child == 0) {
		CHECK_EQUAL(smaps_bytes(pages, "Locked"), 0);
		CHECK(!(api_bits(pages) & COWSPY_LOCKED));
		expect_api(pages, "ss");
		pages[0] = 'c';
		_exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
	CHECK(smaps_bytes(pages, "Locked") > 0);
	CHECK_EQUAL(pages[0], 0);
	CHECK_EQUAL(munlock(pages, 2 * page_size), 0);
}

/* Errors and limits, as an ordinary user: one line each, the same with and without the library. */
static void limits(void)
{
	char *pages = map_anonymous(16), *hole = map_anonymous(4);
	struct rlimit limit = {8 * page_size, 8 * page_size};
	CHECK_EQUAL(munmap(hole + 2 * page_size, page_size), 0);
	CHECK_EQUAL(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (getuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
#define TELL(call) \
	do { \
		errno = 0; \
		long result = (long)(call); \
		printf("%s: %s, errno %d\n", #call, result == -1 ? "-1" : "done", errno); \
	} while (0)
	TELL(mlock(pages, 8 * page_size));
	TELL(mlock(pages + 8 * page_size, page_size));
	TELL(mlock(pages, 9 * page_size));
	TELL(munlock(pages, 16 * page_size));
	TELL(mlock(pages + 1, 8 * page_size));
	TELL(mlock(pages, 16 * page_size));
	TELL(mlock(hole, 4 * page_size));
	TELL(munlock(hole, 4 * page_size));
	TELL(mlock((void *)-page_size, 2 * page_size));
	TELL(mlock(NULL, page_size));
	TELL(mlock(pages, 0));
	TELL(mlock2(pages, page_size, 0x80));
	TELL(mlockall(MCL_CURRENT));
	TELL(mlockall(MCL_CURRENT | 0x80));
	TELL(munlockall());
	char *locked;
	TELL(locked = mmap(NULL, 16 * page_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
	TELL(locked = mmap(NULL, 4 * page_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
	TELL(mremap(locked, 4 * page_size, 12 * page_size, MREMAP_MAYMOVE));
	TELL(munmap(locked, 4 * page_size));
	limit.rlim_cur = limit.rlim_max = 0;
	CHECK_EQUAL(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	TELL(mlock(pages, page_size));
	TELL(mlockall(MCL_CURRENT));
	TELL(munlockall());
	pages[9 * page_size] = 'p';
	char letters[17];
	check_letters(pages, 16, letters);
	TELL(puts(letters));
}

int main(void)
{
	at_every_step();
	what_locking_copies();
	all_of_it();
	not_inherited();
	pid_t child = fork();
	if (child == 0) {
		limits();
		fflush(stdout);
		_exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
	puts("locks: as the kernel has them");
	return 0;
}
