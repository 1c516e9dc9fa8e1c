/*
 * Protection keys, execute-only memory and what mincore and msync say: the same with pages that the
 * library protects as well. Without keys in the processor the calls fail as they do alone.
 */
#include "check.h"

#include <setjmp.h>

#define PAGES 16

static sigjmp_buf recover;
static char *pages;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	/* After the jump the rights are those that the kernel gives handlers: they are set anew. */
	printf("  code %d at %ld key %d\n", info->si_code, (long)((char *)info->si_addr - pages),
	       info->si_code == SEGV_PKUERR ? (int)info->si_pkey : -1);
	siglongjmp(recover, 1);
}

static void write_page(int page)
{
	if (!sigsetjmp(recover, 1)) {
		*(volatile char *)(pages + page * CHECK_PAGE) = 'w';
		printf("  wrote %d\n", page);
	}
}

static void read_page(int page)
{
	if (!sigsetjmp(recover, 1))
		printf("  read %d: %d\n", page, *(volatile char *)(pages + page * CHECK_PAGE));
}

static void result(const char *what, int value)
{
	printf("%s: %d errno %d\n", what, value, value < 0 ? errno : 0);
	errno = 0;
}

static void try_rights(int key, unsigned rights)
{
	printf("rights %u\n", rights);
	CHECK_EQUAL(pkey_set(key, rights), 0);
	write_page(1);
	CHECK_EQUAL(pkey_set(key, rights), 0);
	read_page(1);
	CHECK_EQUAL(pkey_set(key, rights), 0);
	write_page(4);
	CHECK_EQUAL(pkey_set(key, rights), 0);
	read_page(2);
	printf("  rights now %d\n", pkey_get(key));
	/* The kernel looks at the keys, too. */
	CHECK_EQUAL(pkey_set(key, rights), 0);
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(write(ends[1], "k", 1), 1);
	result("  read into it", (int)read(ends[0], pages + 3 * CHECK_PAGE, 1));
	close(ends[0]);
	close(ends[1]);
}

static void test_keys(void)
{
	write_page(0);
	write_page(2);
	result("bad rights", pkey_alloc(0, 77));
	result("bad flags", pkey_alloc(1, 0));
	int key = pkey_alloc(0, PKEY_DISABLE_WRITE);
	result("pkey_alloc", key);
	if (key < 0) {
		result("pkey_mprotect", pkey_mprotect(pages, CHECK_PAGE, PROT_READ, 1));
		write_page(0);
		return;
	}
	result("pkey_mprotect", pkey_mprotect(pages, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE, key));
	result("no such key", pkey_mprotect(pages, CHECK_PAGE, PROT_READ, 15));
	result("unaligned", pkey_mprotect(pages + 1, CHECK_PAGE, PROT_READ, key));
	try_rights(key, PKEY_DISABLE_WRITE);
	try_rights(key, PKEY_DISABLE_ACCESS);
	try_rights(key, 0);
	result("read only", pkey_mprotect(pages, 2 * CHECK_PAGE, PROT_READ, key));
	write_page(0);
	write_page(2);
	result("mprotect keeps it", mprotect(pages, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE));
	try_rights(key, PKEY_DISABLE_WRITE);
	CHECK_EQUAL(pkey_set(key, PKEY_DISABLE_WRITE), 0);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		write_page(0);
		fflush(stdout);
		_exit(pkey_get(key));
	}
	printf("child: %d\n", wait_for(child));
	CHECK_EQUAL(pkey_set(key, 0), 0);
	write_page(1);
	write_page(3);
	result("back to key 0",
	       pkey_mprotect(pages, PAGES * CHECK_PAGE, PROT_READ | PROT_WRITE, 0));
	result("pkey_free", pkey_free(key));
	result("again", pkey_free(key));
	write_page(3);
}

/* Its bytes are copied: it must work wherever they lie. */
static int answer(void)
{
	return 42;
}

/* Code that may be run only; written, run, opened, written anew. */
static void test_execute_only(void)
{
	char *place = pages + 8 * CHECK_PAGE;
	int (*volatile run)(void) = (int (*)(void))place;
	for (int round = 0; round < 3; round++) {
		memcpy(place, (void *)answer, 32);
		result("execute only", mprotect(place, CHECK_PAGE, PROT_EXEC));
		printf("runs: %d\n", run());
		write_page(8);
		fflush(stdout);
		pid_t child = fork();
		if (!child)
			_exit(run());
		printf("in a child: %d\n", wait_for(child));
		result("open", mprotect(place, CHECK_PAGE, PROT_READ | PROT_WRITE));
		printf("as written: %d\n", !memcmp(place, (void *)answer, 32));
	}
	result("everything", mprotect(place, CHECK_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	printf("runs: %d\n", run());
	write_page(8);
}

static void print_resident(const char *what, void *address, size_t length)
{
	unsigned char resident[PAGES];
	memset(resident, 7, sizeof(resident));
	errno = 0;
	printf("mincore %s: %d errno %d:", what, mincore(address, length, resident), errno);
	for (int i = 0; i < PAGES; i++)
		printf(" %d", resident[i]);
	puts("");
}

static void test_residency(void)
{
	char *some = map_anonymous(PAGES);
	for (int i = 0; i < PAGES; i += 3)
		some[i * CHECK_PAGE] = 1;
	CHECK_EQUAL(read_byte(some + CHECK_PAGE), 0);
	print_resident("of some", some, PAGES * CHECK_PAGE);
	print_resident("of a part", some, 2 * CHECK_PAGE + 1);
	print_resident("unaligned", some + 1, CHECK_PAGE);
	print_resident("of nothing", some, 0);
	print_resident("too long", some, -(size_t)some);
	errno = 0;
	printf("nowhere to: %d errno %d\n", mincore(some, CHECK_PAGE, (unsigned char *)8), errno);
	/* What it writes may be a page not written before. */
	printf("into it: %d\n", mincore(some, CHECK_PAGE, (unsigned char *)some + CHECK_PAGE));
	CHECK_EQUAL(munmap(some + 4 * CHECK_PAGE, CHECK_PAGE), 0);
	print_resident("over a hole", some, 8 * CHECK_PAGE);
	result("msync", msync(some, 4 * CHECK_PAGE, MS_SYNC));
	result("msync over a hole", msync(some, 8 * CHECK_PAGE, MS_SYNC));
	result("msync unaligned", msync(some + 1, CHECK_PAGE, MS_ASYNC));
	result("msync both", msync(some, CHECK_PAGE, MS_ASYNC | MS_SYNC));
	result("msync unknown", msync(some, CHECK_PAGE, 64));
	char *file = map_file(file_of_pages(4), 4);
	file[CHECK_PAGE] = 'p';
	result("msync of a file", msync(file, 4 * CHECK_PAGE, MS_SYNC));
	result("invalidate", msync(file, 4 * CHECK_PAGE, MS_INVALIDATE));
	printf("still: %c%c\n", file[0], file[CHECK_PAGE]);
	CHECK_EQUAL(mlock(some, CHECK_PAGE), 0);
	result("invalidate what is locked", msync(some, CHECK_PAGE, MS_INVALIDATE));
	CHECK_EQUAL(munlock(some, CHECK_PAGE), 0);
}

int main(void)
{
	const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(PAGES);
	test_keys();
	test_execute_only();
	test_residency();
	return 0;
}
