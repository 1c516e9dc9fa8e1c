/* cowspy top: a live view of what is copied now. */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cowspy.h"
#include "output.h"
#include "pager.h"
#include "recording.h"
#include "top_screen.h"

#define SHARE_OF_TIME 10 /* reading takes at most one part of so many */

static const char help[] =
	"usage: cowspy top [OPTION]... [DIR|FILE|PID]\n"
	"\n"
	"Shows, while a recording is written, what is being copied: bytes and bytes a\n"
	"second by process, mapping and stack, since the last fork of each process.\n"
	"Without a name the newest folder cowspy.* here is read; a process id stands for\n"
	"the trace that this process is writing.\n"
	"\n"
	"  -d, --delay SECONDS   between two looks, 2 by default\n"
	"  -n, --count N         end after so many looks\n"
	"  -a, --all             since the start, not only since the last fork\n"
	"  -b, --batch           print lines; once, when the output is no terminal\n"
	"      --no-names        no function names: do not open any program or library\n"
	"  -h, --help            this text\n"
	"\n"
	"keys: q quit, space pause, a since the start or the last fork, p, m, s only\n"
	"processes, mappings, stacks, + and - look more or less often.\n"
	"\n"
	"example: cowspy top $(pidof redis-server)\n";

enum { OPTION_NO_NAMES = 1 };

struct command {
	struct top_pace pace;
	const char *path;
	bool all, batch, without_names, done;
};

/* ---- options ---- */

static int parse_count(const char *value, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || !*count)
		return usage_error("top", "'%s' is not a number of looks", value);
	return STATUS_OK;
}

static int parse_option(struct command *command, int option, char **argv)
{
	switch (option) {
	case 'd':
		if (parse_seconds(optarg, &command->pace.seconds))
			return STATUS_OK;
		return usage_error("top", "'%s' is not a number of seconds", optarg);
	case 'n': return parse_count(optarg, &command->pace.count);
	case 'a': command->all = true; return STATUS_OK;
	case 'b': command->batch = true; return STATUS_OK;
	case OPTION_NO_NAMES: command->without_names = true; return STATUS_OK;
	case 'h':
		fputs(help, stdout);
		command->done = true;
		return STATUS_OK;
	default: return wrong_option("top", argv);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"delay", required_argument, NULL, 'd'},
		{"count", required_argument, NULL, 'n'},
		{"all", no_argument, NULL, 'a'},
		{"batch", no_argument, NULL, 'b'},
		{"no-names", no_argument, NULL, OPTION_NO_NAMES},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "d:n:abh", longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->done)
			return status;
	}
	if (argc - optind > 1)
		return usage_error("top", "more than one recording");
	command->path = argv[optind];
	return STATUS_OK;
}

/* ---- looking ---- */

int top_look(struct live *live, const struct top_pace *pace, int *wait)
{
	struct timespec begin, end;
	double seconds = pace->seconds, took;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	live->window = (uint64_t)(seconds * 1e9);
	error = live_read(live);
	clock_gettime(CLOCK_MONOTONIC, &end);
	took = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	if (seconds < took * SHARE_OF_TIME)
		seconds = took * SHARE_OF_TIME;
	*wait = (int)(seconds * 1000);
	return error;
}

/* Until the count is reached, or nothing can change any more. */
static int print_batch(struct live *live, const struct top_pace *pace, int *status)
{
	for (uint64_t looks = 1;; looks++) {
		struct text text;
		int wait, error = top_look(live, pace, &wait);
		if (error)
			return error;
		output_start(&text);
		if (looks > 1)
			text_character(&text, '\n');
		live_print(live, &text, 0);
		*status = output_finish(&text, "top", STATUS_OK);
		if (*status != STATUS_OK || looks == pace->count || !live_runs(live))
			return 0;
		usleep((useconds_t)wait * 1000);
	}
}

static int look(struct command *command, const char *path)
{
	struct live live;
	bool screen = !command->batch && isatty(STDOUT_FILENO);
	int status = STATUS_OK, error;
	pid_t pager;

	if (!screen && !command->batch && !command->pace.count)
		command->pace.count = 1;
	setlocale(LC_CTYPE, "");
	live_start(&live, path);
	live.from_start = command->all;
	live.model.without_names = command->without_names;
	pager = screen ? 0 : pager_start_folding();
	error = screen ? top_screen(&live, &command->pace)
		       : print_batch(&live, &command->pace, &status);
	pager_end(pager);
	if (error == -ENOTTY) {
		complain("top", "TERM names no terminal that is known here; --batch prints lines");
		status = STATUS_FAILED;
	} else if (error) {
		status = recording_explain("top", path, &live.model, error);
	} else if (status == STATUS_OK) {
		status = recording_status(&live.model);
	}
	live_free(&live);
	return status;
}

int verb_top(int argc, char **argv)
{
	struct command command = {.pace.seconds = 2};
	int status = parse_options(argc, argv, &command);
	char *path;

	if (status != STATUS_OK || command.done)
		return status;
	path = recording_choose("top", command.path, &status);
	if (!path)
		return status;
	status = look(&command, path);
	free(path);
	return status;
}
