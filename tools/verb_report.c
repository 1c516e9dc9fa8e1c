/* cowspy report: what a recording says. */
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
	"Says which pages were copied in a recording, and whose first writes copied\n"
	"them: the answer, the kinds of first writes, the tree of processes, the first\n"
	"writes by what they have in common, and what was not seen. Without a name the\n"
	"newest folder cowspy.* here is read; a process id stands for the trace that\n"
	"this process is writing.\n"
	"\n"
	"  -b, --by WHAT         stack (default), function, module, mapping, object (the\n"
	"                        variable), process, time (since the fork), label, slice\n"
	"                        (of the whole time)\n"
	"      --callers         instead the tree of calls, from the writers outwards\n"
	"      --pages           each page with its first writers, by address\n" RECORDING_HELP(
		"16") "\n"
		      "example: cowspy report --by function --kind fork cowspy.redis-server.4250\n";

enum { OPTION_PAGES = 1, OPTION_CALLERS };

struct command {
	struct report_options options;
	const char *path;
};

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
	case OPTION_PAGES: options->pages = true; return STATUS_OK;
	case OPTION_CALLERS: options->callers = true; return STATUS_OK;
	default: return recording_option(&options->common, "report", help, option, argv);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"by", required_argument, NULL, 'b'},
		{"pages", no_argument, NULL, OPTION_PAGES},
		{"callers", no_argument, NULL, OPTION_CALLERS},
		RECORDING_OPTIONS,
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "b:" RECORDING_LETTERS, longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->options.common.done)
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
	if (options->common.json) {
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
	struct command command = {0};
	struct model model;
	int status;

	recording_options_start(&command.options.common, 16);
	status = parse_options(argc, argv, &command);
	if (status != STATUS_OK || command.options.common.done)
		return status;
	status = recording_load(&model, "report", command.path);
	model.without_names = command.options.common.without_names;
	if (status == STATUS_OK)
		status = print(&model, &command.options);
	model_free(&model);
	return status;
}
