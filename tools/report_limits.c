/* The last part of the report: how much is explained, what was not seen, what is damaged. */
#include <errno.h>
#include <string.h>

#include "model_names.h"
#include "output.h"
#include "report.h"

#define REASONS 8

static const char *const limit_reasons[REASONS] = {
	"protected",
	"the kernel refused to split their mappings further (vm.max_map_count)",
	"a thread's or signal stack lies there",
	"pages of hugetlbfs",
	"the kernel may write there at any time",
	"the program forbade itself the system calls needed (seccomp)",
	"nothing shows the system calls that write there",
	"excluded by option or by the program",
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
	text_string(text, " (pages)\n");
	if (truth.failed) {
		text_string(text, "  ");
		text_decimal(text, truth.failed);
		text_string(text, " of them without the kernel: from first writes alone\n");
	}
}

static void print_unprotected(const struct model *model, struct text *text)
{
	uint64_t bytes[REASONS] = {0}, ranges[REASONS] = {0};

	for (size_t i = 0; i < model->process_count; i++) {
		const struct model_process *process = &model->processes[i];
		for (size_t j = 0; j < process->limit_count; j++) {
			const struct model_limit *limit = &process->limits[j];
			if (limit->reason >= REASONS || limit->start >= limit->end)
				continue;
			ranges[limit->reason]++;
			bytes[limit->reason] += limit->end - limit->start;
		}
	}
	for (unsigned i = 1; i < REASONS; i++) {
		if (!ranges[i])
			continue;
		text_string(text, "  not protected: ");
		text_decimal(text, ranges[i]);
		text_string(text, ranges[i] == 1 ? " range, " : " ranges, ");
		text_size(text, bytes[i]);
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
	print_unprotected(model, text);
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
