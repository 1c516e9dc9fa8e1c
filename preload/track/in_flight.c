#include "in_flight.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/memory.h"
#include "base/sys.h"
#include "base/text.h"
#include "syscall_table.h"

#define CALLS_MOST 4096
#define RANGES_OF_CALL 8
#define RUNNING_MOST_NS 2000000
#define NR_UNKNOWN 0x7fff /* no such call: everything that looks like an address may be written */

/* A call asleep, as the kernel shows it: number, six arguments, stack pointer, instruction. */
struct sleeping {
	int tid;
	unsigned long words[9];
};

struct in_flight {
	struct sleeping call;
	unsigned range_count;
	struct output_range ranges[RANGES_OF_CALL];
};

static struct in_flight *calls; /* CALLS_MOST, touched as far as needed */
static unsigned call_count;

static int read_program(void *to, uintptr_t from, uintptr_t length)
{
	return sys_copy(to, (const void *)from, length);
}

/* --- /proc/self/task/TID/syscall --- */

static unsigned words_parse(const char *line, unsigned long *words, unsigned most)
{
	unsigned count = 0;
	while (count < most && *line >= '0' && *line <= '9') {
		unsigned base = line[0] == '0' && line[1] == 'x' ? 16 : 10;
		unsigned long value = 0;
		for (line += base == 16 ? 2 : 0; *line > ' '; line++)
			value = value * base +
				(unsigned long)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
		words[count++] = value;
		line += *line == ' ';
	}
	return count;
}

enum state { GONE, RUNNING, ASLEEP };

static enum state task_state(int tid, struct sleeping *call)
{
	char path[64], line[256];
	struct text text;
	text_start(&text, -1, path, sizeof(path));
	text_string(&text, "/proc/self/task/");
	text_decimal(&text, (uint64_t)tid);
	text_bytes(&text, "/syscall", sizeof("/syscall"));
	long fd = sys_call3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return GONE;
	long length = sys_call3(SYS_read, fd, line, sizeof(line) - 1);
	sys_call1(SYS_close, fd);
	if (length <= 0)
		return GONE;
	line[length] = 0;
	call->tid = tid;
	if (words_parse(line, call->words, 9) == 9)
		return ASLEEP;
	return line[0] == 'r' ? RUNNING : GONE; /* "-1 ...": asleep outside of a call */
}

/* --- calls --- */

static void remember(const struct sleeping *call)
{
	if (call_count == CALLS_MOST)
		return;
	struct in_flight *entry = &calls[call_count];
	long nr = (long)call->words[0], args[6];
	memcpy(args, &call->words[1], sizeof(args));
	if (nr == SYS_restart_syscall)
		nr = NR_UNKNOWN;
	entry->call = *call;
	entry->range_count = syscall_outputs(nr, args, entry->ranges, RANGES_OF_CALL, read_program);
	if (entry->range_count > RANGES_OF_CALL) {
		/* One range over all. */
		uintptr_t start = UINTPTR_MAX, end = 0;
		for (unsigned i = 0; i < RANGES_OF_CALL; i++) {
			const struct output_range *range = &entry->ranges[i];
			start = range->start < start ? range->start : start;
			end = range->start + range->length > end ? range->start + range->length
								 : end;
		}
		entry->ranges[0] = (struct output_range){start, end - start};
		entry->range_count = 1;
	}
	call_count += entry->range_count > 0;
}

/* A thread that runs may be in a call as well; if so, it returns or falls asleep soon. */
static void find_task(int tid, uint64_t deadline)
{
	struct sleeping call;
	enum state state;
	while ((state = task_state(tid, &call)) == RUNNING && sys_now() < deadline)
		sys_call0(SYS_sched_yield);
	if (state == ASLEEP)
		remember(&call);
}

static int number(const char *digits)
{
	int value = 0;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (*digits - '0');
	return value;
}

void in_flight_find(void)
{
	char entries[2048] __attribute__((aligned(8)));
	uint64_t deadline = sys_now() + RUNNING_MOST_NS;
	int self = (int)sys_call0(SYS_gettid);
	long length,
		fd = sys_call3(SYS_open, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	call_count = 0;
	if (!calls)
		calls = memory_map(CALLS_MOST * sizeof(*calls));
	while (calls && (length = sys_call3(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		const struct dirent64 *entry;
		for (long at = 0; at < length; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			int tid = number(entry->d_name);
			if (tid && tid != self)
				find_task(tid, deadline);
		}
	}
	sys_call1(SYS_close, fd);
}

/* One that was woken and has not run yet may still write: a running thread keeps its call. */
static bool is_over(const struct sleeping *call)
{
	struct sleeping now;
	switch (task_state(call->tid, &now)) {
	case RUNNING: return false;
	case ASLEEP: return memcmp(now.words, call->words, sizeof(now.words));
	default: return true;
	}
}

void in_flight_check(void)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < call_count; i++)
		if (!is_over(&calls[i].call))
			calls[kept++] = calls[i];
	call_count = kept;
}

void in_flight_none(void)
{
	call_count = 0;
}

bool in_flight_any(void)
{
	return call_count;
}

bool in_flight_range(unsigned *next, uintptr_t *start, uintptr_t *end)
{
	unsigned index = *next / RANGES_OF_CALL, which = *next % RANGES_OF_CALL;
	if (index < call_count && which == calls[index].range_count) {
		index++;
		which = 0;
	}
	if (index >= call_count)
		return false;
	*start = calls[index].ranges[which].start;
	*end = *start + calls[index].ranges[which].length;
	*next = index * RANGES_OF_CALL + which + 1;
	return true;
}
