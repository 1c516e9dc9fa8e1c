/* The table of tracked mappings, and what a mapping is called. */
#include "base/options.h"
#include "base/sort.h"
#include "base/sys.h"
#include "report/parts.h"

#define ROWS_MOST 200

void report_tables_prepare(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;
	struct rank *ranks = list_extend(&report->mapping_ranks, snapshot->tracked);

	for (size_t i = 0; i < snapshot->tracked && ranks; i++) {
		const struct mapping *mapping = snapshot_mapping(snapshot, i);
		ranks[i] = (struct rank){mapping->copied, mapping->region.start, i};
	}
	sort_heap(report->mapping_ranks.items, report->mapping_ranks.count, sizeof(struct rank),
		  rank_compare);
}

void report_range(struct report *report, const struct mapping *mapping)
{
	text_hex(&report->text, mapping->region.start, 12);
	text_character(&report->text, '-');
	text_hex(&report->text, mapping->region.end, 12);
}

static size_t string_length(const char *string, size_t most)
{
	size_t length = 0;
	while (length < most && string[length])
		length++;
	return length;
}

void report_mapping_name(struct report *report, const struct mapping *mapping)
{
	const char *name = mapping->region.name;

	if (name)
		text_untrusted(&report->text, name, string_length(name, 256));
	if (name && mapping->path_length)
		text_string(&report->text, ", ");
	if (mapping->path_length)
		text_untrusted(&report->text, snapshot_path(report->snapshot, mapping),
			       mapping->path_length);
	if (!name && !mapping->path_length)
		text_string(&report->text, "[anonymous]");
}

const char *report_limit(const struct mapping *mapping)
{
	static const char *const sentences[REGION_LIMITS] = {
		[REGION_NO_VMA] = "the kernel refused to split it further: raise vm.max_map_count",
		[REGION_STACK] = "the stack of a thread or of signals lies in it",
		[REGION_HUGETLB] = "its huge pages cannot be protected one by one",
		[REGION_ASYNCHRONOUS] =
			"the kernel may write it at any time (io_uring, userfaultfd, guests)",
		[REGION_SECCOMP] = "the program forbade itself the system calls that this needs",
		[REGION_NO_NET] = "system calls that write into it cannot be seen without "
				  "Syscall User Dispatch (Linux 5.11, COWSPY_NET=on)",
		[REGION_USER] = "left out by request",
		[REGION_MODE] = "the kernel's word is all that is wanted now (COWSPY_MODE)",
		[REGION_TRACED] = "the parent traces the process, and would see cowspy's signals",
	};
	return mapping->region.limit < REGION_LIMITS ? sentences[mapping->region.limit] : NULL;
}

static void protection(struct text *text, uint8_t bits)
{
	text_character(text, bits & 1 ? 'r' : '-');
	text_character(text, bits & 2 ? 'w' : '-');
	text_character(text, bits & 4 ? 'x' : '-');
}

static void advice(struct text *text, unsigned bits)
{
	static const char *const names[] = {"random",    "sequential", "dontfork",   "wipeonfork",
					    "mergeable", "hugepage",   "nohugepage", "willneed",
					    "cold",      "pageout",    "free",       "collapse"};

	if (bits)
		text_string(text, ", advised");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (bits & 1u << i) {
			text_character(text, ' ');
			text_string(text, names[i]);
		}
	}
}

static void mapping_row(struct report *report, const struct mapping *mapping)
{
	struct text *text = &report->text;

	text_string(text, "  ");
	report_range(report, mapping);
	text_size_right(text, mapping->region.end - mapping->region.start, 12);
	text_decimal_right(text, mapping->copied, 10);
	text_decimal_right(text, mapping->zero, 10);
	text_decimal_right(text, mapping->clean, 10);
	text_decimal_right(text, mapping->resident, 10);
	text_decimal_right(text, mapping->swapped, 9);
	text_decimal_right(text, mapping->locked >> PAGE_SHIFT, 9);
	text_string(text, "  ");
	protection(text, mapping->region.protection);
	text_string(text, report_limit(mapping) ? "  no        " : "  yes       ");
	report_mapping_name(report, mapping);
	advice(text, mapping->region.advice);
	text_character(text, '\n');
}

/* Who wants more page maps than there are rows wants their mappings, too. */
static size_t rows_most(void)
{
	return options.map_rows > ROWS_MOST ? options.map_rows : ROWS_MOST;
}

void report_mappings(struct report *report)
{
	const struct list *ranks = &report->mapping_ranks;
	const size_t most = rows_most();
	struct text *text = &report->text;

	if (!ranks->count)
		return;
	text_string(text, "\nmappings, in pages\n  range");
	text_pad(text, 35);
	text_string(text, "size    copied      zero     clean  resident  swapped   locked       "
			  "protected\n");
	for (size_t i = 0; i < ranks->count && i < most; i++) {
		const struct rank *rank = list_at(ranks, i);
		mapping_row(report, snapshot_mapping(report->snapshot, rank->index));
	}
	if (ranks->count > most) {
		uint64_t copied = 0;
		for (size_t i = most; i < ranks->count; i++)
			copied += ((struct rank *)list_at(ranks, i))->major;
		text_string(text, "  and ");
		text_decimal(text, ranks->count - most);
		text_string(text, " mappings more, with ");
		text_decimal(text, copied);
		text_string(text, " copied pages\n");
	}
}
