/* cowspy pages: the page states of a running process. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sys.h"
#include "cowspy.h"
#include "output.h"
#include "pager.h"
#include "pages.h"

static const char help[] =
	"usage: cowspy pages [OPTION]... PID [RANGE]\n"
	"\n"
	"Shows the state of each page of the private mappings of a running process, with\n"
	"sums by the pagemap beside those of smaps. RANGE is START-END in hexadecimal,\n"
	"as in /proc/PID/maps.\n"
	"\n"
	"  -a, --all             maps in full, not only the first 64 rows of each mapping\n"
	"  -f, --frames          list present pages: frame, map count, flags\n"
	"  -j, --json            one JSON object, with --watch one a line for each look\n"
	"  -w, --watch SECONDS   look again and again, show what has changed\n"
	"  -n, --count N         with --watch: stop after N looks\n"
	"  -h, --help            this text\n"
	"\n"
	"Letters: C copied, mapped only here; H the same in a huge page; S copied and\n"
	"swapped out; s anonymous page shared with another process since a fork; z zero\n"
	"page; f clean file page; ? empty or swapped, under userfaultfd write\n"
	"protection; . untouched\n"
	"\n"
	"example: cowspy pages --watch 1 4250\n";

static bool parse_range(const char *text, struct pages_options *options)
{
	char *end;
	errno = 0;
	options->from = page_floor(strtoull(text, &end, 16));
	if (end == text || *end != '-')
		return false;
	text = end + 1;
	options->to = page_ceil(strtoull(text, &end, 16));
	return end != text && !*end && !errno && options->from < options->to;
}

static bool parse_count(const char *text, unsigned *count)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	*count = (unsigned)value;
	return end != text && !*end && value > 0 && value <= 1000000000;
}

/* STATUS_OK to go on, with options->pid 0 after --help. */
static int parse_options(int argc, char **argv, struct pages_options *options)
{
	static const struct option longs[] = {
		{"all", no_argument, NULL, 'a'},
		{"frames", no_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'},
		{"watch", required_argument, NULL, 'w'},
		{"count", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "afjw:n:h", longs, NULL)) >= 0) {
		switch (option) {
		case 'a': options->all = true; break;
		case 'f': options->list_frames = true; break;
		case 'j': options->json = true; break;
		case 'w':
			if (!parse_seconds(optarg, &options->interval))
				return usage_error("pages", "'%s' is not a number of seconds",
						   optarg);
			break;
		case 'n':
			if (!parse_count(optarg, &options->rounds))
				return usage_error("pages", "'%s' is not a number of looks",
						   optarg);
			break;
		case 'h': fputs(help, stdout); return STATUS_OK;
		default: return wrong_option("pages", argv);
		}
	}
	if (optind == argc)
		return usage_error("pages", "which process? give its process id");
	if (argc - optind > 2)
		return usage_error("pages", "more than a process id and a range");
	if (argc - optind == 2 && !parse_range(argv[optind + 1], options))
		return usage_error("pages", "'%s' is no range START-END", argv[optind + 1]);
	if (!parse_pid(argv[optind], &options->pid))
		return usage_error("pages", "'%s' is not a process id", argv[optind]);
	return STATUS_OK;
}

static double now(void)
{
	return (double)sys_now() / 1e9;
}

static void sleep_until(double when)
{
	struct timespec until = {.tv_sec = (time_t)when};
	until.tv_nsec = (long)((when - (double)until.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static int print(const struct pages_view *view, const struct pages_view *before,
		 const struct pages_options *options, double seconds)
{
	struct text text;
	if (options->json)
		return pages_print_json(view, options, seconds);
	output_start(&text);
	if (before)
		pages_print_changes(view, before, options, seconds, &text);
	else
		pages_print(view, options, &text);
	return output_finish(&text, "pages", STATUS_OK);
}

/* The end of the process is the natural end of watching it. */
static int watch(struct pages_view *view, const struct pages_options *options)
{
	double start = now();
	int status = STATUS_OK;

	for (unsigned round = 1; status == STATUS_OK && round != options->rounds; round++) {
		struct pages_view next;
		int error;
		sleep_until(start + options->interval * round);
		if (process_ended(&view->process))
			break;
		error = pages_read(&next, options);
		if (!error)
			status = print(&next, view, options, now() - start);
		pages_free(view);
		*view = next;
		if (error == -ESRCH)
			break;
		if (error) {
			process_complain("pages", options->pid, error);
			status = STATUS_PROCESS;
		}
	}
	if (status == STATUS_OK && process_ended(&view->process))
		complain("pages", "process %d has ended", options->pid);
	return status;
}

int verb_pages(int argc, char **argv)
{
	struct pages_options options = {.to = UINTPTR_MAX};
	struct pages_view view;
	int status = parse_options(argc, argv, &options), error;
	pid_t pager = 0;

	if (status != STATUS_OK || !options.pid)
		return status;
	error = pages_read(&view, &options);
	if (error) {
		process_complain("pages", options.pid, error);
		pages_free(&view);
		return STATUS_PROCESS;
	}
	if (!view.process.count)
		complain("pages", "process %d has no private mapping here", options.pid);
	if (!options.json)
		pager = options.interval > 0 ? pager_start_folding() : pager_start();
	status = print(&view, NULL, &options, 0);
	if (view.process.exited)
		status = STATUS_PROCESS;
	else if (status == STATUS_OK && options.interval > 0)
		status = watch(&view, &options);
	pager_end(pager);
	pages_free(&view);
	return status;
}
