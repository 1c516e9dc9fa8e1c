/* cowspy diff: a recording before and one after a change. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cowspy.h"
#include "diff.h"
#include "output.h"
#include "pager.h"
#include "recording.h"

/* Status 1 is the answer of --fail-above here, and nothing else. */
enum { STATUS_ABOVE = 1, STATUS_NO_ANSWER = STATUS_RECORDING };

static const char help[] =
	"usage: cowspy diff [OPTION]... BEFORE AFTER\n"
	"\n"
	"Compares two recordings (folders, files): copied bytes by function and by\n"
	"stack, what has grown most first, the growth of the whole in the last line.\n"
	"Functions are the same when their names are. Without any copies in both, or\n"
	"with --kind, first writes are compared.\n"
	"\n"
	"  -b, --by WHAT         only stack or function\n"
	"      --fail-above N%   exit with status 1 when the whole has grown by more\n" RECORDING_HELP(
		"8") "\n"
		     "example: cowspy diff --fail-above 5% before/ after/\n";

enum { OPTION_FAIL_ABOVE = 1 };

struct command {
	struct diff_options options;
	const char *paths[DIFF_SIDES];
};

static int parse_percent(const char *text, double *percent)
{
	char *end;
	*percent = strtod(text, &end);
	if (end != text && (!*end || strcmp(end, "%") == 0) && *percent >= 0 && *percent <= 1e9)
		return STATUS_OK;
	return usage_error("diff", "'%s' is no percentage", text);
}

static int parse_by(const char *word, struct diff_options *options)
{
	options->stacks = strcmp(word, "stack") == 0;
	options->functions = strcmp(word, "function") == 0;
	if (options->stacks || options->functions)
		return STATUS_OK;
	return usage_error("diff", "cannot compare by '%s'", word);
}

static int parse_option(struct command *command, int option, char **argv)
{
	struct diff_options *options = &command->options;

	switch (option) {
	case 'b': return parse_by(optarg, options);
	case OPTION_FAIL_ABOVE: return parse_percent(optarg, &options->fail_above);
	default: return recording_option(&options->common, "diff", help, option, argv);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"by", required_argument, NULL, 'b'},
		{"fail-above", required_argument, NULL, OPTION_FAIL_ABOVE},
		RECORDING_OPTIONS,
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "b:" RECORDING_LETTERS, longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->options.common.done)
			return status;
	}
	if (argc - optind != DIFF_SIDES)
		return usage_error("diff", "which two recordings? one before, one after");
	for (int i = 0; i < DIFF_SIDES; i++)
		command->paths[i] = argv[optind + i];
	return STATUS_OK;
}

static int compare(struct diff *diff, const struct diff_options *options)
{
	struct text text;
	int status;

	if (!diff_collect(diff)) {
		complain("diff", "out of memory");
		return STATUS_NO_ANSWER;
	}
	if (options->common.json) {
		status = diff_print_json(diff, options);
	} else {
		pid_t pager = pager_start();
		output_start(&text);
		diff_print(diff, options, &text);
		status = output_finish(&text, "diff", STATUS_OK);
		pager_end(pager);
	}
	if (status != STATUS_OK)
		return STATUS_NO_ANSWER;
	for (unsigned i = 0; i < DIFF_SIDES; i++)
		if (recording_status(&diff->models[i]) != STATUS_OK) {
			complain("diff", "the recording %s is damaged, 'cowspy report' says where",
				 i == DIFF_BEFORE ? "before" : "after");
			return STATUS_DAMAGED;
		}
	if (options->fail_above >= 0 &&
	    diff_percent(diff->bytes[DIFF_BEFORE], diff->bytes[DIFF_AFTER]) > options->fail_above)
		return STATUS_ABOVE;
	return STATUS_OK;
}

int verb_diff(int argc, char **argv)
{
	struct command command = {.options.fail_above = -1};
	struct model models[DIFF_SIDES] = {0};
	struct diff diff = {.models = models};
	int status;

	recording_options_start(&command.options.common, 8);
	status = parse_options(argc, argv, &command);
	if (status != STATUS_OK || command.options.common.done)
		return status;
	diff.selection = command.options.common.selection;
	for (int i = 0; i < DIFF_SIDES && status == STATUS_OK; i++) {
		status = recording_load(&models[i], "diff", command.paths[i]);
		models[i].without_names = command.options.common.without_names;
	}
	status = status == STATUS_OK ? compare(&diff, &command.options) : STATUS_NO_ANSWER;
	diff_free(&diff);
	for (int i = 0; i < DIFF_SIDES; i++)
		model_free(&models[i]);
	return status;
}
