/* Ways to end. test_exits.sh expects one report for each but the last few. */
/* run by: test_exits.sh */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

static char *pages;

static void write_at_end(int page)
{
	pages[page * CHECK_PAGE] = 'e';
}

static void at_exit(void)
{
	write_at_end(1);
	expect_pages(pages, "CC..");
}

static void *exit_from_thread(void *unused)
{
	exit(3);
	return unused;
}

static void *last_thread(void *unused)
{
	usleep(20000);
	write_at_end(2);
	expect_pages(pages, "C.C.");
	return unused;
}

static void exit_by_handler(int signal)
{
	(void)signal;
	_exit(3);
}

/* The report of so many pages takes longer than the signal. */
static void return_while_signalled(void)
{
	const int count = 20000;
	const struct itimerval soon = {.it_value = {.tv_usec = 500}};
	char *many = map_anonymous(count);
	for (int page = 0; page < count; page += 2)
		many[page * CHECK_PAGE] = 'm';
	expect_count(many, count, 'C', count / 2);
	signal(SIGALRM, exit_by_handler);
	setitimer(ITIMER_REAL, &soon, NULL);
}

int main(int argc, char **argv)
{
	CHECK(argc >= 2);
	const char *how = argv[1];
	pages = map_anonymous(4);
	write_at_end(0);
	printf("%s\n", how);
	fflush(stdout);
	if (!strcmp(how, "return"))
		return 3;
	if (!strcmp(how, "exit"))
		exit(3);
	if (!strcmp(how, "atexit")) {
		atexit(at_exit);
		exit(3);
	}
	if (!strcmp(how, "_exit"))
		_exit(3);
	if (!strcmp(how, "_Exit"))
		_Exit(3);
	if (!strcmp(how, "quick_exit"))
		quick_exit(3);
	if (!strcmp(how, "exec")) {
		execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
		return 1;
	}
	if (!strcmp(how, "failed exec")) {
		CHECK(execl("/nonexistent", "nonexistent", (char *)NULL) == -1 && errno == ENOENT);
		write_at_end(3);
		expect_pages(pages, "C..C");
		return 3;
	}
	if (!strcmp(how, "thread")) {
		pthread_t thread;
		pthread_create(&thread, NULL, exit_from_thread, NULL);
		pthread_join(thread, NULL);
	}
	if (!strcmp(how, "last thread")) {
		pthread_t thread;
		pthread_create(&thread, NULL, last_thread, NULL);
		pthread_exit(NULL);
	}
	if (!strcmp(how, "closed stderr")) {
		close(2);
		return 3;
	}
	if (!strcmp(how, "signalled")) {
		return_while_signalled();
		return 3;
	}
	return 1;
}
