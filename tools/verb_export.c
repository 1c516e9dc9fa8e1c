/* cowspy export: a recording in the formats of other tools. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cowspy.h"
#include "export.h"
#include "output_file.h"
#include "recording.h"

static const char help[] =
	"usage: cowspy export [OPTION]... [DIR|FILE|PID]\n"
	"\n"
	"Writes a recording in the format of another tool.\n"
	"\n"
	"  -f, --format FORMAT   pprof        for go tool pprof, Pyroscope, Parca\n"
	"                        folded       a stack a line: flame graph tools\n"
	"                        speedscope   www.speedscope.app, a profile a process\n"
	"                        json         everything but the single first writes\n"
	"                        csv          each first write\n"
	"                        openmetrics  totals, for a node exporter's text files\n"
	"  -o, --output FILE     to FILE, once all is written; else standard output\n"
	"  -u, --unit UNIT       pages (default) or bytes, for folded and speedscope\n" SELECTION_HELP
	"      --no-names        no function names: do not open any program or library\n"
	"  -h, --help            this text\n"
	"\n"
	"example: cowspy export --format pprof -o cow.pb.gz cowspy.redis-server.4250\n";

enum { OPTION_NO_NAMES = 1 };

static const struct {
	const char *name;
	int (*run)(const struct export *export);
	bool binary;
} formats[] = {
	{"pprof", export_pprof, true},
	{"folded", export_folded, false},
	{"speedscope", export_speedscope, false},
	{"json", export_json, false},
	{"csv", export_csv, false},
	{"openmetrics", export_openmetrics, false},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

struct command {
	struct selection selection;
	const char *path, *output;
	size_t format;
	bool bytes, without_names, done;
};

static int parse_format(const char *word, size_t *format)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(word, formats[i].name) == 0) {
			*format = i;
			return STATUS_OK;
		}
	return usage_error("export", "no format '%s'", word);
}

static int parse_option(struct command *command, int option, char **argv)
{
	switch (option) {
	case 'f': return parse_format(optarg, &command->format);
	case 'o': command->output = optarg; return STATUS_OK;
	case 'u':
		command->bytes = strcmp(optarg, "bytes") == 0;
		if (command->bytes || strcmp(optarg, "pages") == 0)
			return STATUS_OK;
		return usage_error("export", "no unit '%s'", optarg);
	case OPTION_NO_NAMES: command->without_names = true; return STATUS_OK;
	case 'h':
		fputs(help, stdout);
		command->done = true;
		return STATUS_OK;
	case '?':
	case ':': return wrong_option("export", argv);
	default: return selection_option(&command->selection, "export", option, optarg);
	}
}

static int parse_options(int argc, char **argv, struct command *command)
{
	static const struct option longs[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"unit", required_argument, NULL, 'u'},
		{"no-names", no_argument, NULL, OPTION_NO_NAMES},
		{"help", no_argument, NULL, 'h'},
		SELECTION_OPTIONS,
		{0},
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "f:o:u:h", longs, NULL)) >= 0) {
		status = parse_option(command, option, argv);
		if (status != STATUS_OK || command->done)
			return status;
	}
	if (command->format == FORMATS)
		return usage_error("export", "which format? give --format");
	if (argc - optind > 1)
		return usage_error("export", "more than one recording");
	if (!command->output && formats[command->format].binary && isatty(STDOUT_FILENO))
		return usage_error("export", "%s is no text for a terminal: give --output",
				   formats[command->format].name);
	command->path = argv[optind];
	return STATUS_OK;
}

/* ---- where to ---- */

struct writing {
	struct model *model;
	const struct command *command;
};

static int write_export(FILE *stream, void *context)
{
	const struct writing *writing = context;
	const struct export export = {
		.model = writing->model,
		.selection = &writing->command->selection,
		.bytes = writing->command->bytes,
		.stream = stream,
	};
	return formats[writing->command->format].run(&export);
}

int verb_export(int argc, char **argv)
{
	struct command command = {.format = FORMATS};
	struct model model;
	int status;

	selection_start(&command.selection);
	status = parse_options(argc, argv, &command);
	if (status != STATUS_OK || command.done)
		return status;
	status = recording_load(&model, "export", command.path);
	model.without_names = command.without_names;
	if (status == STATUS_OK)
		status = output_file("export", command.output, write_export,
				     &(struct writing){&model, &command});
	if (status == STATUS_OK)
		status = recording_status(&model);
	if (status == STATUS_DAMAGED)
		complain("export", "the recording is damaged, 'cowspy report' says where; "
				   "what is intact was exported");
	model_free(&model);
	return status;
}
