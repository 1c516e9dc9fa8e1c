/* cowspy html: a recording, or two, as one page for a browser. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cowspy.h"
#include "html.h"
#include "html_assets.h"
#include "output_file.h"
#include "recording.h"

static const char help[] =
	"usage: cowspy html [OPTION]... [DIR|FILE|PID]\n"
	"       cowspy html [OPTION]... BEFORE AFTER\n"
	"\n"
	"Writes a recording as one HTML file that needs no network: the answer, the\n"
	"process tree with bytes on each side of each fork, page maps with the first\n"
	"writer under the pointer, a flame graph, tables, first writes over time,\n"
	"coverage and limits. With two recordings also what has grown. Without an\n"
	"argument the newest folder cowspy.* here is taken.\n"
	"\n"
	"  -o, --output FILE     the file, cow.html by default; -: standard output\n"
	"  -l, --limit N         rows of each table, 100 by default; 0: all\n"
	"      --no-names        no function names: do not open any program or library\n"
	"  -q, --quiet           do not say where the page is\n"
	"  -h, --help            this text\n"
	"\n"
	"example: cowspy html cowspy.redis-server.4250 -o cow.html\n";

enum { OPTION_NO_NAMES = 1 };

struct command {
	const char *paths[DIFF_SIDES], *output;
	unsigned count;
	uint64_t limit;
	bool without_names, quiet, done;
};

static int parse_option(struct command *command, int option, char **argv)
{
	switch (option) {
	case 'o': command->output = optarg; return STATUS_OK;
	case 'l': return parse_number("html", optarg, &command->limit);
	case OPTION_NO_NAMES: command->without_names = true; return STATUS_OK;
	case 'q': command->quiet = true; return STATUS_OK;
	case 'h':
		fputs(help, stdout);
		command->done = true;
		return STATUS_OK;
	default: return wrong_option("html", argv);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"limit", required_argument, NULL, 'l'},
		{"no-names", no_argument, NULL, OPTION_NO_NAMES},
		{"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "o:l:qh", longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->done)
			return status;
	}
	if (argc - optind > DIFF_SIDES)
		return usage_error("html", "more than two recordings");
	command->count = argc - optind == DIFF_SIDES ? DIFF_SIDES : 1;
	for (unsigned i = 0; i < command->count; i++)
		command->paths[i] = argv[optind + (int)i];
	return STATUS_OK;
}

/* ---- what is written ---- */

struct writing {
	const struct command *command;
	struct model *models;
};

static int write_page(FILE *stream, void *context)
{
	const struct writing *writing = context;
	return html_write(stream, writing->models, writing->command->paths, writing->command->count,
			  writing->command->limit);
}

static void say_where(const struct command *command)
{
	struct stat status;
	char buffer[64] = "";
	struct text text;

	if (command->quiet || strcmp(command->output, "-") == 0 ||
	    stat(command->output, &status) != 0)
		return;
	text_start(&text, -1, buffer, sizeof(buffer) - 1);
	text_size(&text, (uint64_t)status.st_size);
	fprintf(stderr, "cowspy html: %s (%s): open it in a browser\n", command->output, buffer);
}

static int status_of(const struct model *models, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (recording_status(&models[i]) != STATUS_OK) {
			complain("html",
				 "the recording is damaged, the end of the page says where; "
				 "what is intact is shown");
			return STATUS_DAMAGED;
		}
	return STATUS_OK;
}

int verb_html(int argc, char **argv)
{
	struct command command = {.output = "cow.html", .limit = 100};
	struct model models[DIFF_SIDES] = {0};
	int status = parse_options(argc, argv, &command);

	if (status != STATUS_OK || command.done)
		return status;
	if (!html_asset_size(&html_d3)) {
		complain("html",
			 "this cowspy was built without D3: install the package node-d3, then "
			 "build it again ('make')");
		return STATUS_FAILED;
	}
	for (unsigned i = 0; i < command.count && status == STATUS_OK; i++) {
		status = recording_load(&models[i], "html", command.paths[i]);
		models[i].without_names = command.without_names;
	}
	if (status == STATUS_OK)
		status = output_file("html", command.output, write_page,
				     &(struct writing){&command, models});
	if (status == STATUS_OK) {
		say_where(&command);
		status = status_of(models, command.count);
	}
	for (unsigned i = 0; i < command.count; i++)
		model_free(&models[i]);
	return status;
}
