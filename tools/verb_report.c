/* cowspy report: what a recording says. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cowspy.h"
#include "output.h"
#include "pager.h"
#include "recording.h"
#include "report.h"

static const char help[] =
	"usage: cowspy report [OPTION]... [DIR|FILE|PID]\n"
	"\n"
	"Says which pages were copied in a recording, and whose first writes copied them: the answer,\n"
	"the kinds of first writes, the tree of processes, the first writes by what they have in\n"
	"common, and what was not seen. Without a name the newest folder cowspy.* here is read; a\n"
	"process id stands for the trace that this process is writing.\n"
	"\n"
	"  -b, --by WHAT         stack (default), function, module, mapping, process or time\n"
	"  -l, --limit N         lines shown of each list, 20 by default; 0: all\n"
	"      --frames N        frames shown of each stack, 16 by default; 0: all\n" SELECTION_HELP
	"      --no-names        no function names: do not open any program or library\n"
	"  -j, --json            one JSON object\n"
	"  -h, --help            this text\n"
	"\n"
	"example: cowspy report --by function --kind fork cowspy.redis-server.4250\n";

enum { OPTION_FRAMES = 1, OPTION_NO_NAMES };

struct command {
	struct report_options options;
	const char *path;
	bool without_names, done;
};

static bool parse_count(const char *text, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

static int parse_by(const char *word, enum group_by *by)
{
	for (int i = 0; i < GROUPINGS; i++)
		if (strcmp(word, group_by_names[i]) == 0) {
			*by = (enum group_by)i;
			return STATUS_OK;
		}
	return usage_error("report", "cannot group by '%s'", word);
}

static int parse_option(struct command *command, int option, char **argv)
{
	struct report_options *options = &command->options;

	switch (option) {
	case 'b': return parse_by(optarg, &options->by);
	case 'l':
	case OPTION_FRAMES:
		if (parse_count(optarg, option == 'l' ? &options->limit : &options->frames))
			return STATUS_OK;
		return usage_error("report", "'%s' is no number", optarg);
	case OPTION_NO_NAMES: command->without_names = true; return STATUS_OK;
	case 'j': options->json = true; return STATUS_OK;
	case 'h':
		fputs(help, stdout);
		command->done = true;
		return STATUS_OK;
	case '?':
	case ':': return wrong_option("report", argv);
	default: return selection_option(&options->selection, "report", option, optarg);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"by", required_argument, NULL, 'b'},
		{"limit", required_argument, NULL, 'l'},
		{"frames", required_argument, NULL, OPTION_FRAMES},
		{"no-names", no_argument, NULL, OPTION_NO_NAMES},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		SELECTION_OPTIONS,
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "b:l:jh", longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->done)
			return status;
	}
	if (argc - optind > 1)
		return usage_error("report", "more than one recording");
	command->path = argv[optind];
	return STATUS_OK;
}

static int print(struct model *model, const struct report_options *options)
{
	struct report report;
	struct text text;
	int status;

	if (!report_collect(&report, model, options)) {
		complain("report", "out of memory");
		report_free(&report);
		return STATUS_FAILED;
	}
	if (options->json) {
		status = report_print_json(&report);
	} else {
		pid_t pager = pager_start();
		output_start(&text);
		report_print(&report, &text);
		status = output_finish(&text, "report", STATUS_OK);
		pager_end(pager);
	}
	report_free(&report);
	return status == STATUS_OK ? recording_status(model) : status;
}

int verb_report(int argc, char **argv)
{
	struct command command = {.options = {.limit = 20, .frames = 16}};
	struct model model;
	int status;

	selection_start(&command.options.selection);
	status = parse_options(argc, argv, &command);
	if (status != STATUS_OK || command.done)
		return status;
	status = recording_load(&model, "report", command.path);
	model.without_names = command.without_names;
	if (status == STATUS_OK)
		status = print(&model, &command.options);
	model_free(&model);
	return status;
}
