/*
 * Start and end of a program: start_up COUNT PROGRAM [ARGUMENT ...], with the variables BENCH_NAME
 * as NAME in the program's environment. Prints CPU and wall-clock microseconds of one.
 */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench.h"

#define PREFIX "BENCH_"
#define VARIABLES_MOST 1024

static char *environment[VARIABLES_MOST + 1];

static void make_environment(char **from)
{
	size_t count = 0;
	for (; *from && count < VARIABLES_MOST; from++)
		environment[count++] = strncmp(*from, PREFIX, strlen(PREFIX))
					       ? *from
					       : *from + strlen(PREFIX);
}

static void run(char **arguments)
{
	int status;
	pid_t child = vfork();
	if (child == 0) {
		execve(arguments[0], arguments, environment);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		exit(2);
}

static double microseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage used;
	if (argc < 3) {
		fprintf(stderr, "start_up COUNT PROGRAM [ARGUMENT ...]\n");
		return 2;
	}
	double count = (double)strtoul(argv[1], NULL, 10);
	make_environment(environ);
	uint64_t began = bench_wall();
	for (double i = 0; i < count; i++)
		run(argv + 2);
	uint64_t wall = bench_wall() - began;
	getrusage(RUSAGE_CHILDREN, &used);
	printf("%.1f %.1f\n", (microseconds(used.ru_utime) + microseconds(used.ru_stime)) / count,
	       (double)wall / 1e3 / count);
	return 0;
}
