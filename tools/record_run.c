#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cowspy.h"

#define ATTEMPTS 1000
#define PROGRESS_SECONDS 1
#define ERASE "\r\033[K" /* the line that the terminal's cursor is in */

/* ---- lines for the user, each in one write ---- */

struct line {
	struct text text;
	char data[2 * PATH_MAX];
};

static struct text *line_start(struct line *line, const char *first)
{
	text_start(&line->text, STDERR_FILENO, line->data, sizeof(line->data));
	text_string(&line->text, first);
	return &line->text;
}

static void text_name(struct text *text, const char *name)
{
	text_untrusted(text, name, strlen(name));
}

static void say_start(const struct run *run)
{
	struct line line;
	struct text *text = line_start(&line, "cowspy: recording process ");
	text_decimal(text, (uint64_t)run->pid);
	text_string(text, " into ");
	text_name(text, run->made);
	text_string(text, "\n");
	text_flush(text);
}

static void text_counts(struct text *text, const struct recorded *recorded)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t processes = recorded_processes(recorded);
	text_decimal(text, processes);
	text_string(text, processes == 1 ? " process, " : " processes, ");
	text_decimal(text, recorded->events);
	text_string(text, recorded->events == 1 ? " first write, " : " first writes, ");
	text_size(text, recorded->copied * page);
	text_string(text, " copied, ");
	text_size(text, recorded->touched * page);
	text_string(text, " touched first");
}

static void say_progress(struct recorded *recorded, const struct timespec *start)
{
	struct line line;
	struct timespec now;
	struct text *text = line_start(&line, ERASE "cowspy: ");
	struct winsize size;
	clock_gettime(CLOCK_MONOTONIC, &now);
	recorded_update(recorded);
	text_counts(text, recorded);
	text_string(text, ", ");
	text_decimal(text, (uint64_t)(now.tv_sec - start->tv_sec));
	text_string(text, " s");
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col &&
	    text->length > sizeof(ERASE) - 1 + size.ws_col)
		text->length = sizeof(ERASE) - 1 + size.ws_col;
	text_flush(text);
}

static void erase_progress(void)
{
	struct line line;
	text_flush(line_start(&line, ERASE));
}

/* A word of a command line, so that the shell takes it as it is. */
static void text_word(struct text *text, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+=:,@%";
	if (*word && !word[strspn(word, plain)]) {
		text_string(text, word);
		return;
	}
	text_string(text, "'");
	for (; *word; word++) {
		if (*word == '\'')
			text_string(text, "'\\''");
		else
			text_untrusted(text, word, 1);
	}
	text_string(text, "'");
}

static void say_end(const struct run *run, struct recorded *recorded)
{
	struct line line;
	struct text *text = line_start(&line, "cowspy: recorded ");
	text_counts(text, recorded);
	text_string(text, "; to see it:\n  cowspy report ");
	text_word(text, run->made);
	text_string(text, "\n");
	text_flush(text);
}

/* ---- the folder ---- */

static char *folder_name(const struct run *run, unsigned attempt)
{
	const char *slash = strrchr(run->path, '/');
	char *name, number[16] = "";
	if (attempt)
		snprintf(number, sizeof(number), ".%u", attempt);
	if (run->folder)
		return strdup(run->folder);
	if (asprintf(&name, "cowspy.%s.%d%s", slash ? slash + 1 : run->path, run->pid, number) < 0)
		return NULL;
	return name;
}

/* A named folder may be there already: files in it are never overwritten. */
static bool folder_make(struct run *run)
{
	int error = EEXIST;
	for (unsigned attempt = 0; error == EEXIST && attempt < ATTEMPTS; attempt++) {
		free(run->made);
		run->made = folder_name(run, attempt);
		error = !run->made ? ENOMEM : mkdir(run->made, 0700) ? errno : 0;
		if (error == EEXIST && run->folder)
			error = access(run->made, W_OK | X_OK) ? errno : 0;
	}
	if (!error)
		return true;
	complain("record", "%s: %s; another place: -o FOLDER", run->made ? run->made : "folder",
		 strerror(error));
	return false;
}

/* ---- the program ---- */

/* The pattern of COWSPY_OUTPUT: the folder as it is, then the process id. */
static char *output_pattern(const char *folder)
{
	char *absolute = realpath(folder, NULL), *pattern = NULL;
	if (absolute)
		pattern = malloc(2 * strlen(absolute) + 4);
	if (pattern) {
		char *to = pattern;
		for (const char *from = absolute; *from; from++) {
			*to++ = *from;
			if (*from == '%')
				*to++ = '%';
		}
		memcpy(to, "/%p", 4);
	}
	free(absolute);
	return pattern;
}

/*
 * Behind what is preloaded already: a library that must come first (a sanitizer's) still does, and
 * ours sees what the others let through to the kernel.
 */
static bool set_environment(const struct run *run)
{
	const char *present = getenv("LD_PRELOAD");
	char *preload = NULL, *pattern = output_pattern(run->made);
	bool set = pattern && setenv("COWSPY_OUTPUT", pattern, 1) == 0 &&
		   setenv("COWSPY_QUIET", "on", 1) == 0 &&
		   asprintf(&preload, "%s%s%s", present ? present : "",
			    present && *present ? ":" : "", run->library) >= 0 &&
		   setenv("LD_PRELOAD", preload, 1) == 0;
	unsetenv("COWSPY_INHERITED");
	free(preload);
	free(pattern);
	return set;
}

struct start {
	int folder[2]; /* its name, once it is made; nothing: give up */
	int error[2];  /* errno of what failed in the child */
	sigset_t mask;
	struct sigaction child_action; /* of SIGCHLD */
};

static char *read_folder(int fd)
{
	static char name[PATH_MAX];
	size_t length = 0;
	ssize_t n;
	while (length < sizeof(name) - 1 &&
	       (n = read(fd, name + length, sizeof(name) - 1 - length)) > 0)
		length += (size_t)n;
	return length ? name : NULL;
}

static _Noreturn void become_program(struct run *run, const struct start *start)
{
	close(start->folder[1]);
	run->made = read_folder(start->folder[0]);
	if (!run->made)
		_exit(STATUS_FAILED);
	int error = set_environment(run) ? 0 : ENOMEM;
	if (!error) {
		sigaction(SIGCHLD, &start->child_action, NULL);
		sigprocmask(SIG_SETMASK, &start->mask, NULL);
		execvp(run->argv[0], run->argv);
		error = errno;
	}
	if (write(start->error[1], &error, sizeof(error)) < 0)
		_exit(STATUS_FAILED);
	_exit(STATUS_NO_PROGRAM);
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The folder is named after the process, so it comes after the fork. 0, or a status. */
static int give_folder(struct run *run, const struct start *start)
{
	int error = 0;
	if (!folder_make(run))
		return STATUS_FAILED;
	if (write(start->folder[1], run->made, strlen(run->made)) < 0)
		error = errno;
	close(start->folder[1]);
	if (!error && read(start->error[0], &error, sizeof(error)) <= 0)
		error = 0;
	if (!error)
		return STATUS_OK;
	complain("record", "%s: %s", run->argv[0],
		 strerror(error == EACCES && is_folder(run->path) ? EISDIR : error));
	rmdir(run->made);
	return error == ENOENT ? STATUS_NO_PROGRAM : STATUS_CANNOT_RUN;
}

/* All signals are blocked here from now on and waited for. */
static int start_program(struct run *run, struct start *start)
{
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t all;
	sigfillset(&all);
	if (pipe2(start->folder, O_CLOEXEC) || pipe2(start->error, O_CLOEXEC)) {
		complain("record", "no pipe: %s", strerror(errno));
		return STATUS_FAILED;
	}
	sigprocmask(SIG_BLOCK, &all, &start->mask);
	sigaction(SIGCHLD, &normal, &start->child_action);
	run->pid = fork();
	if (run->pid == 0)
		become_program(run, start);
	if (run->pid < 0) {
		complain("record", "no process: %s", strerror(errno));
		return STATUS_FAILED;
	}
	close(start->folder[0]);
	close(start->error[1]);
	int status = give_folder(run, start);
	if (status) {
		close(start->folder[1]);
		waitpid(run->pid, NULL, 0);
	}
	return status;
}

/* ---- while it runs ---- */

/* Stop with it, so that the shell's job control sees what it expects. */
static void stop_too(const struct run *run)
{
	kill(getpid(), SIGSTOP);
	kill(run->pid, SIGCONT);
}

/* True when the program has ended. */
static bool look_at_child(const struct run *run, int *wait_status)
{
	while (waitpid(run->pid, wait_status, WNOHANG | WUNTRACED) == run->pid) {
		if (!WIFSTOPPED(*wait_status))
			return true;
		stop_too(run);
	}
	return false;
}

/*
 * What a terminal sends it sends to the program as well, which is in our process group; what a
 * process sends to us is passed on.
 */
static void pass_on(const struct run *run, const siginfo_t *info)
{
	if (info->si_code > 0 || info->si_pid == run->pid)
		return;
	kill(run->pid, info->si_signo);
}

static int watch(struct run *run)
{
	struct recorded recorded = {.folder = run->made};
	const struct timespec wait = {.tv_sec = run->progress ? PROGRESS_SECONDS : 3600};
	struct timespec start;
	int wait_status = 0;
	sigset_t all;
	clock_gettime(CLOCK_MONOTONIC, &start);
	sigfillset(&all);
	while (!look_at_child(run, &wait_status)) {
		siginfo_t info;
		int signal = sigtimedwait(&all, &info, &wait);
		if (signal > 0 && signal != SIGCHLD)
			pass_on(run, &info);
		else if (signal < 0 && errno == EAGAIN && run->progress)
			say_progress(&recorded, &start);
	}
	if (run->progress)
		erase_progress();
	recorded_update(&recorded);
	recorded_keep_maps(&recorded);
	if (!run->quiet)
		say_end(run, &recorded);
	recorded_release(&recorded);
	return wait_status;
}

int run_program(struct run *run, int *status)
{
	struct start start;
	int wait_status = -1;
	*status = start_program(run, &start);
	if (!*status) {
		if (!run->quiet)
			say_start(run);
		wait_status = watch(run);
	}
	free(run->made);
	return wait_status;
}

int run_end_like(int wait_status)
{
	const struct rlimit none = {0, 0};
	sigset_t set;
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	int signal = WTERMSIG(wait_status);
	setrlimit(RLIMIT_CORE, &none); /* the core that counts is the program's */
	sigemptyset(&set);
	sigaddset(&set, signal);
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigaction(signal, &normal, NULL);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + signal;
}
