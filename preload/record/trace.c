#include "record/trace.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/chunks.h"
#include "base/memory.h"
#include "base/notice.h"
#include "base/options.h"
#include "base/sys.h"
#include "base/text.h"
#include "observe/stacks.h"
#include "record/modules.h"
#include "record/names.h"
#include "record/perf_map.h"

#define SCRATCH_SIZE ((size_t)64 << 10)
#define PATH_MOST 4096u
#define ARGUMENTS_MOST ((size_t)32 << 10)
#define NAME_MOST 64u
#define RESCAN_TIME 100000000u /* at most one look for new code in so many nanoseconds */

enum state {
	STATE_OFF = 0, /* no trace: not wanted, or it could not be made */
	STATE_WAITING, /* a forked child that has recorded nothing yet */
	STATE_ON,
};

static _Atomic int state;
static _Atomic int beginning;
static void (*record_mappings)(void);
static struct trace_header header;
static uint32_t own_epoch;

/* In which trace each stack is: this one has number `generation`. */
static struct chunks stacks_in = {.element = sizeof(_Atomic uint32_t)};
static uint32_t generation = 1;
static _Atomic uint64_t last_scan;

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static bool is_on(void)
{
	return atomic_load_explicit(&state, memory_order_acquire) == STATE_ON;
}

/* --- begin --- */

static uint64_t clock_now(clockid_t clock)
{
	struct timespec now = {0};
	sys_call2(SYS_clock_gettime, clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fill_header(void)
{
	struct utsname name;
	header.magic = TRACE_MAGIC;
	header.version = TRACE_VERSION;
	header.header_size = sizeof(header);
	header.page_size = PAGE_SIZE;
	header.machine = ((const Elf64_Ehdr *)__ehdr_start)->e_machine;
	header.pid = (uint32_t)sys_call0(SYS_getpid);
	header.epoch = own_epoch;
	header.time = clock_now(CLOCK_MONOTONIC);
	header.boot_time = clock_now(CLOCK_BOOTTIME);
	header.wall_time = clock_now(CLOCK_REALTIME);
	if (sys_call1(SYS_uname, &name) == 0)
		memcpy(header.kernel, name.release, sizeof(header.kernel) - 1);
	if (!header.build_id_length)
		header.build_id_length = modules_build_id((uintptr_t)__ehdr_start, header.build_id);
}

static size_t read_file(const char *path, char *to, size_t most)
{
	size_t done = 0;
	long fd = sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), n = 1;
	if (sys_failed(fd))
		return 0;
	while (done < most && n > 0) {
		n = sys_call3(SYS_read, fd, to + done, most - done);
		done += n > 0 ? (size_t)n : 0;
	}
	sys_call1(SYS_close, fd);
	return done;
}

static size_t read_link(const char *path, char *to)
{
	long n = sys_call4(SYS_readlinkat, AT_FDCWD, path, to, PATH_MOST);
	return n > 0 ? (size_t)n : 0;
}

static void record_program(void)
{
	char *scratch = memory_map(SCRATCH_SIZE);
	struct trace_program fixed = {.head = sizeof(fixed)};
	if (!scratch)
		return;
	char *exe = scratch, *directory = exe + PATH_MOST, *name = directory + PATH_MOST;
	char *arguments = name + NAME_MOST;
	size_t length = read_file("/proc/thread-self/cmdline", arguments, ARGUMENTS_MOST);
	fixed.exe_length = (uint32_t)read_link("/proc/thread-self/exe", exe);
	fixed.directory_length = (uint32_t)read_link("/proc/thread-self/cwd", directory);
	fixed.arguments_length = (uint32_t)length;
	fixed.flags = length == ARGUMENTS_MOST ? TRACE_CUT : 0;
	fixed.name_length = (uint32_t)read_file("/proc/self/comm", name, NAME_MOST);
	if (fixed.name_length)
		fixed.name_length--; /* its newline */
	const struct trace_part parts[] = {
		{exe, fixed.exe_length},
		{directory, fixed.directory_length},
		{arguments, fixed.arguments_length},
		{name, fixed.name_length},
	};
	trace_file_append(TRACE_PROGRAM, &fixed, sizeof(fixed), parts, 4);
	memory_unmap(scratch, SCRATCH_SIZE);
}

static void record_options(void)
{
	struct trace_options fixed = {
		.scope = options.scope,
		.signal = options.signal,
		.stack_depth = options.stack_depth,
		.net = options.net,
	};
	trace_file_append(TRACE_OPTIONS, &fixed, sizeof(fixed), NULL, 0);
}

static int begin_file(void)
{
	fill_header();
	int fd = names_create_trace();
	return fd < 0 ? fd : trace_file_begin(fd, &header);
}

static int begin(void)
{
	int error = begin_file();
	atomic_store_explicit(&state, error ? STATE_OFF : STATE_ON, memory_order_release);
	if (error)
		return error;
	record_program();
	record_options();
	if (record_mappings)
		record_mappings();
	modules_scan(true);
	return 0;
}

void trace_say_none(int error)
{
	const char *name = names_trace();
	notice_say(*name ? "no trace is recorded: " : "no trace is recorded", name,
		   error == -ENOSPC || error == -EDQUOT ? ": no space left\n"
		   : error == -EFBIG                    ? ": the limit of file sizes is reached\n"
		   : error == -ENODEV                   ? ": the file system maps no files\n"
							: ": the file cannot be made\n");
}

/* Signals blocked. */
static bool begin_child(void)
{
	while (atomic_exchange_explicit(&beginning, 1, memory_order_acquire))
		sys_call0(SYS_sched_yield);
	int error = atomic_load(&state) == STATE_WAITING ? begin() : 0;
	atomic_store_explicit(&beginning, 0, memory_order_release);
	if (error)
		trace_say_none(error);
	return is_on();
}

/* Signals blocked. */
static bool ready(void)
{
	int now = atomic_load_explicit(&state, memory_order_acquire);
	return now == STATE_ON || (now == STATE_WAITING && begin_child());
}

bool trace_ready(void)
{
	sigmask_t mask;
	if (is_on())
		return true;
	sys_sigmask_block(&mask);
	bool on = ready();
	sys_sigmask_restore(&mask);
	return on;
}

int trace_start(bool inherited, void (*mappings)(void))
{
	record_mappings = mappings;
	if (!options.output)
		return 0;
	header.flags = inherited ? TRACE_INHERITED : 0;
	header.parent = (uint32_t)sys_call0(SYS_getppid);
	memcpy(header.cowspy_version, COWSPY_VERSION, sizeof(COWSPY_VERSION));
	chunks_make(&stacks_in,
		    1); /* now: later it could take a place that the program counts on */
	sys_faults |= SIGMASK(SIGBUS); /* from now on it is ours: the file may be cut short */
	sigmask_t mask;
	sys_sigmask_block(&mask);
	int error = begin();
	sys_sigmask_restore(&mask);
	return error;
}

void trace_child(uint64_t fork_time, uint32_t epoch)
{
	int before = atomic_load(&state);
	if (before == STATE_OFF)
		return;
	header.parent_time = before == STATE_ON ? header.time : 0;
	header.parent = before == STATE_ON ? header.pid : (uint32_t)sys_call0(SYS_getppid);
	header.flags = TRACE_FORKED;
	header.fork_time = fork_time;
	own_epoch = epoch;
	generation++;
	trace_file_child();
	modules_begin();
	atomic_store(&beginning, 0);
	atomic_store(&state, options.follow && options.children == CHILDREN_ALL ? STATE_WAITING
										: STATE_OFF);
}

/* --- stacks --- */

static bool has_new_code(const uintptr_t *frames, unsigned depth, uint64_t now)
{
	if (now - atomic_load_explicit(&last_scan, memory_order_relaxed) < RESCAN_TIME)
		return false;
	for (unsigned i = 0; i < depth; i++)
		if (!modules_cover(frames[i]))
			return true;
	return false;
}

static void record_stack(uint32_t id, uint64_t now)
{
	const uintptr_t *frames;
	struct trace_stack fixed = {.id = id};
	fixed.depth = stacks_get(id, &frames);
	if (!fixed.depth)
		return;
	if (has_new_code(frames, fixed.depth, now)) {
		atomic_store(&last_scan, now);
		modules_scan(false);
	}
	const struct trace_part part = {frames, fixed.depth * sizeof(*frames)};
	trace_file_append(TRACE_STACK, &fixed, sizeof(fixed), &part, 1);
}

/*
 * Marked only when it is complete: whoever finds the mark takes a place behind it. Two threads may
 * both record it.
 */
static void have_stack(uint32_t id, uint64_t now)
{
	_Atomic uint32_t *mark = id ? chunks_make(&stacks_in, id) : NULL;
	if (!id || (mark && atomic_load_explicit(mark, memory_order_acquire) == generation))
		return;
	record_stack(id, now);
	if (mark)
		atomic_store_explicit(mark, generation, memory_order_release);
}

/* --- events --- */

void trace_first_write(const struct first_write *write, uint32_t event)
{
	if (!ready())
		return;
	bool other = write->stack == STACKS_OTHER;
	if (!other)
		have_stack(write->stack, write->time);
	struct trace_first_write fixed = {
		.page = write->page,
		.time = write->time,
		.stack = other ? 0 : write->stack,
		.thread = write->thread,
		.epoch = write->epoch,
		.event = event,
		.previous = write->previous,
		.syscall = write->syscall,
		.kind = write->kind,
		.cause = write->cause,
		.offset = write->offset,
		.flags = other ? TRACE_STACK_OTHER : 0,
	};
	if (!trace_file_append(TRACE_FIRST_WRITE, &fixed, sizeof(fixed), NULL, 0))
		trace_file_lose();
}

void trace_fork(uint64_t time, uint32_t epoch, uint32_t child)
{
	struct trace_fork fixed = {.time = time, .child = child, .epoch = epoch, .done = sys_now()};
	if (is_on())
		trace_file_append(TRACE_FORK, &fixed, sizeof(fixed), NULL, 0);
}

void trace_given_back(uintptr_t start, uintptr_t end, uint32_t epoch, bool later)
{
	struct trace_given_back fixed = {.time = sys_now(),
					 .start = start,
					 .end = end,
					 .epoch = epoch,
					 .flags = later ? TRACE_LATER : 0};
	if (is_on())
		trace_file_append(TRACE_GIVEN_BACK, &fixed, sizeof(fixed), NULL, 0);
}

void trace_label(const struct label *label)
{
	struct trace_label fixed = {.head = sizeof(fixed),
				    .thread = label->thread,
				    .time = label->time,
				    .epoch = label->epoch,
				    .length = label->length};
	const struct trace_part text = {label->text, label->length};
	if (ready())
		trace_file_append(TRACE_LABEL, &fixed, sizeof(fixed), &text, 1);
}

void trace_limit(uintptr_t start, uintptr_t end, uint32_t reason)
{
	struct trace_limit fixed = {
		.time = sys_now(), .start = start, .end = end, .reason = reason};
	if (is_on())
		trace_file_append(TRACE_LIMIT, &fixed, sizeof(fixed), NULL, 0);
}

/* --- mappings --- */

static void record_mapping(struct trace_mapping *fixed, const char *path, size_t length)
{
	const struct trace_part part = {path, length};
	fixed->head = sizeof(*fixed);
	fixed->time = sys_now();
	fixed->path_length = (uint32_t)length;
	trace_file_append(TRACE_MAPPING, fixed, sizeof(*fixed), &part, 1);
}

void trace_mapping_add(const struct trace_range *range)
{
	struct trace_mapping fixed = {
		.action = TRACE_ADD,
		.start = range->start,
		.end = range->end,
		.protection = range->protection,
		.flags = range->flags,
		.limit = range->limit,
	};
	if (is_on())
		record_mapping(&fixed, NULL, 0);
}

void trace_mapping_remove(uintptr_t start, uintptr_t end)
{
	struct trace_mapping fixed = {.action = TRACE_REMOVE, .start = start, .end = end};
	if (is_on())
		record_mapping(&fixed, NULL, 0);
}

void trace_mapping_protect(uintptr_t start, uintptr_t end, uint32_t protection)
{
	struct trace_mapping fixed = {
		.action = TRACE_PROTECT, .start = start, .end = end, .protection = protection};
	if (is_on())
		record_mapping(&fixed, NULL, 0);
}

void trace_mapping_name(const struct maps_line *line)
{
	struct trace_mapping fixed = {
		.action = TRACE_NAME,
		.start = line->start,
		.end = line->end,
		.flags = line->inode ? TRACE_FILE : 0,
		.device_major = line->device_major,
		.device_minor = line->device_minor,
		.inode = line->inode,
		.offset = line->offset,
	};
	if (is_on())
		record_mapping(&fixed, line->path, line->path_length);
}

void trace_mapping_file(uintptr_t start, uintptr_t end, int fd, uint64_t offset)
{
	static char link[64], path[PATH_MOST];
	struct stat status;
	struct text text;
	if (!is_on() || sys_call2(SYS_fstat, fd, &status))
		return;
	text_start(&text, -1, link, sizeof(link));
	text_string(&text, "/proc/thread-self/fd/");
	text_decimal(&text, (uint64_t)fd);
	text_character(&text, '\0');
	const struct maps_line line = {
		.start = start,
		.end = end,
		.offset = offset,
		.device_major = (unsigned)(status.st_dev >> 8) & 0xfff,
		.device_minor = (unsigned)(status.st_dev & 0xff) |
				((unsigned)(status.st_dev >> 12) & 0xfff00),
		.inode = status.st_ino,
		.path = path,
		.path_length = read_link(link, path),
	};
	trace_mapping_name(&line);
}

void trace_modules(void)
{
	sigmask_t mask;
	if (!is_on())
		return;
	sys_sigmask_block(&mask);
	modules_scan(false);
	sys_sigmask_restore(&mask);
}

/* --- the end --- */

void trace_close(enum trace_reason reason, uint32_t epoch)
{
	struct trace_close fixed = {
		.time = sys_now(),
		.reason = reason,
		.epoch = epoch,
		.events = journal_count() - journal_first(),
		.lost = trace_file_lost(),
	};
	sigmask_t mask;
	if (!is_on())
		return;
	sys_sigmask_block(&mask);
	modules_scan(false);
	if (names_perf_map())
		perf_map_keep(names_perf_map(), header.wall_time / 1000000000u);
	trace_file_append_last(TRACE_CLOSE, &fixed, sizeof(fixed));
	trace_file_trim();
	sys_sigmask_restore(&mask);
}
