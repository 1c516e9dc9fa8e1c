/* The sums above, and the coverage and limits below. */
#include "base/sort.h"
#include "base/sys.h"
#include "observe/stacks.h"
#include "report/parts.h"
#include "track/guard.h"
#include "track/pages.h"
#include "track/recording.h"
#include "track/syscall_table.h"

#define UNTRACKED_SHOWN 10

static void total_line(struct text *text, const char *name, uint64_t pages, const char *meaning)
{
	text_string(text, "  ");
	text_string(text, name);
	text_character(text, ' ');
	text_decimal(text, pages);
	text_pad(text, 20);
	text_size_right(text, pages * PAGE_SIZE, 11);
	text_string(text, "   ");
	text_string(text, meaning);
	text_character(text, '\n');
}

static void cause(struct text *text, const char *name, uint64_t pages, bool *any)
{
	if (!pages)
		return;
	text_string(text, *any ? ", " : "  by ");
	text_string(text, name);
	text_character(text, ' ');
	text_decimal(text, pages);
	*any = true;
}

/* "  by instructions 25500, read 80, mlock 2": system calls by name. */
static void causes(struct text *text, const struct snapshot *snapshot)
{
	uint64_t unnamed = snapshot->causes[CAUSE_SYSCALL];
	bool any = false;

	cause(text, "instructions", snapshot->causes[CAUSE_WRITE], &any);
	for (unsigned nr = 0; nr < SYSCALLS_MOST; nr++) {
		const struct syscall_entry *entry = syscall_entry(nr);
		if (!entry || !entry->name)
			continue;
		cause(text, entry->name, snapshot->syscalls[nr], &any);
		unnamed -= snapshot->syscalls[nr];
	}
	cause(text, "other system calls", unnamed, &any);
	cause(text, "locking", snapshot->causes[CAUSE_LOCK], &any);
	cause(text, "populating", snapshot->causes[CAUSE_POPULATE], &any);
	if (any)
		text_character(text, '\n');
}

static void changes(struct text *text, const struct snapshot *snapshot)
{
	uint64_t bytes = snapshot->compared * PAGE_SIZE;

	if (snapshot->compared) {
		text_string(text, "  amplification: ");
		text_size(text, bytes);
		text_string(text, " copied for ");
		text_size(text, snapshot->changed_bytes);
		text_string(text, " of changed bytes (");
		text_percent(text, snapshot->changed_bytes, bytes);
		text_string(text, "); ");
		text_percent(text, snapshot->identical, snapshot->compared);
		text_string(text, " of these pages are as they were before: silent stores\n");
	}
	if (snapshot->not_compared) {
		text_string(text, "  not compared: ");
		text_decimal(text, snapshot->not_compared);
		text_string(text, " copied pages of which nobody kept what they were; a higher "
				  "COWSPY_COMPARE keeps more\n");
	}
}

void report_totals(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct text *text = &report->text;

	if (snapshot->truth_error)
		text_string(text, "no kernel truth, /proc/self/pagemap cannot be read: "
				  "the counts below are from events alone\n");
	text_string(text, "\ncopied ");
	text_decimal(text, snapshot->copied);
	text_string(text, " = attributed ");
	text_decimal(text, snapshot->attributed);
	text_string(text, " + unattributed ");
	text_decimal(text, snapshot->copied - snapshot->attributed);
	text_string(text, " (pages; the attributed ones by what was there before)\n");
	total_line(text, "file", snapshot->kinds[KIND_FILE], "copied from a file's page cache");
	total_line(text, "zero", snapshot->kinds[KIND_ZERO],
		   "read before, copied from the zero page");
	total_line(text, "fill", snapshot->kinds[KIND_FILL], "first touch: a new page, no copy");
	total_line(text, "fork", snapshot->kinds[KIND_FORK], "copied, since a fork had shared it");
	total_line(text, "unknown", snapshot->kinds[KIND_UNKNOWN], "the kernel could not be asked");
	total_line(text, "reuse", snapshot->reused,
		   "written in place after a fork, no copy; not in this sum");
	causes(text, snapshot);
	changes(text, snapshot);
}

/* ---- coverage and limits ---- */

/* "1 page", "2 pages" */
static void counted(struct text *text, uint64_t count, const char *noun)
{
	text_decimal(text, count);
	text_character(text, ' ');
	text_string(text, noun);
	text_string(text, count == 1 ? "" : "s");
}

static void attributed_share(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct text *text = &report->text;
	uint64_t unattributed = snapshot->copied - snapshot->attributed;

	if (snapshot->copied) {
		text_string(text, "  attributed: ");
		text_percent(text, snapshot->attributed, snapshot->copied);
		text_string(text, " of the copied pages\n");
	}
	if (unattributed) {
		text_string(text, "  unattributed: ");
		counted(text, unattributed, "page");
		text_string(text, ", written where or when nobody watched\n");
	}
}

static void events(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct text *text = &report->text;
	uint64_t explaining = snapshot->attributed + snapshot->reused;
	uint64_t gone = snapshot->events > explaining ? snapshot->events - explaining : 0;

	text_string(text, "  ");
	counted(text, snapshot->events, "first write");
	text_string(text, " recorded");
	if (gone) {
		text_string(text, ", ");
		text_decimal(text, gone);
		text_string(text, " of them of pages given back, or written again after a fork");
	}
	if (journal_lost()) {
		text_string(text, "; ");
		text_decimal(text, journal_lost());
		text_string(text, " lost: memory was short, or a number too large");
	}
	text_character(text, '\n');
}

/* Mappings that share a reason for not being protected. */
struct excluded {
	uint64_t count, bytes, copied;
};

static void excluded_add(struct excluded *excluded, const struct mapping *mapping)
{
	excluded->count++;
	excluded->bytes += mapping->region.end - mapping->region.start;
	excluded->copied += mapping->copied;
}

/* "3 mappings, 8.1 MiB, 12 pages copied: why" */
static void excluded_line(struct text *text, const struct excluded *excluded, const char *why)
{
	counted(text, excluded->count, "mapping");
	text_string(text, ", ");
	text_size(text, excluded->bytes);
	text_string(text, ", ");
	counted(text, excluded->copied, "page");
	text_string(text, " copied: ");
	text_string(text, why);
	text_character(text, '\n');
}

static void unprotected(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;

	for (unsigned limit = REGION_PROTECTED + 1; limit < REGION_LIMITS; limit++) {
		struct excluded excluded = {0};
		const char *why = NULL;
		for (size_t i = 0; i < snapshot->tracked; i++) {
			const struct mapping *mapping = snapshot_mapping(snapshot, i);
			if (mapping->region.limit != limit)
				continue;
			why = report_limit(mapping);
			excluded_add(&excluded, mapping);
		}
		if (!excluded.count)
			continue;
		text_string(&report->text, "  tracked, not protected: ");
		excluded_line(&report->text, &excluded, why ? why : "for an unknown reason");
	}
}

static const char *const untracked_reasons[UNTRACKED_REASONS] = {
	[UNTRACKED_STACK] = "stacks of threads and of signals",
	[UNTRACKED_LIBRARY] = "of libc, the loader, libunwind and cowspy",
	[UNTRACKED_UNSEEN] = "mapped before cowspy started, or by libc itself",
};

static void untracked_rows(struct report *report, struct list *ranks)
{
	struct text *text = &report->text;

	sort_heap(ranks->items, ranks->count, sizeof(struct rank), rank_compare);
	for (size_t i = 0; i < ranks->count && i < UNTRACKED_SHOWN; i++) {
		const struct rank *rank = list_at(ranks, i);
		const struct mapping *mapping = snapshot_mapping(report->snapshot, rank->index);
		text_string(text, "    ");
		report_range(report, mapping);
		text_size_right(text, mapping->region.end - mapping->region.start, 12);
		text_decimal_right(text, mapping->copied, 10);
		text_string(text, "  ");
		report_mapping_name(report, mapping);
		text_string(text, mapping->untracked == UNTRACKED_STACK     ? ", a stack"
				  : mapping->untracked == UNTRACKED_LIBRARY ? ", of a library"
									    : "");
		text_character(text, '\n');
	}
	if (ranks->count > UNTRACKED_SHOWN) {
		text_string(text, "    and ");
		text_decimal(text, ranks->count - UNTRACKED_SHOWN);
		text_string(text, " with fewer\n");
	}
}

/* By the kernel's word alone: nothing of it was seen by us. */
static void untracked(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct list ranks = {.element = sizeof(struct rank)};
	struct excluded excluded[UNTRACKED_REASONS] = {0};

	for (size_t i = snapshot->tracked; i < snapshot->mappings.count; i++) {
		const struct mapping *mapping = snapshot_mapping(snapshot, i);
		struct rank *rank = mapping->copied ? list_extend(&ranks, 1) : NULL;
		excluded_add(&excluded[mapping->untracked], mapping);
		if (rank)
			*rank = (struct rank){mapping->copied, mapping->region.start, i};
	}
	for (unsigned why = 0; why < UNTRACKED_REASONS; why++) {
		if (!excluded[why].count)
			continue;
		text_string(&report->text, "  not tracked: ");
		excluded_line(&report->text, &excluded[why], untracked_reasons[why]);
	}
	untracked_rows(report, &ranks);
	list_release(&ranks);
}

static void kept_open(struct report *report)
{
	uint64_t count = 0;
	for (size_t i = 0; i < report->snapshot->tracked; i++) {
		const struct region *region = &snapshot_mapping(report->snapshot, i)->region;
		count += region_armed(region) ? pages_kept(region->start, region->end) : 0;
	}
	if (!count)
		return;
	text_string(&report->text, "  left open: ");
	counted(&report->text, count, "page");
	text_string(&report->text, " that the kernel may write at any time (io_uring, AIO, ids of "
				   "threads)\n");
}

static void left_out(struct report *report)
{
	if (!recording_left_out())
		return;
	text_string(&report->text, "  paused by request: ");
	counted(&report->text, recording_left_out(), "first write");
	text_string(&report->text, " not recorded\n");
}

static void opened_unseen(struct report *report)
{
	if (!guard_opened_unseen())
		return;
	text_string(&report->text, "  opened in blocks, without events: ");
	counted(&report->text, guard_opened_unseen(), "page");
	text_string(&report->text,
		    "; protecting them one by one would have taken more than COWSPY_VMA_SHARE of "
		    "vm.max_map_count\n");
}

void report_coverage(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct text *text = &report->text;

	text_string(text, "\ncoverage and limits\n");
	attributed_share(report);
	events(report);
	untracked(report);
	unprotected(report);
	kept_open(report);
	left_out(report);
	opened_unseen(report);
	if (stacks_why_none()) {
		text_string(text, "  no stacks: ");
		text_string(text, stacks_why_none());
		text_character(text, '\n');
	}
	if (snapshot->ambiguous) {
		text_string(text, "  ambiguous: ");
		counted(text, snapshot->ambiguous, "zero page");
		text_string(text, " or shared since a fork: kernels before 6.7 do not tell\n");
	}
	if (snapshot->incomplete)
		text_string(text, "  memory was short: some mappings or page maps are missing\n");
}
