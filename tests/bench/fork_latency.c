/*
 * The first fork of a process that has touched memory: the work that it is for the parent.
 *
 *   fork_latency heap|mapped MEGABYTES exit|exec ROUNDS
 *
 * Prints microseconds of CPU time and the kilobytes that are resident in the process. exit: what the
 * one fork() takes in the parent, arming with it. exec: the median of ROUNDS forks whose child execs
 * at once, for fork() and the child together.
 */
#include "bench.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void child(int execs)
{
	if (execs)
		execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

static double children_microseconds(void)
{
	struct rusage used;
	getrusage(RUSAGE_CHILDREN, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double fork_once(int execs)
{
	double children = children_microseconds(), start = (double)bench_cpu() / 1e3;
	pid_t pid = fork();
	if (!pid)
		child(execs);
	double forked = (double)bench_cpu() / 1e3 - start;
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		exit(1);
	return execs ? forked + children_microseconds() - children : forked;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static long resident_kilobytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%*s %ld", &pages) != 1)
		exit(1);
	fclose(file);
	return pages * 4;
}

/* The heap is watched from the fork on, what the program maps itself from the start. */
static void touch_memory(int in_heap, size_t size)
{
	char *memory = in_heap ? sbrk((intptr_t)size)
			       : mmap(NULL, size, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		exit(1);
	madvise((char *)(((uintptr_t)memory + PAGE - 1) & ~(PAGE - 1)), size & ~(PAGE - 1),
		MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += PAGE)
		memory[at] = 1;
}

int main(int argc, char **argv)
{
	size_t size = argc > 4 ? (size_t)atol(argv[2]) << 20 : 0;
	int execs = size && !strcmp(argv[3], "exec");
	int rounds = execs ? atoi(argv[4]) : 1;
	double *times = calloc((size_t)(rounds > 0 ? rounds : 1), sizeof(*times));
	if (!size || rounds < 1 || !times)
		return 2;
	touch_memory(!strcmp(argv[1], "heap"), size);
	for (int i = 0; i < rounds; i++)
		times[i] = fork_once(execs);
	qsort(times, (size_t)rounds, sizeof(*times), compare);
	printf("%.1f %ld\n", times[rounds / 2], resident_kilobytes());
	return 0;
}
