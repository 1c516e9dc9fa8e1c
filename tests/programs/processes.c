/* The ways to start processes, with private pages written before and after each. */
#include "check.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;
static char *pages;
static int next_page;

static void write_next(void)
{
	pages[next_page++ * CHECK_PAGE] = 'n';
}

static void test_posix_spawn(void)
{
	char *argv[] = {"sh", "-c", "exit 11", NULL};
	pid_t child;
	CHECK_EQUAL(posix_spawnp(&child, "sh", NULL, NULL, argv, environ), 0);
	CHECK_EQUAL(wait_for(child), 11);
	CHECK_EQUAL(posix_spawn(&child, "/nonexistent", NULL, NULL, argv, environ), ENOENT);
}

static void test_system_and_popen(void)
{
	CHECK_EQUAL(WEXITSTATUS(system("exit 12")), 12);
	FILE *stream = popen("echo from a pipe", "r");
	char line[64];
	CHECK(stream && fgets(line, sizeof(line), stream));
	CHECK(!strcmp(line, "from a pipe\n"));
	CHECK_EQUAL(pclose(stream), 0);
}

static void test_vfork(void)
{
	pid_t child = vfork();
	CHECK(child >= 0);
	if (!child) {
		execl("/bin/sh", "sh", "-c", "exit 13", (char *)NULL);
		_exit(99);
	}
	CHECK_EQUAL(wait_for(child), 13);
	child = vfork();
	if (!child)
		_exit(14);
	CHECK_EQUAL(wait_for(child), 14);
}

static void test_fork_exec(void)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		write_next();
		execl("/bin/sh", "sh", "-c", "exit 15", (char *)NULL);
		_exit(99);
	}
	CHECK_EQUAL(wait_for(child), 15);
}

static void test_fork_of_fork(void)
{
	pid_t child = fork();
	if (!child) {
		write_next();
		pid_t grandchild = fork();
		if (!grandchild) {
			write_next();
			_exit(pages[(next_page - 1) * CHECK_PAGE] == 'n' ? 16 : 1);
		}
		_exit(wait_for(grandchild));
	}
	CHECK_EQUAL(wait_for(child), 16);
}

static void *fork_here(void *unused)
{
	test_fork_of_fork();
	return unused;
}

int main(void)
{
	pages = map_anonymous(16);
	write_next();
	test_posix_spawn();
	write_next();
	test_system_and_popen();
	write_next();
	test_vfork();
	write_next();
	test_fork_exec();
	write_next();
	test_fork_of_fork();
	write_next();
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, fork_here, NULL), 0);
	pthread_join(thread, NULL);
	write_next();
	/* Nothing a child wrote is here. */
	for (int i = 0; i < 16; i++)
		CHECK_EQUAL(pages[i * CHECK_PAGE], i < next_page ? 'n' : 0);
	puts("processes: started and ended as told");
	return 0;
}
