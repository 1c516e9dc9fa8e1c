/* cowspy: the command line. Each verb has a file of its own. */
#include "cowspy.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* at most 39 characters */
	const char *example;
} verbs[] = {
	{"doctor", verb_doctor, "does cowspy work here, with a program?",
	 "cowspy doctor redis-server"},
	{"record", verb_record, "run a program, record first writes", "cowspy record redis-server"},
	{"report", verb_report, "what a recording says: who copied what", "cowspy report"},
	{"top", verb_top, "live: what is copied now", "cowspy top 4250"},
	{"export", verb_export, "a recording for pprof, speedscope, ...",
	 "cowspy export -f folded"},
	{"html", verb_html, "a recording as a page for a browser", "cowspy html -o cow.html"},
	{"diff", verb_diff, "two recordings, before and after", "cowspy diff BEFORE AFTER"},
	{"pages", verb_pages, "page states of any running process", "cowspy pages 4250"},
	{"compare", verb_compare, "which pages processes still share", "cowspy compare 4250 4251"},
	{"snapshot", verb_snapshot, "report of a watched process now", "cowspy snapshot 4250"},
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static FILE *complaints; /* NULL: standard error */

FILE *complain_to(FILE *stream)
{
	FILE *before = complaints;
	complaints = stream;
	return before;
}

/* One line: names of files and processes in it may hold anything. */
static void say(FILE *stream, const char *verb, const char *format, va_list list)
{
	char message[2 * PATH_MAX], shown[2 * PATH_MAX];
	struct text text;
	int length = vsnprintf(message, sizeof(message), format, list);

	if (length < 0)
		return;
	text_start(&text, -1, shown, sizeof(shown));
	text_untrusted(&text, message, strlen(message));
	fprintf(stream, "cowspy%s%s: %.*s", verb ? " " : "", verb ? verb : "", (int)text.length,
		shown);
}

void complain(const char *verb, const char *format, ...)
{
	FILE *stream = complaints ? complaints : stderr;
	va_list list;
	va_start(list, format);
	say(stream, verb, format, list);
	fputc('\n', stream);
	va_end(list);
}

int usage_error(const char *verb, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(stderr, verb, format, list);
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
			"usage: cowspy VERB [OPTION]... [ARGUMENT]...\n"
			"\n"
			"  verb      what it does                            example\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stream, "  %-9s %-39s %s\n", verbs[i].name, verbs[i].summary,
			verbs[i].example);
	fprintf(stream, "\n"
			"  cowspy VERB --help   options of a verb\n"
			"  cowspy --version     version of cowspy\n"
			"\n"
			"To see who wrote first to each page, run a program with the library:\n"
			"  cowspy record PROGRAM     or     LD_PRELOAD=libcowspy.so PROGRAM\n");
}

static int no_verb(const char *word)
{
	char names[16 * VERBS] = "";
	for (size_t i = 0; i < VERBS; i++) {
		strcat(names, i ? ", " : "");
		strcat(names, verbs[i].name);
	}
	complain(NULL, "no verb '%s'; there are %s (see 'cowspy --help')", word, names);
	return STATUS_USAGE;
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
	return no_verb(argv[1]);
}
