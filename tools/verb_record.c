/* cowspy record: run a program with the library and keep what it says. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowspy.h"
#include "record.h"

static const char help[] =
	"usage: cowspy record [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	"\n"
	"Runs a program with libcowspy.so and records the first write to every page of\n"
	"its private mappings and those of its children. Each process writes a trace\n"
	"(PID.trace) as it runs and a report as text (PID) when it ends or is asked for\n"
	"one.\n"
	"\n"
	"  -o, --output FOLDER     where to (cowspy.PROGRAM.PID)\n"
	"  -s, --scope SCOPE       mappings to watch: auto, mmap, all (auto)\n"
	"  -d, --depth FRAMES      frames kept of each stack, 0 to 128 (32)\n"
	"  -S, --signal SIGNAL     signal that asks for a report, or none (USR1)\n"
	"  -n, --no-follow         only the program itself, not its children\n"
	"  -p, --progress          a line on the terminal that tells how it goes\n"
	"  -q, --quiet             do not say where the recording goes and how to read it\n"
	"      --library PATH      libcowspy.so, if not beside cowspy or in ../lib\n"
	"  -h, --help              this text\n"
	"\n"
	"The exit status is the program's own; a signal that kills it kills this command\n"
	"as well.\n"
	"\n"
	"example: cowspy record -- redis-server --save ''\n";

enum { OPTION_LIBRARY = 256 };

static int refused(const char *option, const char *value, const char *form)
{
	return usage_error("record", "%s %s: not %s", option, value, form);
}

/* What the library would refuse with a line and its default, we refuse before. */
static int set_option(const char *option, const char *variable, const char *value, bool good,
		      const char *form)
{
	if (!good)
		return refused(option, value, form);
	return setenv(variable, value, 1) ? STATUS_FAILED : STATUS_OK;
}

static bool is_scope(const char *value)
{
	return !strcmp(value, "auto") || !strcmp(value, "mmap") || !strcmp(value, "all");
}

static bool is_depth(const char *value)
{
	char *end;
	long number = strtol(value, &end, 10);
	return end != value && !*end && number >= 0 && number <= 128;
}

static int record(struct run *run, const char *library)
{
	int status = STATUS_FAILED;
	char *path = program_find(run->argv[0]), *found = NULL;
	if (!path) {
		complain("record", "%s: %s", run->argv[0],
			 errno == ENOENT ? "no such program" : strerror(errno));
		return errno == ENOENT ? STATUS_NO_PROGRAM : STATUS_CANNOT_RUN;
	}
	if (program_check(path, run->argv))
		found = program_library(library);
	if (found) {
		run->path = path;
		run->library = found;
		int wait_status = run_program(run, &status);
		if (wait_status >= 0)
			status = run_end_like(wait_status);
	}
	free(found);
	free(path);
	return status;
}

int verb_record(int argc, char **argv)
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"scope", required_argument, NULL, 's'},
		{"depth", required_argument, NULL, 'd'},
		{"signal", required_argument, NULL, 'S'},
		{"no-follow", no_argument, NULL, 'n'},
		{"progress", no_argument, NULL, 'p'},
		{"quiet", no_argument, NULL, 'q'},
		{"library", required_argument, NULL, OPTION_LIBRARY},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct run run = {0};
	const char *library = NULL;
	int option, status = STATUS_OK;

	while (!status && (option = getopt_long(argc, argv, "+o:s:d:S:npqh", longs, NULL)) >= 0) {
		switch (option) {
		case 'o': run.folder = optarg; break;
		case 's':
			status = set_option("--scope", "COWSPY_SCOPE", optarg, is_scope(optarg),
					    "one of auto, mmap, all");
			break;
		case 'd':
			status = set_option("--depth", "COWSPY_STACK_DEPTH", optarg,
					    is_depth(optarg), "a number from 0 to 128");
			break;
		case 'S':
			status = set_option("--signal", "COWSPY_SIGNAL", optarg, *optarg,
					    "a signal");
			break;
		case 'n':
			status = set_option("--no-follow", "COWSPY_FOLLOW", "off", true, "");
			break;
		case 'p': run.progress = isatty(STDERR_FILENO); break;
		case 'q': run.quiet = true; break;
		case OPTION_LIBRARY: library = optarg; break;
		case 'h': fputs(help, stdout); return STATUS_OK;
		default: return wrong_option("record", argv);
		}
	}
	if (status)
		return status;
	if (optind == argc)
		return usage_error("record", "which program?");
	run.argv = argv + optind;
	return record(&run, library);
}
