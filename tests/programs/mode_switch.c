/*
 * From kernel truth alone to exact and back, by call and by signal, while threads write all the time:
 * what is written in exact mode has its stack, what is written else is a copy that nobody explains,
 * and no byte is lost. A fork in each mode.
 */
/* environment: COWSPY_MODE=standby COWSPY_MODE_SIGNAL=USR2 */
#include <pthread.h>
#include <stdatomic.h>

#include "check_api.h"

#define PAGES 64
#define THREADS 2
#define BUSY_PAGES 512

static _Atomic bool over;

static void write_in_truth(char *pages, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		pages[i * CHECK_PAGE] = 't';
}

static void write_in_exact(char *pages, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		pages[i * CHECK_PAGE] = 'e';
}

static void verify(const char *pages, size_t first, size_t end, char value)
{
	for (size_t i = first; i < end; i++)
		CHECK_EQUAL(pages[i * CHECK_PAGE], value);
}

/* Each round reads back what the last one has written. */
static void *run(void *argument)
{
	char *pages = argument;
	for (unsigned round = 0; !atomic_load(&over); round++)
		for (size_t i = 0; i < BUSY_PAGES; i++) {
			CHECK_EQUAL(pages[i * CHECK_PAGE + 8], (char)round);
			pages[i * CHECK_PAGE + 8] = (char)(round + 1);
		}
	return NULL;
}

static void switch_by_signal(void)
{
	if (check_watched())
		raise(SIGUSR2);
}

static void in_child(char *pages)
{
	pid_t child = fork();
	if (!child) {
		write_in_truth(pages, 0, 4);
		expect_stack("write_in_truth", "any", 0);
		CHECK_EQUAL(cowspy_mode(COWSPY_MODE_EXACT), 0);
		write_in_exact(pages, 4, 8);
		expect_stack("write_in_exact", "fork", 4);
		expect_pages(pages, "CCCCCCCCssssssss");
		exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
}

int main(void)
{
	pthread_t threads[THREADS];
	char *pages = map_anonymous(PAGES);
	char letters[PAGES + 1];
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run, map_anonymous(BUSY_PAGES)), 0);

	write_in_truth(pages, 0, 10);
	CHECK_EQUAL(cowspy_mode(COWSPY_MODE_EXACT), 0);
	CHECK_EQUAL(cowspy_mode(COWSPY_MODE_EXACT), 0);
	write_in_exact(pages, 10, 30);
	write_in_exact(pages, 0, 5);
	if (check_watched())
		CHECK(cowspy_mode(7) == -1 && errno == EINVAL);
	switch_by_signal();
	write_in_truth(pages, 30, 40);
	for (int i = 0; i < 20; i++) {
		switch_by_signal();
		usleep(1000);
	}
	switch_by_signal();
	write_in_exact(pages, 40, 50);
	CHECK_EQUAL(cowspy_mode(COWSPY_MODE_TRUTH), 0);
	write_in_truth(pages, 50, 55);
	memset(letters, '.', PAGES);
	memset(letters, 'C', 55);
	letters[PAGES] = 0;
	expect_pages(pages, letters);
	expect_stack("write_in_exact", "fill", 30);
	expect_stack("write_in_exact", "any", 30);
	expect_stack("write_in_truth", "any", 0);
	snapshot();

	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	verify(pages, 5, 10, 't');
	verify(pages, 10, 30, 'e');
	verify(pages, 0, 5, 'e');
	verify(pages, 50, 55, 't');
	in_child(pages);
	puts("every byte in its place");
	return 0;
}
