/* The last part of the report: how much is explained, what was not seen, what is damaged. */
#include <errno.h>
#include <string.h>

#include "model_names.h"
#include "output.h"
#include "report.h"

#define REASONS 12

static const char *const limit_reasons[REASONS] = {
	"protected",
	"the kernel refused to split their mappings further (vm.max_map_count)",
	"a thread's or signal stack lies there",
	"pages of hugetlbfs",
	"the kernel may write there at any time",
	"the program forbade itself the system calls needed (seccomp)",
	"nothing shows the system calls that write there",
	"excluded by option or by the program",
	"of libc, the loader, libunwind and cowspy",
	"mapped before cowspy started, or by libc itself",
	"the kernel's word was all that was wanted (COWSPY_MODE)",
	"traced by the parent, which would see cowspy's signals",
};

static const char *const loss_reasons[] = {
	"for a reason unknown here",
	"no space left on the disk, in the quota, or below the limit of file sizes",
	"the process had no memory or no mappings left",
	"the trace file was deleted, truncated or changed meanwhile",
};

static void print_truth(const struct report *report, struct text *text)
{
	struct report_truth truth = report_truth(report);

	if (!truth.snapshots) {
		text_string(text,
			    "  no snapshot: what the kernel says of the pages is not known\n");
		return;
	}
	text_string(text, "  kernel's truth at the last snapshots of ");
	text_decimal(text, truth.snapshots);
	text_string(text, truth.snapshots == 1 ? " process" : " processes");
	text_string(text, ": copied ");
	text_decimal(text, truth.copied);
	text_string(text, " = attributed ");
	text_decimal(text, truth.attributed);
	text_string(text, " + unattributed ");
	text_decimal(text, truth.copied > truth.attributed ? truth.copied - truth.attributed : 0);
	text_string(text, " (pages; first touches count, pages given back do not)\n");
	if (truth.failed) {
		text_string(text, "  ");
		text_decimal(text, truth.failed);
		text_string(text, " of them without the kernel: from first writes alone\n");
	}
}

/* Mappings that share a reason for not being protected. */
struct excluded {
	uint64_t mappings, bytes, copied;
};

/* Of a process that was killed before any snapshot. */
static void add_limits(struct excluded *excluded, const struct model_process *process)
{
	for (size_t i = 0; i < process->limit_count; i++) {
		const struct model_limit *limit = &process->limits[i];
		if (limit->reason >= REASONS || limit->start >= limit->end)
			continue;
		excluded[limit->reason].mappings++;
		excluded[limit->reason].bytes += limit->end - limit->start;
	}
}

static void add_excluded(struct excluded *excluded, const struct model_process *process)
{
	const struct model_snapshot *snapshot = model_last_snapshot(process);

	if (!snapshot)
		add_limits(excluded, process);
	for (size_t i = 0; snapshot && i < snapshot->mapping_count; i++) {
		const struct model_snapshot_mapping *mapping = &snapshot->mappings[i];
		if (mapping->limit == TRACE_LIMIT_NONE || mapping->limit >= REASONS)
			continue;
		excluded[mapping->limit].mappings++;
		excluded[mapping->limit].bytes += mapping->end - mapping->start;
		excluded[mapping->limit].copied += mapping->copied * process->header.page_size;
	}
}

/* What the kernel says of it at the last snapshots. */
static void print_unprotected(const struct report *report, struct text *text)
{
	const struct model *model = report->model;
	int64_t pid = report->options->common.selection.pid;
	struct excluded excluded[REASONS] = {0};

	for (size_t i = 0; i < model->process_count; i++)
		if (pid < 0 || model->processes[i].header.pid == pid)
			add_excluded(excluded, &model->processes[i]);
	for (unsigned i = 1; i < REASONS; i++) {
		if (!excluded[i].mappings)
			continue;
		text_string(text, "  not protected: ");
		text_decimal(text, excluded[i].mappings);
		text_string(text, excluded[i].mappings == 1 ? " mapping, " : " mappings, ");
		text_size(text, excluded[i].bytes);
		text_string(text, ", copied ");
		text_size(text, excluded[i].copied);
		text_string(text, ": ");
		text_string(text, limit_reasons[i]);
		text_character(text, '\n');
	}
}

static void print_losses(const struct model_process *process, struct text *text)
{
	for (size_t i = 0; i < process->loss_count; i++) {
		const struct model_loss *loss = &process->losses[i];
		text_string(text, "  ");
		report_process_name(process, text);
		text_string(text, ": recording stopped, ");
		text_decimal(text, loss->count);
		text_string(text, " first writes are not here: ");
		text_string(text, loss_reasons[loss->reason < 4 ? loss->reason : 0]);
		if (loss->error && loss->error < 4096) {
			text_string(text, " (");
			text_string(text, strerror((int)loss->error));
			text_character(text, ')');
		}
		text_character(text, '\n');
	}
}

static void print_damage(const struct model_process *process, struct text *text)
{
	const struct trace_damage *damage = &process->damage;
	if (!damage->what)
		return;
	text_string(text, "  damaged: ");
	output_string(text, process->file);
	text_string(text, " at offset ");
	text_decimal(text, damage->offset);
	text_string(text, ": ");
	text_string(text, damage->what);
	if (damage->cut) {
		text_string(text, damage->offset == damage->cut_offset
					  ? "; nothing behind it could be read"
					  : "; nothing could be read behind offset ");
		if (damage->offset != damage->cut_offset)
			text_decimal(text, damage->cut_offset);
	}
	if (damage->records) {
		text_string(text, "; records left out: ");
		text_decimal(text, damage->records);
	}
	text_character(text, '\n');
}

static void print_pending(const struct model *model, struct text *text)
{
	uint64_t pending = 0, unknown = 0;
	for (size_t i = 0; i < model->process_count; i++) {
		pending += model->processes[i].damage.pending;
		unknown += model->processes[i].damage.unknown;
	}
	if (pending) {
		text_string(text,
			    "  records begun when their process was killed, or being written: ");
		text_decimal(text, pending);
		text_character(text, '\n');
	}
	if (unknown) {
		text_string(text, "  records of a newer version, left out: ");
		text_decimal(text, unknown);
		text_character(text, '\n');
	}
}

static void print_modules(struct model *model, struct text *text)
{
	for (uint32_t i = 1; i < model->module_count; i++) {
		const char *problem = model_module_problem(model, i);
		if (!problem)
			continue;
		text_string(text, "  ");
		output_string(text, model->modules[i].path);
		text_string(text, ": ");
		text_string(text, problem);
		text_character(text, '\n');
	}
}

void report_print_limits(const struct report *report, struct text *text)
{
	struct model *model = report->model;

	text_string(text, "\ncoverage and limits\n");
	print_truth(report, text);
	print_unprotected(report, text);
	for (size_t i = 0; i < model->process_count; i++)
		print_losses(&model->processes[model->order[i]], text);
	for (size_t i = 0; i < model->process_count; i++)
		print_damage(&model->processes[model->order[i]], text);
	print_pending(model, text);
	if (model->problem) {
		text_string(text, "  left out: ");
		output_string(text, model->problem);
		text_string(text, ": ");
		text_string(text, model->problem_error == -EPROTONOSUPPORT
					  ? "written by a newer version"
					  : strerror(-model->problem_error));
		text_character(text, '\n');
	}
	print_modules(model, text);
}
