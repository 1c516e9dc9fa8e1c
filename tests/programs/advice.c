/*
 * madvise and process_madvise: what the program advised, what came of its pages, and both sides of a
 * fork. What this kernel does not know it refuses, with the library as without.
 */
#include "check_api.h"

#include <stdbool.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

#define PAGE ((size_t)CHECK_PAGE)
#define HUGE ((size_t)2 << 20)

static char *map_pages(size_t n)
{
	char *pages = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	CHECK(pages != MAP_FAILED);
	return pages;
}

static void expect_advised(const char *pages, const char *words)
{
	check_note("advised %lx %s", (unsigned long)(uintptr_t)pages, words);
}

static int tell(const char *what, int result)
{
	printf("%s: %d, errno %d\n", what, result, result ? errno : 0);
	return result;
}

static void recorded(void)
{
	char *pages = map_pages(8), *file = map_file(file_of_pages(8), 8);
	CHECK_EQUAL(madvise(pages, 4 * PAGE, MADV_RANDOM), 0);
	CHECK_EQUAL(madvise(pages, 4 * PAGE, MADV_SEQUENTIAL), 0);
	CHECK_EQUAL(madvise(pages + 4 * PAGE, 4 * PAGE, MADV_RANDOM), 0);
	CHECK_EQUAL(posix_madvise(pages + 4 * PAGE, 2 * PAGE, POSIX_MADV_NORMAL), 0);
	CHECK_EQUAL(posix_madvise(pages, 8 * PAGE, POSIX_MADV_DONTNEED), 0);
	CHECK_EQUAL(madvise(file, 2 * PAGE, MADV_WILLNEED), 0);
	file[0] = pages[0] = pages[4 * PAGE] = pages[6 * PAGE] = 'a';
	expect_advised(pages, "sequential");
	expect_advised(pages + 4 * PAGE, "");
	expect_advised(pages + 6 * PAGE, "random");
	expect_advised(file, "willneed");
	CHECK(madvise(pages + 1, PAGE, MADV_RANDOM) == -1 && errno == EINVAL);
	CHECK(madvise(pages, PAGE, 4242) == -1 && errno == EINVAL);
	CHECK_EQUAL(madvise(pages, 0, MADV_RANDOM), 0);
	snapshot();
}

static void write_all(char *pages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pages[i * PAGE] = 'w';
}

static void write_again(char *page)
{
	page[1] = 'a';
}

static void given_back(void)
{
	char *pages = map_anonymous(8);
	write_all(pages, 8);
	CHECK_EQUAL(madvise(pages, 2 * PAGE, MADV_DONTNEED), 0);
	expect_now(pages, "..CCCCCC");
	write_again(pages);
	/* Locked memory is refused, and given back by another name. */
	CHECK_EQUAL(mlock(pages + 2 * PAGE, PAGE), 0);
	CHECK(madvise(pages + 2 * PAGE, 2 * PAGE, MADV_DONTNEED) == -1 && errno == EINVAL);
	expect_now(pages, "C.CCCCCC");
	if (tell("MADV_DONTNEED_LOCKED", madvise(pages + 2 * PAGE, PAGE, MADV_DONTNEED_LOCKED)) ==
	    0)
		expect_now(pages, "C..CCCCC");
	CHECK_EQUAL(munlock(pages + 2 * PAGE, PAGE), 0);
	/* Around a hole ENOMEM comes last: the rest is done. */
	CHECK_EQUAL(munmap(pages + 4 * PAGE, PAGE), 0);
	CHECK(madvise(pages + 3 * PAGE, 3 * PAGE, MADV_DONTNEED) == -1 && errno == ENOMEM);
	expect_now(pages, "C...");
	expect_now(pages + 5 * PAGE, ".CC");
	write_again(pages + 5 * PAGE);
	/* Where the kernel stops at locked memory, what lies before is gone. */
	CHECK_EQUAL(mlock(pages + 7 * PAGE, PAGE), 0);
	CHECK(madvise(pages + 5 * PAGE, 3 * PAGE, MADV_DONTNEED) == -1 && errno == EINVAL);
	expect_now(pages + 5 * PAGE, "..C");
	write_again(pages + 6 * PAGE);
	expect_everywhere(pages + 5 * PAGE, ".CC");
	CHECK_EQUAL(munlock(pages + 7 * PAGE, PAGE), 0);
	expect_stack("write_again", "fill", 3);
	expect_all_attributed();
	snapshot();
}

static void given_back_later(void)
{
	char *pages = map_anonymous(4), *cold = map_anonymous(4);
	write_all(pages, 4);
	write_all(cold, 4);
	CHECK_EQUAL(madvise(pages, 4 * PAGE, MADV_FREE), 0);
	expect_now(pages, "CCCC");
	pages[0] = 'x';
	CHECK_EQUAL(pages[0], 'x');
	CHECK_EQUAL(madvise(cold, 2 * PAGE, MADV_COLD), 0);
	CHECK_EQUAL(madvise(cold + 2 * PAGE, 2 * PAGE, MADV_PAGEOUT), 0);
	/* Without swap they stay where they are; with it they are swapped copies. */
	for (int i = 0; i < 4; i++) {
		unsigned char bits = api_bits(cold + i * CHECK_PAGE);
		CHECK(!check_watched() || (bits & COWSPY_COPIED));
		CHECK_EQUAL(cold[i * CHECK_PAGE], 'w');
	}
	expect_advised(pages, "nohugepage free");
	expect_advised(cold, "nohugepage cold pageout");
	snapshot();
}

static void populate(char *pages, size_t n)
{
	CHECK_EQUAL(madvise(pages, n * PAGE, MADV_POPULATE_WRITE), 0);
}

static void filled(void)
{
	char *pages = map_anonymous(4), *file = map_file(file_of_pages(4), 4);
	CHECK_EQUAL(madvise(pages, 2 * PAGE, MADV_POPULATE_READ), 0);
	expect_now(pages, "zz..");
	CHECK_EQUAL(madvise(file, 4 * PAGE, MADV_POPULATE_READ), 0);
	expect_now(file, "ffff");
	populate(pages + PAGE, 2);
	populate(file, 2);
	expect_everywhere(pages, "zCC.");
	expect_everywhere(file, "CCff");
	CHECK(!check_watched() || (api_bits(file) & COWSPY_KERNEL));
	expect_stack("populate", "zero", 1);
	expect_stack("populate", "fill", 1);
	expect_stack("populate", "file", 2);
	expect_all_attributed();
	snapshot();
}

static void write_unguarded(char *page)
{
	page[2] = 'u';
}

static sigjmp_buf refused;
static volatile int refused_code;

static void on_refusal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	refused_code = info->si_code;
	siglongjmp(refused, 1);
}

static void expect_refusal(volatile char *page)
{
	struct sigaction action = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO}, before;
	CHECK_EQUAL(sigaction(SIGSEGV, &action, &before), 0);
	if (!sigsetjmp(refused, 1)) {
		*page = 'n';
		check_fail(__FILE__, __LINE__, "the guard page let a write pass");
	}
	CHECK_EQUAL(sigaction(SIGSEGV, &before, NULL), 0);
	printf("a guard page refuses with code %d\n", refused_code);
}

static void guarded(void)
{
	char *pages = map_anonymous(4);
	write_all(pages, 4);
	if (tell("MADV_GUARD_INSTALL", madvise(pages + PAGE, 2 * PAGE, MADV_GUARD_INSTALL)) == 0) {
		expect_api(pages, "C..C");
		expect_refusal(pages + PAGE);
		CHECK_EQUAL(madvise(pages, 3 * PAGE, MADV_GUARD_REMOVE), 0);
		expect_now(pages, "C..C");
		write_unguarded(pages + PAGE);
		expect_everywhere(pages, "CC.C");
		expect_stack("write_unguarded", "fill", 1);
	}
	expect_all_attributed();
	snapshot();
}

/* Huge pages: as one when the kernel can, counted by what is really there. */
static void collapsed(void)
{
	char *room = map_pages(2 * HUGE / PAGE);
	char *huge = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
	write_all(huge, 10);
	int result = madvise(huge, HUGE, MADV_COLLAPSE);
	printf("MADV_COLLAPSE: %d\n", result);
	if (result == 0) {
		expect_count(huge, HUGE / PAGE, 'H', HUGE / PAGE);
		CHECK(!check_watched() || (api_bits(huge + 20 * PAGE) & COWSPY_COPIED));
		expect_advised(huge, "collapse");
	}
	CHECK_EQUAL(huge[9 * PAGE], 'w');
	expect_all_attributed();
	snapshot();
}

static void write_after_process_madvise(char *page)
{
	page[3] = 'p';
}

static void on_ourselves(void)
{
#ifdef SYS_process_madvise
	char *pages = map_anonymous(8);
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct iovec parts[] = {{pages, 2 * PAGE}, {pages + 4 * PAGE, PAGE}};
	write_all(pages, 8);
	long result = syscall(SYS_process_madvise, self, parts, 2, MADV_COLD, 0);
	printf("process_madvise, MADV_COLD: %ld\n", result);
	result = syscall(SYS_process_madvise, self, parts, 2, MADV_DONTNEED, 0);
	printf("process_madvise, MADV_DONTNEED: %ld\n", result);
	if (result > 0) {
		expect_now(pages, "..CC.CCC");
		write_after_process_madvise(pages + PAGE);
		expect_everywhere(pages, ".CCC.CCC");
		expect_stack("write_after_process_madvise", "fill", 1);
		/* It stops at the part that fails. */
		parts[1].iov_base = pages + 1;
		result = syscall(SYS_process_madvise, self, parts, 2, MADV_RANDOM, 0);
		printf("process_madvise, MADV_RANDOM: %ld\n", result);
		expect_advised(pages, "random nohugepage cold");
		expect_advised(pages + 4 * PAGE, "nohugepage cold");
	}
	CHECK(syscall(SYS_process_madvise, self, parts, 2, MADV_COLD, 1) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_process_madvise, -1, parts, 2, MADV_COLD, 0) == -1 && errno == EBADF);
	CHECK(syscall(SYS_process_madvise, self, 8, 2, MADV_COLD, 0) == -1 && errno == EFAULT);
	close(self);
	snapshot();
#endif
}

static void write_wiped(char *page)
{
	page[0] = 'c';
}

static void in_the_child(char *gone, char *wiped, char *kept, char *again)
{
	unsigned char bits;
	expect_now(wiped, "....");
	expect_now(kept, "ssss");
	expect_now(again, "ssss");
	CHECK_EQUAL(wiped[0], 0);
	write_wiped(wiped + PAGE);
	kept[PAGE] = 'c';
	expect_everywhere(wiped, "zC..");
	expect_stack("write_wiped", "fill", 1);
	expect_everywhere(kept, "sCss");
	/* Not mapped here, unless somebody has mapped something else there by now. */
	bool free = mincore(gone, PAGE, &bits) == -1 && errno == ENOMEM;
	if (check_watched() && free)
		CHECK(cowspy_copied(gone, PAGE, &bits) == -1 && errno == ENOMEM);
	CHECK(mmap(gone, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0) == gone);
	gone[PAGE] = 'n';
	expect_everywhere(gone, ".C..");
	exit(0);
}

static void at_a_fork(void)
{
	char *gone = map_anonymous(4), *wiped = map_anonymous(4), *kept = map_anonymous(4),
	     *again = map_anonymous(4);
	write_all(gone, 4);
	write_all(wiped, 4);
	write_all(kept, 4);
	write_all(again, 4);
	CHECK_EQUAL(madvise(gone, 4 * PAGE, MADV_DONTFORK), 0);
	CHECK_EQUAL(madvise(wiped, 4 * PAGE, MADV_WIPEONFORK), 0);
	CHECK_EQUAL(madvise(again, 4 * PAGE, MADV_DONTFORK), 0);
	CHECK_EQUAL(madvise(again, 4 * PAGE, MADV_DOFORK), 0);
	CHECK_EQUAL(madvise(kept, 4 * PAGE, MADV_WIPEONFORK), 0);
	CHECK_EQUAL(madvise(kept, 4 * PAGE, MADV_KEEPONFORK), 0);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		in_the_child(gone, wiped, kept, again);
	CHECK_EQUAL(wait_for(child), 0);
	/* Nobody shares these: they were never copied again. */
	gone[PAGE] = wiped[PAGE] = kept[2 * PAGE] = 'p';
	expect_everywhere(gone, "CCCC");
	expect_everywhere(wiped, "CCCC");
	expect_advised(gone, "dontfork nohugepage");
	expect_advised(wiped, "wipeonfork nohugepage");
	expect_advised(kept, "nohugepage");
}

int main(void)
{
	recorded();
	given_back();
	given_back_later();
	filled();
	guarded();
	collapsed();
	on_ourselves();
	at_a_fork();
	puts("advice: taken");
	return 0;
}
