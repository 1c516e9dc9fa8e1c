/* sources: preload/record/journal.c preload/record/trace.c preload/record/trace_file.c preload/record/modules.c preload/record/names.c preload/record/perf_map.c preload/observe/maps.c preload/observe/stack_table.c preload/base/chunks.c preload/base/descriptor.c preload/base/memory.c preload/base/notice.c preload/base/options.c preload/base/sys.c preload/base/text.c */
/* The writer of traces, read back by the rules of include/cowspy/trace.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/notice.h"
#include "base/options.h"
#include "base/sys.h"
#include "observe/stacks.h"
#include "record/names.h"
#include "record/trace.h"

#define THREADS 4
#define EACH 60000u

static char folder[] = "/tmp/cowspy-trace.XXXXXX";
static char pattern[64];

struct file {
	unsigned char *data;
	size_t size;
	size_t end; /* behind the last record */
	const struct trace_header *header;
};

static struct file file_map(const char *path)
{
	struct stat status;
	struct file file;
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	file.size = (size_t)status.st_size;
	file.data = mmap(NULL, file.size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(file.data, MAP_FAILED);
	close(fd);
	file.header = (const struct trace_header *)file.data;
	assert_int_equal(file.header->magic, TRACE_MAGIC);
	file.end = file.header->header_size;
	return file;
}

/* The next complete record of a type, or NULL at the end. Checks the walk. */
static const void *next_record(struct file *file, enum trace_type type)
{
	while (file->end + sizeof(struct trace_record) <= file->size) {
		const struct trace_record *record = (const void *)(file->data + file->end);
		if (!record->size)
			break;
		assert_int_equal(record->size % TRACE_ALIGNMENT, 0);
		assert_in_range(record->size, 8, file->size - file->end);
		file->end += record->size;
		if (record->type == type)
			return record;
	}
	return NULL;
}

static unsigned count_records(const char *path, enum trace_type type)
{
	struct file file = file_map(path);
	unsigned count = 0;
	while (next_record(&file, type))
		count++;
	for (size_t i = file.end; i < file.size; i++)
		assert_int_equal(file.data[i], 0);
	munmap(file.data, file.size);
	return count;
}

static struct first_write write_of(unsigned thread, unsigned n)
{
	return (struct first_write){
		.page = ((uint64_t)thread << 32 | n) << 12,
		.time = n,
		.stack = 0,
		.thread = thread,
		.kind = KIND_FILL,
	};
}

/* Each test runs in a child, since a process has one trace. Returns the child's status. */
static int in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		test();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(9); \
		} \
	} while (0)

static void begin(const char *name)
{
	snprintf(pattern, sizeof(pattern), "%s/%s", folder, name);
	options.output = pattern;
	options.follow = 1;
	notice_start(false);
	names_start();
	MUST(trace_start(false, NULL) == 0);
}

static const char *path_of(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* --- */

static void write_one(void)
{
	const uintptr_t frames[] = {0x1000, 0x2000, 0x3000};
	begin("one");
	struct first_write write = write_of(7, 5);
	write.stack = stacks_insert(frames, 3);
	write.previous = 3;
	write.cause = CAUSE_SYSCALL;
	write.syscall = 11;
	write.epoch = 2;
	MUST(journal_append(&write) == 1);
	MUST(journal_append(&write) == 2);
	write.stack = STACKS_OTHER;
	MUST(journal_append(&write) == 3);
	trace_close(TRACE_REASON_EXIT, 2);
}

static void records_read_back_as_they_were_written(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_one), 0);
	struct file file = file_map(path_of("one.trace"));
	assert_int_equal(file.header->version, TRACE_VERSION);
	assert_int_equal(file.header->page_size, 4096);
	assert_int_equal(file.header->flags, 0);
	const struct trace_program *program = next_record(&file, TRACE_PROGRAM);
	assert_non_null(program);
	assert_int_equal(program->head, sizeof(*program));
	assert_memory_equal((const char *)program + program->head, "/", 1);
	const struct trace_stack *stack = next_record(&file, TRACE_STACK);
	assert_non_null(stack);
	assert_int_equal(stack->depth, 3);
	assert_int_equal(stack->addresses[2], 0x3000);
	const struct trace_first_write *write = next_record(&file, TRACE_FIRST_WRITE);
	assert_non_null(write);
	assert_int_equal(write->record.size, sizeof(*write));
	assert_int_equal(write->page, ((uint64_t)7 << 32 | 5) << 12);
	assert_int_equal(write->stack, stack->id);
	assert_int_equal(write->thread, 7);
	assert_int_equal(write->event, 1);
	assert_int_equal(write->previous, 3);
	assert_int_equal(write->syscall, 11);
	assert_int_equal(write->kind, TRACE_KIND_FILL);
	assert_int_equal(write->cause, TRACE_CAUSE_SYSCALL);
	assert_int_equal(write->epoch, 2);
	assert_int_equal(write->flags, 0);
	assert_non_null(next_record(&file, TRACE_FIRST_WRITE));
	write = next_record(&file, TRACE_FIRST_WRITE);
	assert_non_null(write);
	assert_int_equal(write->stack, 0);
	assert_int_equal(write->flags, TRACE_STACK_OTHER);
	const struct trace_close *close = next_record(&file, TRACE_CLOSE);
	assert_non_null(close);
	assert_int_equal(close->events, 3);
	assert_int_equal(close->lost, 0);
	assert_in_range(file.size, file.end, file.end + 32768);
	munmap(file.data, file.size);
	assert_int_equal(count_records(path_of("one.trace"), TRACE_STACK), 1);
	assert_true(count_records(path_of("one.trace"), TRACE_MODULE) > 2);
}

/* --- */

static void *write_many(void *argument)
{
	unsigned thread = (unsigned)(uintptr_t)argument;
	for (unsigned n = 1; n <= EACH; n++) {
		struct first_write write = write_of(thread, n);
		trace_first_write(&write, 0);
	}
	return NULL;
}

static void write_together(void)
{
	pthread_t threads[THREADS];
	begin("many");
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, write_many, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	trace_close(TRACE_REASON_EXIT, 0);
}

static void threads_lose_and_double_nothing(void **state)
{
	const struct trace_first_write *write;
	static unsigned char seen[THREADS][EACH + 1];
	(void)state;
	assert_int_equal(in_child(write_together), 0);
	struct file file = file_map(path_of("many.trace"));
	assert_true(file.size > 1 << 23);
	while ((write = next_record(&file, TRACE_FIRST_WRITE))) {
		unsigned thread = (unsigned)(write->page >> 44),
			 n = (write->page >> 12) & 0xffffffff;
		assert_in_range(thread, 0, THREADS - 1);
		assert_in_range(n, 1, EACH);
		assert_int_equal(seen[thread][n]++, 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned n = 1; n <= EACH; n++)
			assert_int_equal(seen[i][n], 1);
	munmap(file.data, file.size);
}

/* --- */

static void write_over_segments(void)
{
	static char text[40001];
	begin("segments");
	for (unsigned n = 0; n < 1000; n++) {
		struct trace_stack fixed = {.id = n, .depth = 0};
		const struct trace_part part = {text, 40001};
		MUST(trace_file_append(TRACE_STACK, &fixed, sizeof(fixed), &part, 1));
	}
	MUST(trace_file_lost() == 0);
}

static void records_never_lie_across_segments(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_over_segments), 0);
	assert_int_equal(count_records(path_of("segments.trace"), TRACE_STACK), 1000);
	assert_int_equal(count_records(path_of("segments.trace"), TRACE_FILLER), 2);
}

/* --- */

static void write_in_children(void)
{
	begin("parent");
	const uintptr_t frame = 0x1000;
	struct first_write write = write_of(1, 1);
	write.stack = stacks_insert(&frame, 1);
	trace_first_write(&write, 1);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			names_child();
			trace_child(77, 1);
			if (i)
				trace_first_write(&write, 2);
			trace_close(TRACE_REASON_EXIT, 1);
			_exit(0);
		}
		trace_fork(77, 1, (uint32_t)pid);
		char from[128], to[128];
		waitpid(pid, NULL, 0);
		snprintf(from, sizeof(from), "%s/parent.%d.trace", folder, pid);
		snprintf(to, sizeof(to), "%s/child.%d.trace", folder, i);
		MUST(rename(from, to) == 0 || i == 0);
	}
}

static void a_child_begins_a_file_of_its_own_when_it_writes(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_in_children), 0);
	assert_int_not_equal(access(path_of("child.0.trace"), F_OK), 0);
	assert_int_equal(count_records(path_of("parent.trace"), TRACE_FIRST_WRITE), 1);
	assert_int_equal(count_records(path_of("parent.trace"), TRACE_FORK), 3);
	struct file parent = file_map(path_of("parent.trace"));
	struct file child = file_map(path_of("child.2.trace"));
	assert_int_equal(child.header->flags, TRACE_FORKED);
	assert_int_equal(child.header->parent, parent.header->pid);
	assert_int_equal(child.header->parent_time, parent.header->time);
	assert_int_equal(child.header->fork_time, 77);
	assert_int_equal(child.header->epoch, 1);
	assert_non_null(next_record(&child, TRACE_STACK));
	assert_non_null(next_record(&child, TRACE_FIRST_WRITE));
	assert_non_null(next_record(&child, TRACE_CLOSE));
}

/* --- */

static void write_until_the_limit(void)
{
	const struct rlimit limit = {1 << 20, RLIM_INFINITY};
	begin("limited");
	close(2);
	MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	for (unsigned n = 1; n <= 50000; n++) {
		struct first_write write = write_of(1, n);
		trace_first_write(&write, n);
	}
	trace_close(TRACE_REASON_EXIT, 0);
}

static void the_limit_of_file_sizes_stops_recording_alone(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_until_the_limit), 0);
	unsigned kept = count_records(path_of("limited.trace"), TRACE_FIRST_WRITE);
	struct file file = file_map(path_of("limited.trace"));
	const struct trace_lost *lost = next_record(&file, TRACE_LOST);
	assert_non_null(lost);
	assert_int_equal(lost->reason, TRACE_LOST_SPACE);
	assert_int_equal(lost->error, EFBIG);
	assert_int_equal(lost->count + kept, 50000);
	assert_true(kept > 10000);
	const struct trace_close *close = next_record(&file, TRACE_CLOSE);
	assert_non_null(close);
	assert_int_equal(close->lost, lost->count);
}

/* --- */

/* KiB of the trace that count as resident in this process. */
static unsigned long resident_of_trace(void)
{
	char line[512];
	unsigned long size, sum = 0, start;
	bool ours = false;
	FILE *smaps = fopen("/proc/self/smaps", "r");
	MUST(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%*x ", &start) == 1 && strchr(line, '-'))
			ours = strstr(line, ".trace");
		if (ours && sscanf(line, "Rss: %lu", &size) == 1)
			sum += size;
	}
	fclose(smaps);
	return sum;
}

/* Over more than a segment. */
static void write_much(void)
{
	begin("much");
	for (unsigned n = 1; n <= 400000; n++) {
		struct first_write write = write_of(1, n);
		trace_first_write(&write, n);
		if (n % 1000 == 0)
			MUST(resident_of_trace() <= 128);
	}
	MUST(resident_of_trace() > 0);
	trace_close(TRACE_REASON_EXIT, 0);
}

static void full_pages_of_the_file_are_not_resident(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_much), 0);
	assert_int_equal(count_records(path_of("much.trace"), TRACE_FIRST_WRITE), 400000);
}

/* --- */

static void rescue(int signal, siginfo_t *info, void *context)
{
	(void)info;
	if (!trace_file_rescue(context))
		_exit(signal);
}

static void write_into_a_file_cut_short(void)
{
	const struct sigaction action = {.sa_sigaction = rescue,
					 .sa_flags = SA_SIGINFO | SA_NODEFER};
	begin("cut");
	close(2);
	sigaction(SIGBUS, &action, NULL);
	for (unsigned n = 1; n <= 20000; n++) {
		struct first_write write = write_of(1, n);
		if (n == 300)
			MUST(truncate(path_of("cut.trace"), 4096) == 0);
		trace_first_write(&write, n);
	}
	MUST(trace_file_lost() > 10000);
	trace_close(TRACE_REASON_EXIT, 0);
}

static void a_file_cut_short_stops_recording_alone(void **state)
{
	(void)state;
	assert_int_equal(in_child(write_into_a_file_cut_short), 0);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_read_back_as_they_were_written),
		cmocka_unit_test(threads_lose_and_double_nothing),
		cmocka_unit_test(records_never_lie_across_segments),
		cmocka_unit_test(a_child_begins_a_file_of_its_own_when_it_writes),
		cmocka_unit_test(the_limit_of_file_sizes_stops_recording_alone),
		cmocka_unit_test(full_pages_of_the_file_are_not_resident),
		cmocka_unit_test(a_file_cut_short_stops_recording_alone),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
