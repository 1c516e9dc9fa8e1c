/* Inside of the model: how one trace file gets into it. Single-threaded. */
#ifndef COWSPY_TOOLS_MODEL_READ_H
#define COWSPY_TOOLS_MODEL_READ_H

#include "model.h"
#include "ranges.h"

/*
 * Stacks of one process until all its modules are known: a module may be noticed only after the
 * first stack that leads through it.
 */
struct model_code {
	struct model *model;
	struct model_span *spans;
	size_t span_count, span_capacity;
	struct ranges live, known; /* indices of spans: now; ever, the last one that was anywhere */
	struct raw_stack *stacks;
	size_t stack_count, stack_capacity;
	struct raw_frame *frames;
	size_t frame_count, frame_capacity;
	struct table ids;   /* of stacks: index in stacks */
	uint32_t process;   /* index that it will have */
	uint32_t generated; /* module of code outside of files; 0: none yet */
};

bool code_module(struct model_code *code, const struct trace_module *record);
bool code_stack(struct model_code *code, const struct trace_stack *record);
/* Put all stacks into the model; then code_find turns ids into indices, 0 for those not there. */
bool code_finish(struct model_code *code);
uint32_t code_find(const struct model_code *code, uint32_t id);
void code_free(struct model_code *code);

/* Snapshots of one process, by their numbers. */
struct model_snapshots {
	struct model_process *process;
	struct intern *strings;
	struct table numbers;
};

bool snapshots_begin(struct model_snapshots *snapshots, const struct trace_snapshot *record);
bool snapshots_mapping(struct model_snapshots *snapshots,
		       const struct trace_snapshot_mapping *record);
bool snapshots_runs(struct model_snapshots *snapshots, const struct trace_snapshot_runs *record);
bool snapshots_end(struct model_snapshots *snapshots, const struct trace_snapshot_end *record);
bool snapshots_cost(struct model_snapshots *snapshots, const struct trace_cost *record);
/* Order what was read, drop runs that lie outside of their mapping. */
void snapshots_finish(struct model_snapshots *snapshots);

void model_free_process(struct model_process *process);

#endif
