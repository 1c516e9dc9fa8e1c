/*
 * The states of pages through the report, through cowspy_copied and cowspy_query from inside, and,
 * with the argument `wait`, for test_page_states.sh to look from outside.
 */
#include "check_api.h"

#include <time.h>

static void write_page(char *page)
{
	page[10] = 'X';
}

/* Whatever mincore refuses, cowspy_copied refuses for the same reason. */
static void same_errors(const char *pages)
{
	static unsigned char vec[16], *const nowhere = (unsigned char *)8;
	long page = CHECK_PAGE;
	char *hole = map_anonymous(4);
	CHECK_EQUAL(munmap(hole + 2 * page, page), 0);
	const struct {
		const char *address;
		size_t length;
		unsigned char *vec;
	} cases[] = {
		{pages, 4096, vec},
		{pages, 1, vec},
		{pages, 0, vec},
		{pages, 0, nowhere},
		{pages + 1, 4096, vec},
		{pages + 1, 0, vec},
		{hole, 4 * 4096, vec},
		{hole + 2 * 4096, 1, vec},
		{NULL, 4096, vec},
		{pages, (size_t)-1, vec},
		{pages, (size_t)-8192, vec},
		{(const char *)-4096, 4096, vec},
		{pages, 4096, nowhere},
		{pages, 4096, NULL},
		{hole, 4 * 4096, nowhere},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = 0;
		int expected = mincore((void *)(uintptr_t)cases[i].address, cases[i].length,
				       cases[i].vec);
		int expected_errno = errno;
		errno = 0;
		int got = cowspy_copied(cases[i].address, cases[i].length, cases[i].vec);
		if (check_watched() && (got != expected || errno != expected_errno))
			check_fail(__FILE__, __LINE__,
				   "case %zu: mincore %d errno %d, cowspy_copied %d errno %d", i,
				   expected, expected_errno, got, errno);
		if (!check_watched())
			CHECK(got == -1 && errno == ENOSYS);
	}
	CHECK_EQUAL(munmap(hole, 4 * page), 0);
}

static void query(const char *pages, const char *untouched)
{
	struct cowspy_page page;
	if (!check_watched()) {
		CHECK(cowspy_query(pages, &page) == -1 && errno == ENOSYS);
		return;
	}
	errno = 77;
	CHECK_EQUAL(cowspy_query(pages + 5, &page), 0);
	CHECK_EQUAL(errno, 77);
	CHECK_EQUAL(page.start, (uintptr_t)pages);
	CHECK_EQUAL(page.end, (uintptr_t)pages + 4 * CHECK_PAGE);
	CHECK_EQUAL(page.protection, PROT_READ | PROT_WRITE);
	CHECK_EQUAL(page.state, 'C');
	CHECK(page.is_tracked && page.is_recorded);
	CHECK_EQUAL(page.kind, COWSPY_KIND_FILE);
	CHECK_EQUAL(page.cause, COWSPY_CAUSE_WRITE);
	CHECK_EQUAL(page.system_call, -1);
	CHECK_EQUAL(page.thread, getpid());
	CHECK_EQUAL(page.epoch, 0);
	CHECK(page.stack_depth >= 2);
	CHECK(page.stack[0] - (uintptr_t)write_page < 64);
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t age = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - page.time;
	CHECK(age < 60000000000);
	CHECK(!page.name[0] && page.path[0] == '/');

	CHECK_EQUAL(cowspy_query(pages + 3 * CHECK_PAGE, &page), 0);
	CHECK(page.state == 'f' && !page.is_recorded && !page.stack_depth);
	CHECK_EQUAL(cowspy_query(untouched, &page), 0);
	CHECK(page.state == '.' && !page.bits && !page.path[0]);
	/* Memory that nobody tracks: code, the stack. */
	CHECK_EQUAL(cowspy_query((void *)query, &page), 0);
	CHECK(page.state == 'f' && !page.is_tracked && strstr(page.path, "page_states"));
	CHECK_EQUAL(cowspy_query(&now, &page), 0);
	CHECK(page.state == 'C' && !page.is_tracked && !strcmp(page.path, "[stack]"));
	CHECK(cowspy_query(NULL, &page) == -1 && errno == ENOMEM);
	CHECK(cowspy_query(pages, (void *)8) == -1 && errno == EFAULT);
}

/* The kernel writes: pipe(2) its two numbers, which is a first write of its own. */
static void written_by_the_kernel(char *page)
{
	struct cowspy_page answer;
	CHECK_EQUAL(pipe((int *)page), 0);
	close(((int *)page)[0]);
	close(((int *)page)[1]);
	if (!check_watched())
		return;
	CHECK_EQUAL(api_bits(page), COWSPY_COPIED | COWSPY_RESIDENT | COWSPY_KERNEL);
	CHECK_EQUAL(cowspy_query(page, &answer), 0);
	CHECK_EQUAL(answer.cause, COWSPY_CAUSE_SYSCALL);
	CHECK(answer.system_call >= 0 && answer.stack_depth >= 2);
}

/* Many pages, of several mappings, of which the library sees only some. */
static void a_large_range(void)
{
	size_t n = 1000;
	unsigned char *bits = malloc(n);
	char *pages = map_anonymous(n);
	CHECK(bits);
	CHECK(mmap(pages + 300 * CHECK_PAGE, 100 * CHECK_PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	for (size_t i = 0; i < n; i += 3)
		pages[i * CHECK_PAGE] = 1;
	if (check_watched())
		CHECK_EQUAL(cowspy_copied(pages, n * CHECK_PAGE, bits), 0);
	for (size_t i = 0; i < n && check_watched(); i++) {
		bool shared = i >= 300 && i < 400;
		int expected = i % 3 ? 0 : COWSPY_RESIDENT | (shared ? 0 : COWSPY_COPIED);
		if (bits[i] != expected)
			check_fail(__FILE__, __LINE__, "page %zu: expected %x, got %x", i, expected,
				   bits[i]);
	}
	CHECK_EQUAL(munmap(pages, n * CHECK_PAGE), 0);
	free(bits);
}

static void wait_for_byte(int fd)
{
	char byte;
	CHECK_EQUAL(read(fd, &byte, 1), 1);
}

/* Memory that nobody tracks before a fork, and frames that belong to no process. */
static void untracked_memory(void)
{
	static char table[4 * CHECK_PAGE] __attribute__((aligned(CHECK_PAGE)));
	table[CHECK_PAGE] = 't';
	CHECK_EQUAL(read_byte(table + 2 * CHECK_PAGE), 0);
	expect_now(table, ".Cz.");
	char line[4096];
	unsigned long start;
	FILE *maps = fopen("/proc/self/maps", "re");
	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if ((strstr(line, "[vdso]") || strstr(line, "[vvar")) &&
		    sscanf(line, "%lx", &start) == 1)
			CHECK(!(api_bits((const char *)start) & COWSPY_COPIED));
	fclose(maps);
}

static void after_a_fork(char *pages)
{
	int seen[2], written[2];
	CHECK_EQUAL(pipe(seen), 0);
	CHECK_EQUAL(pipe(written), 0);
	pid_t child = fork();
	if (child == 0) {
		expect_api(pages, "s.szs");
		/* Shared, and none of this process's copies. */
		CHECK(!check_watched() || api_bits(pages) == (COWSPY_SHARED | COWSPY_RESIDENT));
		pages[0] = 'c';
		expect_api(pages, "C.szs");
		CHECK_EQUAL(write(seen[1], "s", 1), 1);
		wait_for_byte(written[0]);
		/* The parent has its own now: this one is ours alone, and still no copy. */
		CHECK(!check_watched() || api_bits(pages + 2 * CHECK_PAGE) == COWSPY_RESIDENT);
		_exit(0);
	}
	wait_for_byte(seen[0]);
	/* What was copied before stays this process's copy. */
	CHECK(!check_watched() || api_bits(pages + 2 * CHECK_PAGE) ==
					  (COWSPY_COPIED | COWSPY_SHARED | COWSPY_RESIDENT));
	pages[2 * CHECK_PAGE] = 'p';
	CHECK_EQUAL(write(written[1], "w", 1), 1);
	CHECK_EQUAL(wait_for(child), 0);
	pages[4 * CHECK_PAGE] = 'r';
	expect_api(pages + 4 * CHECK_PAGE, "r");
	expect_api(pages + 2 * CHECK_PAGE, "C");
}

int main(int argc, char **argv)
{
	(void)argv;
	char *pages = map_file(file_of_pages(4), 4);
	char *anonymous = map_anonymous(5);
	write_page(pages);
	write_page(pages + 2 * CHECK_PAGE);
	CHECK_EQUAL(read_byte(pages + 3 * CHECK_PAGE), 'd');
	expect_everywhere(pages, "C?Cf");
	if (argc > 1) {
		/* With the API's own view, for whoever compares. */
		for (int i = 0; i < 4; i++)
			putchar(api_letter(api_bits(pages + i * CHECK_PAGE)));
		printf(" %d %lx\n", getpid(), (unsigned long)(uintptr_t)pages);
		fflush(stdout);
		getchar();
		return 0;
	}
	anonymous[0] = anonymous[2 * CHECK_PAGE] = anonymous[4 * CHECK_PAGE] = 'a';
	CHECK_EQUAL(read_byte(anonymous + 3 * CHECK_PAGE), 0);
	expect_everywhere(anonymous, "C.CzC");
	query(pages, anonymous + CHECK_PAGE);
	same_errors(pages);
	written_by_the_kernel(map_anonymous(1));
	untracked_memory();
	a_large_range();
	expect_stack("write_page", "file", 2);
	snapshot();
	after_a_fork(anonymous);
	puts("page states: as the kernel says");
	return 0;
}
