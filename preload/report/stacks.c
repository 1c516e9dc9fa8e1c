/* First writes by stack, and the function that answers for most of them. */
#include <string.h>

#include "base/options.h"
#include "base/sort.h"
#include "base/sys.h"
#include "observe/stacks.h"
#include "report/parts.h"
#include "track/syscall_table.h"

#define ANSWER_STACKS 100 /* the heading considers so many, also when fewer are to be shown */

static const char *const kind_names[KINDS] = {
	[KIND_UNKNOWN] = "unknown", [KIND_FILE] = "file", [KIND_ZERO] = "zero",
	[KIND_FILL] = "fill",       [KIND_FORK] = "fork", [KIND_REUSE] = "reuse",
};

static const struct stack_group *group_at(const struct report *report, size_t rank)
{
	const struct rank *found = list_at(&report->stack_ranks, rank);
	return &report->snapshot->groups[found->index];
}

static uint32_t stack_at(const struct report *report, size_t rank)
{
	return (uint32_t)((const struct rank *)list_at(&report->stack_ranks, rank))->index;
}

/* Most copied pages first, then most first writes. */
static void rank_stacks(struct report *report)
{
	const struct snapshot *snapshot = report->snapshot;

	for (size_t i = 0; i < snapshot->group_count; i++) {
		const struct stack_group *group = &snapshot->groups[i];
		struct rank *rank = group->writes ? list_extend(&report->stack_ranks, 1) : NULL;
		if (rank)
			*rank = (struct rank){group->copied, UINT64_MAX - group->writes, i};
	}
	sort_heap(report->stack_ranks.items, report->stack_ranks.count, sizeof(struct rank),
		  rank_compare);
}

static size_t named_count(const struct report *report)
{
	size_t wanted = options.report_stacks > ANSWER_STACKS ? options.report_stacks
							      : ANSWER_STACKS;
	size_t present = report->stack_ranks.count;
	return wanted < present ? wanted : present;
}

static size_t answering_count(const struct report *report)
{
	size_t present = report->stack_ranks.count;
	return ANSWER_STACKS < present ? ANSWER_STACKS : present;
}

/* Callers are looked up where they called, not where they go on. */
static uintptr_t frame_place(const uintptr_t *frames, unsigned index)
{
	return index ? frames[index] - 1 : frames[index];
}

void report_stacks_prepare(struct report *report)
{
	struct list places = {.element = sizeof(uintptr_t)};
	const uintptr_t *frames;

	rank_stacks(report);
	for (size_t i = 0; i < named_count(report); i++) {
		unsigned depth = stacks_get(stack_at(report, i), &frames);
		uintptr_t *place = depth ? list_extend(&places, depth) : NULL;
		for (unsigned frame = 0; place && frame < depth; frame++)
			place[frame] = frame_place(frames, frame);
	}
	symbols_resolve(&report->symbols, places.items, places.count);
	list_release(&places);
}

/* Our own frames, around main and threads' start, say nothing about the program. */
static bool is_ours(const struct symbol *symbol)
{
	static const char name[] = "libcowspy.so";
	return symbol && strncmp(symbol->module, name, sizeof(name) - 1) == 0;
}

/* "function+0x1c (module)", "module+0x1234", or "0x7f0123456789 ([anonymous])". */
static void print_frame(struct report *report, uintptr_t address, uintptr_t place)
{
	const struct symbol *symbol = symbols_find(&report->symbols, place);
	struct text *text = &report->text;
	const char *module = symbol ? symbol->module : "[unknown]";
	bool in_file = *module != '[';

	if (symbol && symbol->function) {
		text_untrusted(text, symbol->function, strlen(symbol->function));
		text_string(text, "+0x");
		text_hex(text, address - symbol->function_start, 1);
	} else if (in_file) {
		text_untrusted(text, module, strlen(module));
		text_string(text, "+0x");
		text_hex(text, address - symbol->module_base, 1);
		return;
	} else {
		text_string(text, "0x");
		text_hex(text, address, 1);
	}
	text_string(text, " (");
	text_untrusted(text, module, strlen(module));
	text_character(text, ')');
}

/* ---- the answer ---- */

/* What most programs share; the function that called into it is of more interest. */
static bool is_common_library(const char *module)
{
	static const char *const names[] = {"libc.so",    "libc-2",  "ld-linux",  "libm.so",
					    "libstdc++.", "libgcc_", "libpthread"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strncmp(module, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/* The innermost frame outside of the common libraries, else the innermost one. */
static const struct symbol *responsible(const struct report *report, uint32_t stack)
{
	const uintptr_t *frames;
	unsigned depth = stacks_get(stack, &frames);

	for (unsigned i = 0; i < depth; i++) {
		const struct symbol *symbol = symbols_find(&report->symbols,
							   frame_place(frames, i));
		if (symbol && !is_ours(symbol) && !is_common_library(symbol->module))
			return symbol;
	}
	return depth ? symbols_find(&report->symbols, frames[0]) : NULL;
}

static bool same_function(const struct symbol *left, const struct symbol *right)
{
	if (!left->function || !right->function)
		return left->address == right->address;
	return left->function_start == right->function_start;
}

/* What is responsible for each stack: looked up once, since all are compared with all. */
static const struct symbol **responsible_all(const struct report *report, struct list *list)
{
	const struct symbol **all = list_extend(list, answering_count(report));

	for (size_t i = 0; all && i < answering_count(report); i++)
		all[i] = responsible(report, stack_at(report, i));
	return all;
}

static uint64_t copied_by(const struct report *report, const struct symbol *const *all,
			  const struct symbol *symbol)
{
	uint64_t copied = 0;

	for (size_t i = 0; i < answering_count(report); i++) {
		const struct symbol *other = all[i];
		if (other && same_function(symbol, other))
			copied += group_at(report, i)->copied;
	}
	return copied;
}

void report_stacks_answer(struct report *report)
{
	struct list list = {.element = sizeof(struct symbol *)};
	const struct symbol **all = responsible_all(report, &list), *best = NULL;
	struct text *text = &report->text;
	uint64_t most = 0;

	for (size_t i = 0; all && i < answering_count(report); i++) {
		const struct symbol *symbol = all[i];
		uint64_t copied = symbol && group_at(report, i)->copied
					  ? copied_by(report, all, symbol)
					  : 0;
		if (copied > most) {
			most = copied;
			best = symbol;
		}
	}
	list_release(&list);
	if (!best)
		return;
	text_string(text, report->stack_ranks.count > ANSWER_STACKS ? "; at least " : "; ");
	text_percent(text, most, report->snapshot->copied);
	text_string(text, " first written by ");
	if (best->function)
		text_untrusted(text, best->function, strlen(best->function));
	else
		print_frame(report, best->address, best->address);
	if (best->function) {
		text_string(text, " (");
		text_untrusted(text, best->module, strlen(best->module));
		text_character(text, ')');
	}
}

/* ---- the list ---- */

static void group_kinds(struct text *text, const struct stack_group *group)
{
	bool any = false;

	text_string(text, " kind");
	for (unsigned kind = KINDS; kind-- > 0;) {
		if (!group->kinds[kind])
			continue;
		text_string(text, any ? ", " : " ");
		text_string(text, kind_names[kind]);
		text_character(text, ' ');
		text_decimal(text, group->kinds[kind]);
		any = true;
	}
}

static void group_causes(struct text *text, const struct stack_group *group)
{
	const struct syscall_entry *entry = group->syscall ? syscall_entry(group->syscall - 1)
							   : NULL;
	const char *const names[CAUSES] = {
		[CAUSE_WRITE] = "write",
		[CAUSE_SYSCALL] = entry && entry->name ? entry->name : "system call",
		[CAUSE_LOCK] = "lock",
		[CAUSE_POPULATE] = "populate",
	};
	bool any = false;

	text_string(text, ", cause");
	for (unsigned cause = 0; cause < CAUSES; cause++) {
		if (!group->causes[cause])
			continue;
		text_string(text, any ? " and " : " ");
		text_string(text, names[cause]);
		any = true;
	}
}

static void group_time(struct report *report, const struct stack_group *group)
{
	struct text *text = &report->text;

	text_string(text, ", first at ");
	report_moment(report, group->first);
	text_character(text, '\n');
}

static void group_line(struct report *report, const struct stack_group *group)
{
	struct text *text = &report->text;

	text_string(text, "  ");
	text_decimal(text, group->writes);
	text_string(text, group->writes == 1 ? " page (" : " pages (");
	text_size(text, group->writes * PAGE_SIZE);
	text_string(text, ", ");
	text_percent(text, group->writes, report->snapshot->events);
	text_character(text, ')');
	group_kinds(text, group);
	group_causes(text, group);
	if (group->copied != group->writes - group->kinds[KIND_REUSE]) {
		text_string(text, ", still copied ");
		text_decimal(text, group->copied);
	}
	if (group->compared) {
		text_string(text, ", changed ");
		text_size(text, group->changed_bytes);
		text_string(text, ", identical ");
		text_decimal(text, group->identical);
	}
	text_string(text, ", threads ");
	if (group->thread_count > GROUP_THREADS)
		text_string(text, "over ");
	text_decimal(text,
		     group->thread_count > GROUP_THREADS ? GROUP_THREADS : group->thread_count);
	group_time(report, group);
}

static void group_frames(struct report *report, uint32_t stack)
{
	const uintptr_t *frames;
	unsigned depth = stacks_get(stack, &frames);

	if (stack == STACKS_OTHER)
		text_string(&report->text, "    (other stacks: the table of stacks was full)\n");
	else if (!depth)
		text_string(&report->text, "    (no stack was captured)\n");
	for (unsigned i = 0; i < depth; i++) {
		uintptr_t place = frame_place(frames, i);
		if (is_ours(symbols_find(&report->symbols, place)))
			continue;
		text_string(&report->text, "    ");
		print_frame(report, frames[i], place);
		text_character(&report->text, '\n');
	}
}

static void left_out(struct report *report, size_t shown)
{
	struct text *text = &report->text;
	uint64_t writes = 0;

	for (size_t i = shown; i < report->stack_ranks.count; i++)
		writes += group_at(report, i)->writes;
	text_string(text, "  and ");
	text_decimal(text, report->stack_ranks.count - shown);
	text_string(text, " stacks more with ");
	text_decimal(text, writes);
	text_string(text, " first writes; a higher COWSPY_STACKS shows them\n");
}

void report_stacks(struct report *report)
{
	size_t count = report->stack_ranks.count;
	size_t shown = count < options.report_stacks ? count : options.report_stacks;

	if (!count)
		return;
	text_string(&report->text, "\nfirst writes by stack, most copied pages first\n");
	for (size_t i = 0; i < shown; i++) {
		group_line(report, group_at(report, i));
		group_frames(report, stack_at(report, i));
	}
	if (shown < count)
		left_out(report, shown);
}
