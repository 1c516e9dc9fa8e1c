/*
 * Limits, and what an executed program inherits: the descriptors that the program has opened and no
 * others, none below 3 taken by us, whichever limits are in force. And quick_exit, with what at_quick_exit has registered.
 */
#include "check.h"

#include <dirent.h>
#include <spawn.h>
#include <sys/resource.h>

#define PAGES 256

extern char **environ;
static char *pages;

static void touch(void)
{
	static int next;
	pages[next++ % PAGES * CHECK_PAGE] = 1;
}

/* The open ones; of the folder that is read to find out, none. */
static void print_descriptors(const char *what)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	bool open[64] = {false};
	CHECK(folder);
	while ((entry = readdir(folder)))
		if (atoi(entry->d_name) < 64 && atoi(entry->d_name) != dirfd(folder))
			open[atoi(entry->d_name)] |= entry->d_name[0] != '.';
	/* README: the library's own one is the highest possible below 1000. */
	struct rlimit limit;
	CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 64)
		open[limit.rlim_cur - 1] = false;
	closedir(folder);
	printf("%s:", what);
	for (int fd = 0; fd < 64; fd++)
		if (open[fd])
			printf(" %d", fd);
	puts("");
	fflush(stdout);
}

static void print_limits(void)
{
	static const int kinds[] = {RLIMIT_AS, RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_CORE,
				    RLIMIT_FSIZE};
	struct rlimit limit;
	printf("limits:");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		CHECK_EQUAL(getrlimit(kinds[i], &limit), 0);
		printf(" %lld", (long long)limit.rlim_cur);
	}
	puts("");
	fflush(stdout);
}

static int executed(void)
{
	print_descriptors("  executed");
	print_limits();
	return 6;
}

static char *arguments[] = {(char *)"processes_limits", (char *)"executed", NULL};

/* Only its own descriptors: the tests' output may lie anywhere. */
static void only_standard(void)
{
	CHECK_EQUAL(close_range(3, ~0u, 0), 0);
}

static int in_child(int (*body)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		touch();
		int status = body();
		fflush(stdout);
		_exit(status);
	}
	return wait_for(child);
}

static int run_fexecve(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	CHECK_EQUAL(open("/dev/null", O_RDONLY), self + 1);
	errno = 0;
	printf("fexecve of none: %d errno %d\n", fexecve(-1, arguments, environ), errno);
	errno = 0;
	printf("fexecve of no program: %d errno %d\n", fexecve(self + 1, arguments, environ),
	       errno);
	touch();
	fflush(stdout);
	fexecve(self, arguments, environ);
	return 1;
}

static int run_spawn(void)
{
	pid_t child;
	CHECK(open("/dev/null", O_RDONLY) >= 3);
	CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 3);
	CHECK_EQUAL(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
	return wait_for(child);
}

static int run_system(void)
{
	char command[64];
	CHECK(open("/dev/null", O_RDONLY) >= 3);
	snprintf(command, sizeof(command), "/proc/%d/exe executed", getpid());
	return WEXITSTATUS(system(command));
}

/* Everything closed, as daemons do it: the first new one is 0. */
static int run_closefrom(void)
{
	int out = fcntl(1, F_DUPFD, 40);
	touch();
	close(0);
	int zero = open("/dev/null", O_RDWR);
	int three = dup(zero), four = dup(zero);
	closefrom(four);
	touch();
	int again = dup(zero);
	printf("closefrom: %d %d %d then %d, output gone %d\n", zero, three, four, again,
	       fcntl(out, F_GETFD));
	print_descriptors("left");
	fflush(stdout);
	int saved = dup(1);
	CHECK_EQUAL(close_range(0, 2, 0), 0);
	touch();
	int first = open("/dev/null", O_RDWR), second = dup(first), third = dup(first);
	CHECK_EQUAL(dup2(saved, 1), 1);
	printf("from nothing: %d %d %d\n", first, second, third);
	return 0;
}

static void limit(int kind, rlim_t value)
{
	const struct rlimit both = {value, value};
	CHECK_EQUAL(setrlimit(kind, &both), 0);
}

static int run_few_files(void)
{
	limit(RLIMIT_NOFILE, 8); /* README: the executed one has one less */
	touch();
	int count = 0;
	errno = 0;
	while (dup(0) >= 0)
		count++;
	printf("few files: %d errno %d\n", count, errno);
	touch();
	CHECK_EQUAL(close_range(4, ~0u, 0), 0);
	fflush(stdout);
	return execv("/proc/self/exe", arguments);
}

static int grandchild(void)
{
	touch();
	return 4;
}

static int run_no_files(void)
{
	limit(RLIMIT_NOFILE, 0);
	touch();
	printf("no files: %d", dup(0));
	printf(" errno %d", errno);
	printf(" child %d\n", in_child(grandchild));
	return 3;
}

static int deepen(int depth)
{
	volatile char frame[CHECK_PAGE];
	frame[depth] = 1;
	touch();
	return depth ? deepen(depth - 1) + frame[depth] : 0;
}

static int run_small_stack(void)
{
	limit(RLIMIT_STACK, 256 * 1024);
	printf("small stack: %d\n", deepen(40));
	fflush(stdout);
	return execv("/proc/self/exe", arguments);
}

/* Deeper than the limit: it dies as it does alone. */
static int run_too_deep(void)
{
	limit(RLIMIT_STACK, 256 * 1024);
	limit(RLIMIT_CORE, 0);
	return deepen(2000);
}

static int run_little_space(void)
{
	limit(RLIMIT_AS, (rlim_t)512 << 20);
	char *all = malloc((size_t)300 << 20), *more;
	CHECK(all);
	all[0] = all[(300 << 20) - 1] = 1;
	errno = 0;
	more = malloc((size_t)300 << 20);
	printf("little space: %d errno %d\n", more == NULL, errno);
	for (int page = 0; page < PAGES; page += 2)
		pages[page * CHECK_PAGE] = 2;
	printf("child: %d\n", in_child(grandchild));
	return 0;
}

/* A file may not grow, and that is no reason to get its signal. */
static int run_small_files(void)
{
	limit(RLIMIT_FSIZE, 4096);
	for (int page = 1; page < PAGES; page += 2)
		pages[page * CHECK_PAGE] = 3;
	printf("small files: child %d\n", in_child(grandchild));
	return 0;
}

static void at_quick_end(void)
{
	touch();
	printf("at quick_exit\n");
	fflush(stdout);
}

static int run_quick_exit(void)
{
	CHECK_EQUAL(at_quick_exit(at_quick_end), 0);
	quick_exit(8);
}

#define RUN(body) printf(#body ": %d\n", in_child(body))

int main(int argc, char **argv)
{
	(void)argv;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc > 1)
		return executed();
	only_standard();
	pages = map_anonymous(PAGES);
	touch();
	print_descriptors("at first");
	RUN(run_fexecve);
	RUN(run_spawn);
	RUN(run_system);
	RUN(run_closefrom);
	RUN(run_few_files);
	RUN(run_no_files);
	RUN(run_small_stack);
	RUN(run_too_deep);
	RUN(run_little_space);
	RUN(run_small_files);
	RUN(run_quick_exit);
	print_descriptors("at last");
	return 0;
}
