#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/memory.h"
#include "base/sys.h"
#include "report/cost.h"
#include "report/parts.h"
#include "report/trace_snapshot.h"

#define BUFFER_SIZE ((size_t)16 << 10)
#define NAME_SIZE 64

static _Atomic uint64_t time_zero;

void report_start(void)
{
	atomic_store(&time_zero, sys_now());
}

int rank_compare(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->major != b->major)
		return a->major > b->major ? -1 : 1;
	return a->minor < b->minor ? -1 : a->minor > b->minor;
}

void report_grouped(struct text *text, uint64_t value)
{
	if (value >= 1000) {
		report_grouped(text, value / 1000);
		text_character(text, ',');
		text_character(text, (char)('0' + value / 100 % 10));
		text_character(text, (char)('0' + value / 10 % 10));
		text_character(text, (char)('0' + value % 10));
	} else {
		text_decimal(text, value);
	}
}

void report_moment(struct report *report, uint64_t time)
{
	struct text *text = &report->text;
	uint64_t since = time > report->time_zero ? time - report->time_zero : 0;
	uint64_t milliseconds = since / 1000000;

	text_character(text, '+');
	text_decimal(text, milliseconds / 1000);
	text_character(text, '.');
	text_character(text, (char)('0' + milliseconds / 100 % 10));
	text_character(text, (char)('0' + milliseconds / 10 % 10));
	text_character(text, (char)('0' + milliseconds % 10));
	text_string(text, " s");
}

static void process_name(struct text *text)
{
	char name[NAME_SIZE];
	long length = 0,
	     fd = sys_call4(SYS_openat, AT_FDCWD, "/proc/self/comm", O_RDONLY | O_CLOEXEC, 0);

	if (!sys_failed(fd)) {
		length = sys_call3(SYS_read, fd, name, sizeof(name));
		sys_call1(SYS_close, fd);
	}
	if (length > 1)
		text_untrusted(text, name, (size_t)length - 1);
	else
		text_string(text, "process");
}

/* "1,234 pages (4.8 MiB)" */
static void page_count(struct text *text, uint64_t pages)
{
	report_grouped(text, pages);
	text_string(text, pages == 1 ? " page (" : " pages (");
	text_size(text, pages * PAGE_SIZE);
	text_character(text, ')');
}

static void heading(struct report *report, enum report_reason reason)
{
	static const char *const moments[] = {[REPORT_SNAPSHOT] = ") now: ",
					      [REPORT_EXIT] = ") at exit: ",
					      [REPORT_EXEC] = ") before exec: "};
	const struct snapshot *snapshot = report->snapshot;
	struct text *text = &report->text;
	bool child = journal_is_child();
	uint64_t fresh = snapshot->kinds[KIND_FILL]; /* first touches broke no sharing */
	uint64_t copies = snapshot->copied - fresh;

	text_string(text, "cowspy: ");
	process_name(text);
	text_string(text, " (pid ");
	text_decimal(text, (uint64_t)sys_call0(SYS_getpid));
	text_string(text, child ? ", a forked child" : "");
	text_string(text, moments[reason]);
	if (copies) {
		page_count(text, copies);
		text_string(text, " of its tracked private mappings ");
		text_string(text, copies == 1 ? "is copied" : "are copied");
	} else {
		text_string(text, "no page of its tracked private mappings is copied");
	}
	text_string(text, child ? " since the fork" : "");
	if (fresh) {
		text_string(text, ", ");
		page_count(text, fresh);
		text_string(text, " new");
	}
	report_stacks_answer(report);
	text_character(text, '\n');
}

static void write_parts(struct report *report, enum report_reason reason)
{
	report_stacks_prepare(report);
	report_tables_prepare(report);
	heading(report, reason);
	report_totals(report);
	report_mappings(report);
	report_page_maps(report);
	report_stacks(report);
	report_labels(report);
	report_coverage(report);
	report_cost(report);
}

static void report_release(struct report *report)
{
	list_release(&report->mapping_ranks);
	list_release(&report->stack_ranks);
	symbols_release(&report->symbols);
	memory_unmap(report->text.data, BUFFER_SIZE);
}

/* Without memory for the text, or without a place for it, the trace still gets the snapshot. */
static int write_text(int fd, const struct snapshot *snapshot, const struct trace_cost *cost,
		      enum report_reason reason)
{
	struct report report = {
		.mapping_ranks.element = sizeof(struct rank),
		.stack_ranks.element = sizeof(struct rank),
		.time_zero = atomic_load(&time_zero),
		.snapshot = snapshot,
		.cost = cost,
	};
	char *buffer = memory_map(BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	if (!report.time_zero)
		report.time_zero = snapshot->first_time;
	text_start(&report.text, fd, buffer, BUFFER_SIZE);
	write_parts(&report, reason);
	int error = text_flush(&report.text);
	report_release(&report);
	return error;
}

int report_write(int fd, enum report_reason reason)
{
	static const char message[] = "cowspy: no memory is left for a report\n";
	struct trace_cost cost = cost_now();
	struct snapshot *snapshot = snapshot_take();
	int error = snapshot ? 0 : -ENOMEM;

	if (snapshot)
		cost.snapshot = trace_snapshot(snapshot, reason);
	if (snapshot && fd >= 0)
		error = write_text(fd, snapshot, &cost, reason);
	if (snapshot) {
		cost.report_time = sys_now() - snapshot->time;
		snapshot_release(snapshot);
		trace_snapshot_cost(&cost);
	}
	if (error == -ENOMEM && fd >= 0)
		sys_write_all(fd, message, sizeof(message) - 1);
	return error;
}
