/* One thread writes to a page, while the kernel writes to it for another: both for the first time. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#define PAGES 20000
#define DELAYS 1000

static char *pages;
static _Atomic int begun = -1, done = -1;

static void *write_each(void *unused)
{
	(void)unused;
	for (int i = 0; i < PAGES; i++) {
		while (atomic_load(&begun) < i)
			;
		pages[(size_t)i * CHECK_PAGE] = 'w';
		while (atomic_load(&done) < i)
			;
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int fd = file_of_pages(1);
	pages = map_anonymous(PAGES);
	CHECK_EQUAL(pthread_create(&thread, NULL, write_each, NULL), 0);
	for (int i = 0; i < PAGES; i++) {
		struct iovec to = {pages + (size_t)i * CHECK_PAGE + 2000, 16};
		atomic_store(&begun, i);
		for (volatile int delay = i % DELAYS * 12; delay; delay--)
			;
		CHECK_EQUAL(preadv(fd, &to, 1, 0), 16);
		atomic_store(&done, i);
	}
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	expect_count(pages, PAGES, 'C', PAGES);
	puts("written by both");
	return 0;
}
