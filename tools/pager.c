#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child. less: leave when it fits, do not fold lines that are too wide. */
static void run(const char *command, int input)
{
	setenv("LESS", "FRSX", 0);
	dup2(input, STDIN_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

pid_t pager_start(void)
{
	const char *command = getenv("PAGER");
	int ends[2];
	pid_t pager;

	if (!command || !*command || strcmp(command, "cat") == 0 || !isatty(STDOUT_FILENO) ||
	    pipe2(ends, O_CLOEXEC) != 0)
		return 0;
	pager = fork();
	if (pager == 0)
		run(command, ends[0]);
	if (pager > 0)
		dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
	return pager > 0 ? pager : 0;
}

void pager_end(pid_t pager)
{
	if (!pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
}
