/* cowspy: the command line. Each verb has a file of its own. */
#include "cowspy.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *example;
} verbs[] = {
	{"record", verb_record, "run a program and record its first writes",
	 "cowspy record -- redis-server"},
	{"doctor", verb_doctor, "whether cowspy works here, and with a program",
	 "cowspy doctor redis-server"},
	{"pages", verb_pages, "page states of a running process", "cowspy pages 4250"},
	{"compare", verb_compare, "which pages processes still share", "cowspy compare 4250 4251"},
	{"snapshot", verb_snapshot, "report of a process that runs with libcowspy.so",
	 "cowspy snapshot 4250"},
	{"report", verb_report, "what a recording says: who copied what", "cowspy report"},
	{"top", verb_top, "live: what a recorded process copies now", "cowspy top 4250"},
	{"export", verb_export, "a recording for pprof, speedscope, flame graphs, ...",
	 "cowspy export -f folded"},
	{"html", verb_html, "a recording as one page for a browser", "cowspy html -o cow.html"},
	{"diff", verb_diff, "two recordings, before and after a change",
	 "cowspy diff BEFORE AFTER"},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static FILE *complaints; /* NULL: standard error */

FILE *complain_to(FILE *stream)
{
	FILE *before = complaints;
	complaints = stream;
	return before;
}

void complain(const char *verb, const char *format, ...)
{
	FILE *stream = complaints ? complaints : stderr;
	va_list list;
	va_start(list, format);
	fprintf(stream, "cowspy %s: ", verb);
	vfprintf(stream, format, list);
	fputc('\n', stream);
	va_end(list);
}

int usage_error(const char *verb, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fprintf(stderr, "cowspy %s: ", verb);
	vfprintf(stderr, format, list);
	fprintf(stderr, " (see 'cowspy %s --help')\n", verb);
	va_end(list);
	return STATUS_USAGE;
}

int wrong_option(const char *verb, char **argv)
{
	const char *word = argv[optind - 1];
	if (optopt && word[0] == '-' && word[1] == '-')
		return usage_error(verb, "%s needs a value or takes none", word);
	if (optopt)
		return usage_error(verb, "wrong option or missing value: -%c", optopt);
	return usage_error(verb, "no option %s", word);
}

bool parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long value;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end || end == text || value <= 0 || value > INT_MAX)
		return false;
	*pid = (pid_t)value;
	return true;
}

bool parse_seconds(const char *text, double *seconds)
{
	char *end;
	*seconds = strtod(text, &end);
	return !*end && end != text && *seconds > 0 && *seconds <= 1e6;
}

int parse_number(const char *verb, const char *text, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno)
		return STATUS_OK;
	return usage_error(verb, "'%s' is no number", text);
}

static void print_help(FILE *stream)
{
	fprintf(stream, "cowspy: which pages of private mappings were really copied\n"
			"\n"
			"usage: cowspy VERB [OPTION]... PID...\n"
			"\n"
			"  verb      what it shows                                     example\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stream, "  %-9s %-49s %s\n", verbs[i].name, verbs[i].summary,
			verbs[i].example);
	fprintf(stream, "\n"
			"  cowspy VERB --help   options of a verb\n"
			"  cowspy --version     version of cowspy\n"
			"\n"
			"To see who wrote first to each page, run a program with the library:\n"
			"  cowspy record PROGRAM     or     LD_PRELOAD=libcowspy.so PROGRAM\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return STATUS_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("cowspy " COWSPY_VERSION);
		return STATUS_OK;
	}
	opterr = 0; /* the messages are ours */
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "cowspy: no verb '%s'; there are ", argv[1]);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", verbs[i].name);
	fprintf(stderr, " (see 'cowspy --help')\n");
	return STATUS_USAGE;
}
