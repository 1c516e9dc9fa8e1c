/*
 * Calls on tracked memory give the results and errors that they give alone: mprotect as garbage
 * collectors play with it, mremap of every kind, advice, limits, holes.
 */
#include "check.h"

#include <setjmp.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define N 32
static sigjmp_buf recover;
static volatile int faults;
static char *zone; /* addresses are printed relative to it */

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	faults++;
	printf("  fault code %d at %ld\n", info->si_code, (long)((char *)info->si_addr - zone));
	siglongjmp(recover, 1);
}

static void poke(long page)
{
	if (!sigsetjmp(recover, 1)) {
		*(volatile char *)(zone + page * CHECK_PAGE) = (char)page;
		printf("  wrote %ld\n", page);
	}
}

static void peek(long page)
{
	if (!sigsetjmp(recover, 1))
		printf("  read %ld: %d\n", page, *(volatile char *)(zone + page * CHECK_PAGE));
}

static void *at(long page)
{
	return zone + page * CHECK_PAGE;
}

static void result(const char *what, long value)
{
	printf("%s: %ld errno %d\n", what, value, value == -1 ? errno : 0);
	errno = 0;
}

static void moved(const char *what, void *address)
{
	if (address == MAP_FAILED)
		printf("%s: errno %d\n", what, errno);
	else
		printf("%s: %s\n", what, address == zone ? "in place" : "moved");
	errno = 0;
}

static void fresh(void)
{
	if (zone)
		munmap(zone, N * CHECK_PAGE);
	/* Room all around it. */
	zone = mmap(NULL, 3 * N * CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(zone != MAP_FAILED);
	zone += N * CHECK_PAGE;
	CHECK(mmap(zone, N * CHECK_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == zone);
	munmap(zone - N * CHECK_PAGE, N * CHECK_PAGE);
	munmap(zone + N * CHECK_PAGE, N * CHECK_PAGE);
}

static void print_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], rights[8];
	unsigned long start, end;
	size_t mapped = 0;
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 &&
		    end > (uintptr_t)zone && start < (uintptr_t)zone + N * CHECK_PAGE) {
			start = start < (uintptr_t)zone ? (uintptr_t)zone : start;
			if (end > (uintptr_t)zone + N * CHECK_PAGE)
				end = (uintptr_t)zone + N * CHECK_PAGE;
			mapped += end - start;
		}
	fclose(maps);
	printf("  mapped pages: %zu\n", mapped / CHECK_PAGE);
}

static void test_protections(void)
{
	static const int rights[] = {PROT_NONE,
				     PROT_READ,
				     PROT_WRITE,
				     PROT_EXEC,
				     PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_EXEC,
				     PROT_WRITE | PROT_EXEC,
				     PROT_READ | PROT_WRITE | PROT_EXEC};
	fresh();
	for (int i = 0; i < 8; i++) {
		for (int j = 0; j < 8; j++) {
			printf("rights %d then %d\n", rights[i], rights[j]);
			result("mprotect", mprotect(at(4), 4 * CHECK_PAGE, rights[i]));
			poke(5);
			result("mprotect", mprotect(at(5), 2 * CHECK_PAGE, rights[j]));
			poke(4);
			poke(6);
			if (rights[i] != PROT_EXEC) /* depends on the machine's protection keys */
				peek(7);
		}
	}
}

/* A generational collector: protect what is old, take the fault, note it, open it. */
static void test_barriers(void)
{
	volatile long dirty = 0;
	fresh();
	for (int round = 0; round < 200; round++) {
		CHECK_EQUAL(mprotect(zone, N * CHECK_PAGE, PROT_READ), 0);
		for (volatile int i = 0; i < N; i += 1 + round % 5) {
			if (!sigsetjmp(recover, 1)) {
				*(volatile char *)at(i) = 1;
				continue;
			}
			CHECK_EQUAL(mprotect(at(i), CHECK_PAGE, PROT_READ | PROT_WRITE), 0);
			*(volatile char *)at(i) = 2;
			dirty++;
		}
	}
	printf("barriers: %ld\n", dirty);
}

static void quiet_fault(int number)
{
	(void)number;
	siglongjmp(recover, 1);
}

static void test_protect_errors(void)
{
	fresh();
	poke(1);
	poke(9);
	result("unaligned", mprotect(zone + 1, CHECK_PAGE, PROT_READ));
	result("no bits", mprotect(zone, CHECK_PAGE, 0x4000));
	result("length 0", mprotect(zone, 0, PROT_NONE));
	result("wraps", mprotect(zone, -(size_t)zone, PROT_NONE));
	CHECK_EQUAL(munmap(at(12), 2 * CHECK_PAGE), 0);
	/* Up to the hole it has happened. */
	result("over a hole", mprotect(at(8), 8 * CHECK_PAGE, PROT_READ));
	for (int i = 7; i < 12; i++)
		poke(i);
	poke(14);
	result("and back", mprotect(at(8), 8 * CHECK_PAGE, PROT_READ | PROT_WRITE));
	for (int i = 7; i < 12; i++)
		poke(i);
	result("from a hole", mprotect(at(12), 8 * CHECK_PAGE, PROT_READ));
	poke(14);
	print_maps();
}

static void test_unmapping(void)
{
	fresh();
	for (int i = 0; i < N; i += 2)
		poke(i);
	result("middle", munmap(at(10), 4 * CHECK_PAGE));
	poke(9);
	poke(11);
	poke(14);
	result("unaligned", munmap(zone + 1, CHECK_PAGE));
	result("length 0", munmap(zone, 0));
	result("again", munmap(at(10), 4 * CHECK_PAGE));
	print_maps();
	void *address = mmap(at(8), 4 * CHECK_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	printf("no replace: %d %d\n", address == MAP_FAILED, errno);
	address = mmap(at(10), 4 * CHECK_PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	printf("into the hole: %d\n", address == at(10));
	address = mmap(at(2), 20 * CHECK_PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("shared over it: %d\n", address == at(2));
	poke(3);
	peek(1);
	peek(22);
	address = mmap(zone, CHECK_PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0);
	printf("bad descriptor: %d %d\n", address == MAP_FAILED, errno);
	address = mmap(at(4), 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	printf("nothing: %d %d\n", address == MAP_FAILED, errno);
	errno = 0;
	peek(0);
}

static long sum(const char *from, int pages)
{
	long all = 0;
	for (int i = 0; i < pages; i++)
		all = all * 7 + from[i * CHECK_PAGE];
	return all;
}

static void test_mremap(void)
{
	char *other;
	fresh();
	for (int i = 0; i < N; i += 3)
		poke(i);
	long before = sum(zone, N);
	moved("grow", mremap(zone, N * CHECK_PAGE, (N + 8) * CHECK_PAGE, 0));
	printf("  same: %d\n", sum(zone, N) == before);
	moved("shrink", mremap(zone, (N + 8) * CHECK_PAGE, N * CHECK_PAGE, 0));
	other = mmap(NULL, 2 * N * CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *to = mremap(zone, N * CHECK_PAGE, 2 * N * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			  other);
	printf("fixed: %d same %d\n", to == other, sum(other, N) == before);
	other[(N + 3) * CHECK_PAGE] = 1;
	zone = NULL;
	fresh();
	to = mremap(other, N * CHECK_PAGE, N * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, zone);
	printf("do not unmap: %d same %d old %ld\n", to != MAP_FAILED, sum(to, N) == before,
	       sum(other, N));
	other[5 * CHECK_PAGE] = 1;
	moved("no bits", mremap(zone, CHECK_PAGE, 2 * CHECK_PAGE, 64));
	moved("unaligned", mremap(zone + 1, CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE));
	moved("fixed without maymove",
	      mremap(zone, CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_FIXED, other));
	moved("to nothing", mremap(zone, CHECK_PAGE, 0, MREMAP_MAYMOVE));
	moved("overlapping",
	      mremap(zone, 4 * CHECK_PAGE, 4 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(2)));
	CHECK_EQUAL(mprotect(at(4), 4 * CHECK_PAGE, PROT_READ), 0);
	moved("over two mappings", mremap(zone, 8 * CHECK_PAGE, 16 * CHECK_PAGE, MREMAP_MAYMOVE));
	CHECK_EQUAL(munmap(at(20), CHECK_PAGE), 0);
	moved("over a hole", mremap(at(16), 8 * CHECK_PAGE, 16 * CHECK_PAGE, MREMAP_MAYMOVE));
	moved("of a hole", mremap(at(20), CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE));
	/* Up against a neighbour it has to move. */
	CHECK(mmap(at(20), 4 * CHECK_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(20));
	poke(8);
	moved("no room", mremap(at(8), 2 * CHECK_PAGE, 64 * CHECK_PAGE, 0));
	print_maps();
}

static void test_advice(void)
{
	static const int advice[] = {MADV_NORMAL,
				     MADV_RANDOM,
				     MADV_SEQUENTIAL,
				     MADV_WILLNEED,
				     MADV_DONTNEED,
				     MADV_FREE,
				     MADV_REMOVE,
				     MADV_DONTFORK,
				     MADV_DOFORK,
				     MADV_HUGEPAGE,
				     MADV_NOHUGEPAGE,
				     MADV_DONTDUMP,
				     MADV_DODUMP,
				     MADV_WIPEONFORK,
				     MADV_KEEPONFORK,
				     MADV_COLD,
				     MADV_PAGEOUT,
				     MADV_POPULATE_READ,
				     MADV_POPULATE_WRITE,
				     24,
				     101,
				     103,
				     999};
	fresh();
	for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
		memset(zone, 3, 8 * CHECK_PAGE);
		printf("advice %d\n", advice[i]);
		result("  all", madvise(zone, N * CHECK_PAGE, advice[i]));
		if (advice[i] != MADV_FREE)
			printf("  byte %d\n", *(volatile char *)at(2));
		result("  unaligned", madvise(zone + 1, CHECK_PAGE, advice[i]));
		result("  nothing", madvise(zone, 0, advice[i]));
		poke(3);
	}
	CHECK_EQUAL(munmap(at(16), CHECK_PAGE), 0);
	for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
		printf("advice %d", advice[i]);
		result(" over a hole", madvise(at(14), 4 * CHECK_PAGE, advice[i]));
	}
	printf("posix %d %d\n", posix_madvise(zone, CHECK_PAGE, POSIX_MADV_DONTNEED),
	       posix_madvise(zone + 1, CHECK_PAGE, POSIX_MADV_RANDOM));
	unsigned char resident[N];
	result("mincore", mincore(zone, 16 * CHECK_PAGE, resident));
	result("mincore over a hole", mincore(at(14), 4 * CHECK_PAGE, resident));
	result("msync", msync(zone, 8 * CHECK_PAGE, MS_SYNC));
	result("mlock", mlock(zone, 4 * CHECK_PAGE));
	result("munlock", munlock(zone, 4 * CHECK_PAGE));
	result("mlock over a hole", mlock(at(14), 4 * CHECK_PAGE));
	munlock(zone, N * CHECK_PAGE);
}

static void test_files(void)
{
	int fd = file_of_pages(4);
	char *pages = map_file(fd, 6);
	zone = pages;
	for (int i = 0; i < 4; i++)
		peek(i);
	poke(1);
	peek(1);
	signal(SIGBUS, quiet_fault);
	printf("beyond the end: %s\n",
	       sigsetjmp(recover, 1) ? "SIGBUS" : (pages[5 * CHECK_PAGE] = 1, "?"));
	signal(SIGBUS, SIG_DFL);
	result("dontneed", madvise(pages, 4 * CHECK_PAGE, MADV_DONTNEED));
	peek(1);
	result("remove", madvise(pages, 4 * CHECK_PAGE, MADV_REMOVE));
	poke(2);
	result("grow", mremap(pages, 4 * CHECK_PAGE, 5 * CHECK_PAGE, 0) == pages);
	munmap(pages, 6 * CHECK_PAGE);
	int readonly = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	pages = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, readonly, 0);
	result("writable", mprotect(pages, CHECK_PAGE, PROT_READ | PROT_WRITE));
	pages[100] = 1;
	munmap(pages, CHECK_PAGE);
	pages = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_SHARED, readonly, 0);
	result("shared writable", mprotect(pages, CHECK_PAGE, PROT_READ | PROT_WRITE));
	munmap(pages, CHECK_PAGE);
	close(readonly);
	close(fd);
	zone = NULL;
}

static void test_brk(void)
{
	char *before = sbrk(0);
	char *grown = sbrk(20 * CHECK_PAGE);
	printf("sbrk: %d\n", grown == before);
	memset(grown, 1, 20 * CHECK_PAGE);
	printf("sbrk: %d\n", sbrk(-10 * CHECK_PAGE) == before + 20 * CHECK_PAGE);
	printf("sbrk: %d\n", sbrk(0) == before + 10 * CHECK_PAGE);
	errno = 0;
	printf("too far: %d errno %d\n", brk((void *)0x7fffffff0000) == -1, errno);
}

static void test_limits(void)
{
	const struct rlimit space = {(rlim_t)4 << 30, RLIM_INFINITY}, files = {8, 8};
	struct rlimit old;
	CHECK_EQUAL(getrlimit(RLIMIT_AS, &old), 0);
	CHECK_EQUAL(setrlimit(RLIMIT_AS, &space), 0);
	void *address = mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("too much: %d errno %d\n", address == MAP_FAILED, errno);
	fresh();
	poke(1);
	errno = 0;
	address = mremap(zone, N * CHECK_PAGE, (size_t)8 << 30, MREMAP_MAYMOVE);
	printf("too much: %d errno %d\n", address == MAP_FAILED, errno);
	poke(2);
	peek(1);
	errno = 0;
	printf("malloc: %d errno %d\n", malloc((size_t)8 << 30) == NULL, errno);
	CHECK_EQUAL(setrlimit(RLIMIT_AS, &old), 0);
	pid_t child = fork();
	if (!child) {
		CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &files), 0);
		poke(4);
		int count = 0;
		while (dup(1) >= 0)
			count++;
		fresh();
		poke(5);
		_exit(count);
	}
	printf("descriptors left: %d\n", wait_for(child) > 0);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	static char buffer[1 << 20];
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
	test_protections();
	test_protect_errors();
	test_unmapping();
	test_mremap();
	test_advice();
	test_files();
	test_brk();
	fflush(stdout);
	test_limits();
	signal(SIGSEGV, quiet_fault);
	test_barriers();
	return 0;
}
