/* Threads write to fresh pages and note each write that is done in shared memory. */
/* run by: test_trace_kill.sh test_trace.sh */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul

static unsigned long pages;
static unsigned threads;
static char *memory;
static _Atomic(uint64_t)
	*shadow; /* [0]: address of the pages; then one for each page, 1: written */

static void write_page(unsigned long page)
{
	*(volatile char *)(memory + page * PAGE) = 'x';
}

static void *write_share(void *argument)
{
	for (unsigned long page = (uintptr_t)argument; page < pages; page += threads) {
		write_page(page);
		atomic_store_explicit(&shadow[1 + page], 1, memory_order_release);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	if (argc != 4)
		return 2;
	pages = strtoul(argv[1], NULL, 10);
	threads = (unsigned)strtoul(argv[2], NULL, 10);
	size_t size = (pages + 1) * sizeof(*shadow);
	int fd = open(argv[3], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size))
		return 3;
	shadow = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (shadow == MAP_FAILED || memory == MAP_FAILED)
		return 4;
	atomic_store(&shadow[0], (uintptr_t)memory);
	for (uintptr_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, write_share, (void *)i))
			return 5;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	unsigned long sum = 0;
	for (unsigned long page = 0; page < pages; page++)
		sum += memory[page * PAGE] == 'x';
	printf("wrote %lu pages\n", sum);
	return 0;
}
