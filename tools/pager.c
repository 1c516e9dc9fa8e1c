#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fold.h"

/* In the child. less: leave when it fits, do not fold lines that are too wide. */
static void run(const char *command, int input)
{
	setenv("LESS", "FRSX", 0);
	dup2(input, STDIN_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* 0 when standard output is no terminal, or one that does not tell its width. */
static size_t terminal_width(void)
{
	struct winsize size;
	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
										     : 0;
}

/* Behind standard output from here on: a command, or with NULL our own folding. */
static pid_t start(const char *command)
{
	size_t width = terminal_width();
	int ends[2];
	pid_t pager;

	if ((!command && !width) || pipe2(ends, O_CLOEXEC) != 0)
		return 0;
	fflush(stdout);
	pager = fork();
	if (pager == 0 && command)
		run(command, ends[0]);
	if (pager == 0) {
		close(ends[1]);
		fold_all(ends[0], width);
		_exit(0);
	}
	if (pager > 0)
		dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
	return pager > 0 ? pager : 0;
}

pid_t pager_start(void)
{
	const char *command = getenv("PAGER");

	if (!isatty(STDOUT_FILENO))
		return 0;
	return start(command && *command && strcmp(command, "cat") != 0 ? command : NULL);
}

pid_t pager_start_folding(void)
{
	return start(NULL);
}

void pager_end(pid_t pager)
{
	if (!pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
}
