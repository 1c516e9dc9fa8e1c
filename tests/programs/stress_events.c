/*
 * Everything at once, with a shadow of every first write: 8 threads write, one forks, one maps and
 * unmaps, one asks for snapshots by signal; the children write as well. test_stress_events.sh
 * compares the shadow with the traces.
 *
 *	stress_events FORKS SHADOW
 *
 * SHADOW gets the address of the zone, the number of its pages, then two rows of one byte a page
 * for each epoch: what was written in the parent after that many forks, and what the child of that
 * fork wrote. A writer notes a page for the epoch that it saw on both sides of its write.
 */
/* run by: test_stress_events.sh */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITERS 8
#define PAGES_EACH 32
#define PAGES (WRITERS * PAGES_EACH)
#define SNAPSHOT_EACH 20 /* forks */

static char *zone;
static unsigned char *rows;
static int forks;
static _Atomic unsigned moment; /* 2 * epoch; odd while the fork is under way */
static _Atomic bool stop;
static _Atomic long noted, mappings, snapshots, bad;

static unsigned char *row(int epoch, bool of_child)
{
	return rows + ((size_t)epoch * 2 + of_child) * PAGES;
}

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static void write_noted(int page, unsigned value)
{
	volatile unsigned *at = (volatile unsigned *)(zone + page * CHECK_PAGE + 64);
	unsigned before = moment;
	*at = value;
	if (before % 2 || moment != before)
		return;
	row((int)before / 2, false)[page] = 1;
	noted++;
}

static void *write_first(void *argument)
{
	int first = (int)(long)argument * PAGES_EACH;
	unsigned shadow[PAGES_EACH] = {0}, state = (unsigned)first + 1;
	while (!stop) {
		unsigned page = next_random(&state) % PAGES_EACH, value = next_random(&state);
		volatile unsigned *at = (volatile unsigned *)(zone +
							      (first + (int)page) * CHECK_PAGE +
							      64);
		bad += *at != shadow[page];
		write_noted(first + (int)page, value);
		shadow[page] = value;
	}
	for (int i = 0; i < PAGES_EACH; i++)
		bad += *(unsigned *)(zone + (first + i) * CHECK_PAGE + 64) != shadow[i];
	return NULL;
}

/* Alone here: what the others left may change by our own writes only. */
static int child(int epoch)
{
	unsigned state = (unsigned)epoch;
	int wrong = 0;
	for (int i = 0; i < PAGES; i += 1 + (int)(next_random(&state) % 24)) {
		volatile unsigned *at = (volatile unsigned *)(zone + i * CHECK_PAGE + 128);
		*at = (unsigned)epoch;
		row(epoch, true)[i] = 1;
		wrong += *at != (unsigned)epoch;
	}
	return wrong ? 1 : 0;
}

static void *fork_often(void *unused)
{
	for (int i = 1; i <= forks; i++) {
		moment++;
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			_exit(child(i));
		moment++;
		CHECK_EQUAL(wait_for(pid), 0);
	}
	return unused;
}

static void *map_and_unmap(void *unused)
{
	while (!stop) {
		size_t n = (size_t)(mappings % 30 + 4);
		char *pages = map_anonymous(n);
		for (size_t i = 0; i < n; i += 2)
			pages[i * CHECK_PAGE] = 'm';
		CHECK_EQUAL(mprotect(pages + CHECK_PAGE, CHECK_PAGE, PROT_NONE), 0);
		bad += pages[0] != 'm' || pages[3 * CHECK_PAGE] != 0;
		CHECK_EQUAL(munmap(pages, n * CHECK_PAGE), 0);
		mappings++;
	}
	return unused;
}

static void on_signal(int number)
{
	(void)number;
	snapshots++;
}

static void *ask_for_snapshots(void *unused)
{
	const struct timespec pause = {0, 2000000};
	for (int asked = 0; !stop; nanosleep(&pause, NULL)) {
		if ((int)moment / 2 < asked * SNAPSHOT_EACH)
			continue;
		CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
		asked++;
	}
	return unused;
}

static void map_shadow(const char *path)
{
	size_t head = 2 * sizeof(uint64_t), size = head + (size_t)(forks + 1) * 2 * PAGES;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQUAL(ftruncate(fd, (off_t)size), 0);
	uint64_t *shadow = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(shadow != MAP_FAILED);
	close(fd);
	shadow[0] = (uintptr_t)zone;
	shadow[1] = PAGES;
	rows = (unsigned char *)(shadow + 2);
}

int main(int argc, char **argv)
{
	pthread_t writers[WRITERS], others[3];
	CHECK_EQUAL(argc, 3);
	forks = atoi(argv[1]);
	zone = map_anonymous(PAGES);
	map_shadow(argv[2]);
	signal(SIGUSR1, on_signal);
	for (long i = 0; i < WRITERS; i++)
		CHECK_EQUAL(pthread_create(&writers[i], NULL, write_first, (void *)i), 0);
	CHECK_EQUAL(pthread_create(&others[0], NULL, map_and_unmap, NULL), 0);
	CHECK_EQUAL(pthread_create(&others[1], NULL, ask_for_snapshots, NULL), 0);
	CHECK_EQUAL(pthread_create(&others[2], NULL, fork_often, NULL), 0);
	pthread_join(others[2], NULL);
	stop = true;
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	pthread_join(others[0], NULL);
	pthread_join(others[1], NULL);
	CHECK(noted > 0 && mappings > 0 && snapshots > 0);
	printf("%d forks, %ld values out of place\n", forks, bad);
	return 0;
}
