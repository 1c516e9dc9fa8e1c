/*
 * The first fork of a process that has touched memory: the work that it is for the parent.
 *
 *   fork_latency MEGABYTES exit|exec ROUNDS
 *
 * exit: prints the microseconds of CPU time that fork() takes in the parent, once; arming is part of
 * it. exec: the median of ROUNDS forks whose child execs at once, in microseconds from the fork to
 * the end of the child. Then the kilobytes that are resident in the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double microseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void child(int execs)
{
	if (execs)
		execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

static double fork_once(int execs)
{
	clockid_t clock = execs ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
	double start = microseconds(clock);
	pid_t pid = fork();
	if (!pid)
		child(execs);
	double forked = microseconds(clock);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		exit(1);
	return (execs ? microseconds(clock) : forked) - start;
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

int main(int argc, char **argv)
{
	size_t size = argc > 3 ? (size_t)atol(argv[1]) << 20 : 0;
	int execs = size && !strcmp(argv[2], "exec");
	int rounds = execs ? atoi(argv[3]) : 1;
	double *times = calloc((size_t)(rounds > 0 ? rounds : 1), sizeof(*times));
	if (!size || rounds < 1 || !times)
		return 2;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
	for (int i = 0; i < rounds; i++)
		times[i] = fork_once(execs);
	qsort(times, (size_t)rounds, sizeof(*times), compare);
	printf("%.1f %ld\n", times[rounds / 2], resident_kilobytes());
	return 0;
}
