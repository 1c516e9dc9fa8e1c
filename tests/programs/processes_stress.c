/*
 * Everything at once: 8 threads write first, two fork, one maps and unmaps, one sends itself the
 * snapshot signal. Every byte is in its place, in the children too, and all of it ends.
 */
/* timeout: 120 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITERS 8
#define PAGES 512
#define FORKS 100

static char *zones[WRITERS];
static _Atomic bool stop;
static _Atomic long rounds[WRITERS], mappings, signals, bad;
static _Atomic int failed_children;

static void *write_first(void *argument)
{
	long self = (long)argument;
	unsigned char value = 1;
	while (!stop) {
		for (int i = 0; i < PAGES; i++) {
			zones[self][i * CHECK_PAGE] = (char)value;
			zones[self][i * CHECK_PAGE + CHECK_PAGE - 1] = (char)value;
		}
		for (int i = 0; i < PAGES; i++)
			bad += zones[self][i * CHECK_PAGE] != (char)value;
		value = value % 100 + 1;
		rounds[self]++;
	}
	return NULL;
}

/* In the child the other threads' pages stand still, each written from the front to the back. */
static int look_and_write(void)
{
	int wrong = 0;
	for (int z = 0; z < WRITERS; z++) {
		int steps = 0;
		for (int i = 1; i < PAGES; i++)
			steps += zones[z][i * CHECK_PAGE] != zones[z][(i - 1) * CHECK_PAGE];
		wrong += steps > 1;
	}
	for (int i = 0; i < PAGES; i += 7)
		zones[i % WRITERS][i * CHECK_PAGE + 5] = 'c';
	for (int i = 0; i < PAGES; i += 7)
		wrong += zones[i % WRITERS][i * CHECK_PAGE + 5] != 'c';
	return wrong;
}

static void *fork_often(void *unused)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (!child)
			_exit(look_and_write() ? 1 : 0);
		failed_children += wait_for(child) != 0;
	}
	return unused;
}

static void *map_and_unmap(void *unused)
{
	while (!stop) {
		size_t n = (size_t)(mappings % 40 + 4);
		char *pages = map_anonymous(n);
		for (size_t i = 0; i < n; i += 2)
			pages[i * CHECK_PAGE] = 'm';
		CHECK_EQUAL(mprotect(pages + CHECK_PAGE, CHECK_PAGE, PROT_NONE), 0);
		CHECK_EQUAL(munmap(pages + 2 * CHECK_PAGE, CHECK_PAGE), 0);
		bad += pages[0] != 'm' || pages[3 * CHECK_PAGE] != 0;
		/* Not over the hole: by now it may be somebody else's. */
		CHECK_EQUAL(munmap(pages, 2 * CHECK_PAGE), 0);
		CHECK_EQUAL(munmap(pages + 3 * CHECK_PAGE, (n - 3) * CHECK_PAGE), 0);
		mappings++;
	}
	return unused;
}

static void on_signal(int number)
{
	(void)number;
	signals++;
	zones[0][6] = 's';
}

static void *send_signals(void *unused)
{
	const struct timespec pause = {0, 20000000};
	while (!stop) {
		kill(getpid(), SIGUSR1);
		nanosleep(&pause, NULL);
	}
	return unused;
}

int main(void)
{
	pthread_t writers[WRITERS], forkers[2], mapper, sender;
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < WRITERS; i++)
		zones[i] = map_anonymous(PAGES);
	for (long i = 0; i < WRITERS; i++)
		CHECK_EQUAL(pthread_create(&writers[i], NULL, write_first, (void *)i), 0);
	CHECK_EQUAL(pthread_create(&mapper, NULL, map_and_unmap, NULL), 0);
	CHECK_EQUAL(pthread_create(&sender, NULL, send_signals, NULL), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_create(&forkers[i], NULL, fork_often, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(forkers[i], NULL);
	stop = true;
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i], NULL);
		CHECK(rounds[i] > 0);
	}
	pthread_join(mapper, NULL);
	pthread_join(sender, NULL);
	CHECK(mappings > 0 && signals > 0);
	printf("%d forks, children that failed: %d, bytes out of place: %ld\n", 2 * FORKS,
	       failed_children, bad);
	return 0;
}
