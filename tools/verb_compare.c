/* cowspy compare: which pages several processes still share. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "compare.h"
#include "cowspy.h"
#include "output.h"
#include "pager.h"

#define ROWS 64

static const char help[] =
	"usage: cowspy compare [OPTION]... PID PID...\n"
	"\n"
	"Shows which pages of the private mappings that processes have in common (the\n"
	"same addresses, the same file) are physically one page, and which have been\n"
	"copied. Frame numbers need CAP_SYS_ADMIN; without it, pages that are mapped\n"
	"only once are still known.\n"
	"\n"
	"  -a, --all    all mappings, and maps in full, not only 64 rows of each\n"
	"  -j, --json   one JSON object\n"
	"  -h, --help   this text\n"
	"\n"
	"Letters: s the same anonymous page in all; p in some; C copied, no two the\n"
	"same; ? shared with some process, frame numbers would tell; z zero page; f the\n"
	"file's page; ! changed while it was read; . untouched\n"
	"\n"
	"example: cowspy compare $(pgrep gunicorn)\n";

static void print_pid(const struct compare *compare, unsigned i, struct text *text)
{
	text_decimal(text, (uint64_t)compare->process[i].pid);
	text_character(text, ' ');
	output_string(text, compare->process[i].name);
}

static void print_answer(const struct compare *compare, struct text *text)
{
	const uint64_t *pages = compare->total.pages;
	uint64_t anonymous = pages[COMPARE_SAME] + pages[COMPARE_SOME] + pages[COMPARE_OWN] +
			     pages[COMPARE_UNKNOWN];
	uint64_t shared = pages[COMPARE_SAME];

	text_decimal(text, compare->processes);
	text_string(text, " processes share ");
	if (!compare->frames.numbers) {
		shared = pages[COMPARE_UNKNOWN];
		text_string(text, "at most ");
	}
	text_size(text, shared << PAGE_SHIFT);
	text_string(text, " of ");
	text_size(text, anonymous << PAGE_SHIFT);
	text_string(text, " anonymous private memory (");
	text_percent(text, shared, anonymous);
	text_string(text, ")\n");
}

static void print_states(const struct compare *compare, struct text *text)
{
	text_string(text, "\n   page                                    pages        size\n");
	for (int i = 0; i < COMPARISONS; i++) {
		if (i == COMPARE_UNKNOWN && compare->frames.numbers)
			continue;
		text_string(text, "   ");
		text_character(text, COMPARE_LETTERS[i]);
		text_string(text, "  ");
		text_string(text, compare_names[i]);
		text_pad(text, 36);
		text_decimal_right(text, compare->total.pages[i], 12);
		text_size_right(text, compare->total.pages[i] << PAGE_SHIFT, 12);
		text_character(text, '\n');
	}
}

static void print_processes(const struct compare *compare, struct text *text)
{
	text_string(text, "\n   process                       anonymous    only here\n");
	for (unsigned i = 0; i < compare->processes; i++) {
		text_string(text, "   ");
		print_pid(compare, i, text);
		text_pad(text, 29);
		text_size_right(text, compare->anonymous[i] << PAGE_SHIFT, 12);
		text_size_right(text, compare->total.own[i] << PAGE_SHIFT, 13);
		if (compare->process[i].exited)
			text_string(text, "  ended while it was read");
		text_character(text, '\n');
	}
}

static void print_pairs(const struct compare *compare, struct text *text)
{
	if (!compare->frames.numbers)
		return;
	text_string(text, "\n   the same page in              anonymous         file\n");
	for (unsigned i = 0; i < compare->processes; i++) {
		for (unsigned j = i + 1; j < compare->processes; j++) {
			text_string(text, "   ");
			text_decimal(text, (uint64_t)compare->process[i].pid);
			text_string(text, " and ");
			text_decimal(text, (uint64_t)compare->process[j].pid);
			text_pad(text, 29);
			text_size_right(text, compare->same[i][j] << PAGE_SHIFT, 12);
			text_size_right(text, compare->same_file[i][j] << PAGE_SHIFT, 13);
			text_character(text, '\n');
		}
	}
}

static void print_limits(const struct compare *compare, struct text *text)
{
	char buffer[160];
	if (!compare->frames.numbers) {
		text_string(text, "\n   missing: ");
		text_string(text, frames_missing(&compare->frames, 0, buffer, sizeof(buffer)));
		text_string(text,
			    "\n   without them only pages that one process alone maps (bit 56 "
			    "of the pagemap) are told apart\n");
	}
	if (compare->total.pages[COMPARE_CHANGED])
		text_string(text,
			    "\n   pages that changed while they were read are left out of the "
			    "sums by process\n");
}

/* Has any process an anonymous page here, or is something uncertain? */
static bool is_of_interest(const struct common *common)
{
	return common->incomplete || common->pages[COMPARE_SAME] || common->pages[COMPARE_SOME] ||
	       common->pages[COMPARE_OWN] || common->pages[COMPARE_UNKNOWN] ||
	       common->pages[COMPARE_CHANGED];
}

static void print_common(const struct common *common, size_t max_rows, struct text *text)
{
	const char *separator = "\n   ";

	text_character(text, '\n');
	text_hex(text, common->start, 12);
	text_character(text, '-');
	text_hex(text, common->end, 12);
	text_size_right(text, common->end - common->start, 11);
	text_character(text, ' ');
	output_string(text, *common->mapping->path ? common->mapping->path : "(anonymous)");
	for (int i = 0; i < COMPARE_UNTOUCHED; i++) {
		if (!common->pages[i])
			continue;
		text_string(text, separator);
		text_character(text, COMPARE_LETTERS[i]);
		text_character(text, ' ');
		text_size(text, common->pages[i] << PAGE_SHIFT);
		separator = ", ";
	}
	if (common->incomplete)
		text_string(text, "\n   (could not be read to its end)");
	text_character(text, '\n');
	if (common->runs.count)
		letter_runs_draw(&common->runs, NULL, common->start, common->end, max_rows, text);
}

static int print(const struct compare *compare, size_t max_rows)
{
	pid_t pager = pager_start();
	struct text text;
	size_t hidden = 0;
	int status;

	output_start(&text);
	print_answer(compare, &text);
	print_states(compare, &text);
	print_processes(compare, &text);
	print_pairs(compare, &text);
	print_limits(compare, &text);
	for (size_t i = 0; i < compare->count; i++) {
		if (!max_rows || is_of_interest(&compare->commons[i]))
			print_common(&compare->commons[i], max_rows, &text);
		else
			hidden++;
	}
	if (hidden) {
		text_string(&text, "\nmappings without an anonymous page, not shown: ");
		text_decimal(&text, hidden);
		text_string(&text, " (--all shows them)\n");
	}
	status = output_finish(&text, "compare", STATUS_OK);
	pager_end(pager);
	return status;
}

static int parse_pids(int count, char **arguments, pid_t *pids)
{
	if (count < 2)
		return usage_error("compare", "at least two process ids are needed");
	if (count > COMPARE_MOST)
		return usage_error("compare", "at most %d processes", COMPARE_MOST);
	for (int i = 0; i < count; i++) {
		if (!parse_pid(arguments[i], &pids[i]))
			return usage_error("compare", "'%s' is not a process id", arguments[i]);
		for (int j = 0; j < i; j++)
			if (pids[i] == pids[j])
				return usage_error("compare", "process %d is named twice", pids[i]);
	}
	return STATUS_OK;
}

static int run(const pid_t *pids, unsigned count, bool json, size_t max_rows)
{
	static struct compare compare;
	unsigned failed = 0;
	int error = compare_read(&compare, pids, count, &failed), status;

	if (error == -ENOMEM) {
		complain("compare", "out of memory");
		status = STATUS_FAILED;
	} else if (error) {
		process_complain("compare", pids[failed], error);
		status = STATUS_PROCESS;
	} else {
		status = json ? compare_print_json(&compare) : print(&compare, max_rows);
		for (unsigned i = 0; i < count; i++)
			if (compare.process[i].exited)
				status = STATUS_PROCESS;
	}
	compare_free(&compare);
	return status;
}

int verb_compare(int argc, char **argv)
{
	static const struct option longs[] = {
		{"all", no_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	pid_t pids[COMPARE_MOST];
	size_t max_rows = ROWS;
	bool json = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "ajh", longs, NULL)) >= 0) {
		switch (option) {
		case 'a': max_rows = 0; break;
		case 'j': json = true; break;
		case 'h': fputs(help, stdout); return STATUS_OK;
		default: return wrong_option("compare", argv);
		}
	}
	status = parse_pids(argc - optind, argv + optind, pids);
	if (status != STATUS_OK)
		return status;
	return run(pids, (unsigned)(argc - optind), json, max_rows);
}
