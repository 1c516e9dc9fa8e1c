/*
 * A recording in memory: the processes of one or more trace files, as a tree, with their first
 * writes, stacks, mappings and snapshots.
 *
 * Single-threaded. Everything is reached by index; index 0 of stacks, frames, modules and mappings
 * means "none". Strings come from the traced program: never print them as they are. Numbers are as
 * the trace has them: counts that are sums may be checked against each other, never relied upon.
 */
#ifndef COWSPY_TOOLS_MODEL_H
#define COWSPY_TOOLS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "intern.h"
#include "ranges.h"
#include "symbolizer.h"
#include "table.h"
#include "trace_reader.h"

#define MODEL_NONE UINT32_MAX /* no such process */

/* What code was in, or for code outside of all files the process that ran it. */
struct model_module {
	const char *path; /* NULL: no file; generated code, as a rule */
	struct build_id id;
	uint32_t process;                  /* of code outside of files */
	uint64_t start, end, offset;       /* of its first mapping seen */
	struct symbolizer_module *symbols; /* NULL: not asked for yet */
};

/* A place in code. Return addresses are kept less one: inside of the call. */
struct model_frame {
	uint32_t module;
	uint64_t offset;                /* in the module's file; without a file the address */
	const struct code_place *place; /* NULL: not asked for yet */
};

/* Frames innermost first. Equal stacks of all processes are one. */
struct model_stack {
	const uint32_t *frames;
	uint32_t depth;
};

/* What was tracked together. */
struct model_mapping {
	const char *name; /* path or the owner's name; NULL: anonymous */
	uint64_t start, end;
	uint32_t flags; /* as in struct trace_mapping */
	uint32_t protection;
};

/* Code that was mapped from a file: tells where all of the file lies. */
struct model_span {
	uint64_t start, end, offset; /* in the file */
	uint64_t removed;            /* time; 0: it is still there */
	uint32_t module;
};

struct model_write {
	uint64_t page;
	uint64_t time;
	uint32_t stack;
	uint32_t mapping; /* of its process */
	uint32_t epoch;
	uint32_t thread;
	uint32_t event;   /* its number, or 0 */
	uint16_t changed; /* bytes that differ from what was there before, + 1; 0: not compared */
	uint16_t syscall; /* number + 1, or 0 */
	uint16_t offset;  /* of the byte written in the page, + 1, or 0 */
	uint8_t kind;     /* enum trace_kind, or more than it knows */
	uint8_t cause;
	uint8_t flags;
};

struct model_fork {
	uint64_t time, done;
	uint32_t child; /* pid */
	uint32_t epoch;
};

struct model_given_back {
	uint64_t time, start, end;
	uint32_t epoch, flags;
};

struct model_label {
	uint64_t time;
	const char *text;
	uint32_t thread, epoch;
};

struct model_limit {
	uint64_t time, start, end;
	uint32_t reason;
};

struct model_loss {
	uint64_t time, count;
	uint32_t reason, error;
};

struct model_snapshot_mapping {
	const char *name; /* NULL: anonymous */
	uint64_t start, end;
	uint32_t protection, flags, limit, index;
	uint64_t copied, attributed, zero, clean, resident, swapped;
};

/* Runs of one mapping lie together, ascending. */
struct model_run {
	uint32_t mapping; /* its index in the snapshot */
	char letter;
	uint64_t start, pages;
};

struct model_snapshot {
	uint32_t number, reason, epoch, error;
	uint64_t time;
	bool complete;
	struct trace_snapshot_end totals;
	struct trace_cost cost; /* record.type 0: not known */
	struct model_snapshot_mapping *mappings;
	size_t mapping_count, mapping_capacity;
	struct model_run *runs;
	size_t run_count, run_capacity;
};

enum model_origin {
	ORIGIN_START, /* started by somebody outside of the recording */
	ORIGIN_FORK,
	ORIGIN_EXEC,    /* of the same process as its parent here */
	ORIGIN_PROGRAM, /* started by its parent with posix_spawn or vfork and exec */
};

/* One process image: one trace file. */
struct model_process {
	const char *file;   /* path of its trace, in `folder` */
	const char *folder; /* NULL: that path is as it was given */
	uid_t owner;        /* of that file */
	struct trace_header header;
	struct trace_damage damage;
	uint32_t parent; /* index of a process, or MODEL_NONE */
	enum model_origin origin;
	uint32_t first_child, next_sibling; /* MODEL_NONE: none; in order of time */
	uint32_t level;                     /* in the tree */
	bool pid_again;                     /* another process of the recording has its pid, too */
	uint64_t begun;                     /* nanoseconds since the recording's beginning */

	const char *exe, *directory, *name; /* NULL: not known */
	const char *arguments;              /* one behind the other, each with a zero behind it */
	size_t arguments_length;
	struct trace_options options;

	struct model_write *writes; /* in order of the file */
	size_t write_count, write_capacity;
	struct model_mapping *mappings; /* from 1 */
	size_t mapping_count, mapping_capacity;
	struct model_span *spans; /* in order of the file */
	size_t span_count, span_capacity;
	struct ranges *data; /* data of modules, values: indices of spans; NULL: not asked for */
	struct model_fork *forks;
	size_t fork_count, fork_capacity;
	struct model_given_back *given_back;
	size_t given_back_count, given_back_capacity;
	struct model_label *labels;
	size_t label_count, label_capacity;
	struct model_limit *limits;
	size_t limit_count, limit_capacity;
	struct model_loss *losses;
	size_t loss_count, loss_capacity;
	struct model_snapshot *snapshots;
	size_t snapshot_count, snapshot_capacity;

	bool closed;
	struct trace_close close; /* the last one */
	uint64_t last_time;       /* of any record */
};

/* Sums of processes without a trace, by command. */
struct model_children {
	const char *command; /* "": several */
	struct trace_children sums;
	uint32_t page_size;
};

struct model {
	struct intern strings;
	struct model_process *processes;
	size_t process_count, process_capacity;
	uint32_t *order; /* of the tree: each process before its children, those in order of time */

	struct model_module *modules;
	size_t module_count, module_capacity;
	struct model_frame *frames;
	size_t frame_count, frame_capacity;
	struct model_stack *stacks;
	size_t stack_count, stack_capacity;
	struct table module_index, frame_index, stack_index; /* by address of the interned key */

	struct model_children *children; /* each command once */
	size_t children_count, children_capacity;

	bool without_names; /* look no file up: addresses only */
	struct symbolizer *symbolizer;
	struct perf_map **perf_maps; /* by process; NULL: not asked for yet */
	uint32_t skipped;            /* files of a folder that are no traces */
	const char *folder;          /* that is being added */
	const char *problem;         /* of the file that could not be read, with problem_error */
	int problem_error;
};

void model_start(struct model *model);
void model_free(struct model *model);

/* Forget what was added, but not the names that were looked up: to read the same files again. */
void model_restart(struct model *model);

/*
 * Add a trace file, or all those in a folder. 0 or -errno: -ENOMSG when there is no trace,
 * -EPROTONOSUPPORT when it is of a newer version; model->problem is the file's name then.
 * In a folder a file that cannot be read is noted there and the others are taken.
 */
int model_add(struct model *model, const char *path);
int model_add_file(struct model *model, int fd, const char *name);

/* Once everything is added: link the processes to a tree. 0 or -ENOMEM. */
int model_link(struct model *model);

/* ---- questions ---- */

/* Which side of the last fork before it a first write is on. */
enum model_fork_side {
	SIDE_NONE,
	SIDE_PARENT,
	SIDE_CHILD,
	SIDES,
};

extern const char *const model_side_names[SIDES];

static inline enum model_fork_side model_side(const struct model_process *process, uint32_t epoch)
{
	if (epoch > process->header.epoch)
		return SIDE_PARENT;
	return process->header.flags & TRACE_FORKED ? SIDE_CHILD : SIDE_NONE;
}

/* When the fork was that began an epoch of a process; 0: none did, or it is not known. */
uint64_t model_fork_time(const struct model_process *process, uint32_t epoch);

/* The kernel copied a page: bits of these kinds. */
#define MODEL_COPIES (1u << TRACE_KIND_FILE | 1u << TRACE_KIND_ZERO | 1u << TRACE_KIND_FORK)

static inline bool model_kind_is_copy(unsigned kind)
{
	return kind < 32 && (MODEL_COPIES >> kind & 1);
}

/* How many forks lie before what the process does now, its ancestors' included. */
static inline uint32_t model_epoch(const struct model_process *process)
{
	return process->fork_count ? process->forks[process->fork_count - 1].epoch
				   : process->header.epoch;
}

#define MODEL_KINDS 7 /* with one for values that are not known here */
#define MODEL_CAUSES 5
extern const char *const model_kind_names[MODEL_KINDS];
extern const char *const model_cause_names[MODEL_CAUSES];

static inline unsigned model_kind(unsigned kind)
{
	return kind < MODEL_KINDS ? kind : MODEL_KINDS - 1;
}

static inline unsigned model_cause(unsigned cause)
{
	return cause < MODEL_CAUSES ? cause : MODEL_CAUSES - 1;
}

/* The last complete snapshot, or NULL. */
const struct model_snapshot *model_last_snapshot(const struct model_process *process);

/* How to call a process: the kernel's name for it, or the last part of its program's path. */
const char *model_process_name(const struct model_process *process);

#endif
