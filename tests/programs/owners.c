/* run by: programs/test_tool_owners.sh */
/* Variables, heap, arena and named memory that a forked child writes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cowspy.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define SIZE 32768

char initialised_table[SIZE] __attribute__((aligned(4096))) = {1};
static char hidden_table[SIZE] __attribute__((aligned(4096)));

static char *in_arena, *in_heap, *named_here, *named_kernel;

static void *in_thread(void *unused)
{
	(void)unused;
	in_arena = malloc(SIZE);
	memset(in_arena, 1, SIZE);
	return NULL;
}

static char *map(void)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, SIZE);
	return memory;
}

static void write_all(void)
{
	initialised_table[2 * 4096 + 0x40] = 2;
	hidden_table[3 * 4096 + 0x123] = 2;
	in_arena[SIZE / 2] = 2;
	in_heap[SIZE / 2] = 2;
	named_here[4096] = 2;
	named_kernel[4096] = 2;
	cowspy_label("first round");
	hidden_table[4 * 4096] = 2;
	cowspy_label("second\nround");
	hidden_table[5 * 4096] = 2;
}

int main(void)
{
	pthread_t thread;

	hidden_table[0] = 1;
	memset(hidden_table, 1, SIZE);
	if (pthread_create(&thread, NULL, in_thread, NULL) || pthread_join(thread, NULL))
		return 1;
	in_heap = malloc(SIZE);
	memset(in_heap, 1, SIZE);
	named_here = map();
	cowspy_name(named_here, SIZE, "session table");
	named_kernel = map();
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named_kernel, SIZE, "by the kernel");
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		write_all();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
