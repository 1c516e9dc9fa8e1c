/* run by: programs/test_children.sh */
/*
 * many_children N: forks N children, eight at a time, each of which writes 4 shared pages and ends,
 * or, each tenth, executes true. Then a daemon that outlives the one that forked it writes 6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char *memory;

static void write_pages(int pages)
{
	for (int i = 0; i < pages; i++)
		memory[i * 4096]++;
}

static void child(int number)
{
	prctl(PR_SET_NAME, number % 2 ? "odd" : "even");
	write_pages(4);
	if (number % 10 == 0)
		execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

static void daemonise(void)
{
	int done[2];
	char byte;

	if (pipe(done))
		exit(1);
	if (!fork()) {
		if (!fork()) {
			setsid();
			prctl(PR_SET_NAME, "the daemon");
			while (getppid() == 1)
				break;
			usleep(100000);
			write_pages(6);
			close(done[0]);
			_exit(0);
		}
		_exit(0);
	}
	close(done[1]);
	wait(NULL);
	if (read(done[0], &byte, 1) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	memory = mmap(NULL, 32 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, 1, 32 * 4096);
	for (int i = 0; i < count; i++) {
		if (!fork())
			child(i);
		if (i % 8 == 7)
			while (wait(NULL) > 0)
				;
	}
	while (wait(NULL) > 0)
		;
	daemonise();
	return 0;
}
