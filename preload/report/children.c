#include "report/children.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "base/notice.h"
#include "base/sys.h"
#include "cowspy/trace.h"
#include "record/names.h"
#include "report/snapshot.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

#define COMMANDS_MOST 1024u /* later ones are counted together, without a name */
#define WAITS 50            /* of a millisecond each, for another child that adds itself */
#define SIZE_LIMIT ((uint64_t)1 << 20)

/* ---- this process ---- */

static void name_command(char *command, size_t size)
{
	long fd = sys_call4(SYS_openat, AT_FDCWD, "/proc/self/comm", O_RDONLY | O_CLOEXEC, 0), n;

	if (sys_failed(fd))
		return;
	n = sys_call3(SYS_read, fd, command, size - 1);
	sys_call1(SYS_close, fd);
	command[n > 0 ? n - 1 : 0] = '\0'; /* its newline */
}

static void count_snapshot(struct trace_children *row, const struct snapshot *snapshot)
{
	row->events = snapshot->events;
	row->copied = snapshot->copied;
	row->attributed = snapshot->attributed;
	row->reused = snapshot->reused;
	row->most = snapshot->copied;
	for (unsigned i = 0; i < KINDS; i++)
		row->kinds[i] = snapshot->kinds[i];
	for (unsigned i = 0; i < CAUSES; i++)
		row->causes[i] = snapshot->causes[i];
}

static void count_process(struct trace_children *row, enum report_reason reason)
{
	struct snapshot *snapshot = journal_count() > journal_first() ? snapshot_take() : NULL;

	row->processes = reason == REPORT_EXIT;
	row->execs = reason == REPORT_EXEC;
	row->last_time = sys_now();
	name_command(row->command, sizeof(row->command));
	if (snapshot) {
		count_snapshot(row, snapshot);
		snapshot_release(snapshot);
	}
}

static void add(struct trace_children *to, const struct trace_children *row)
{
	to->processes += row->processes;
	to->execs += row->execs;
	to->events += row->events;
	to->copied += row->copied;
	to->attributed += row->attributed;
	to->reused += row->reused;
	to->most = to->most > row->most ? to->most : row->most;
	to->last_time = row->last_time;
	for (unsigned i = 0; i < 8; i++) {
		to->kinds[i] += row->kinds[i];
		to->causes[i] += row->causes[i];
	}
}

/* ---- the file ---- */

static void append(const void *data, size_t size)
{
	long fd = sys_call4(SYS_openat, AT_FDCWD, names_children(),
			    O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0);
	if (sys_failed(fd))
		return;
	sys_call3(SYS_write, fd, data, size);
	sys_call1(SYS_close, fd);
}

static void write_header(long fd)
{
	const struct trace_header header = {
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.header_size = sizeof(header),
		.page_size = PAGE_SIZE,
		.machine = ((const Elf64_Ehdr *)__ehdr_start)->e_machine,
		.flags = TRACE_TOTALS,
		.time = sys_now(),
	};
	sys_call4(SYS_pwrite64, fd, &header, sizeof(header), 0);
}

/* False when something else has that name. */
static bool is_ours(long fd)
{
	struct trace_header header;
	return sys_call4(SYS_pread64, fd, &header, sizeof(header), 0) == (long)sizeof(header) &&
	       header.magic == TRACE_MAGIC && header.version == TRACE_VERSION &&
	       header.header_size == sizeof(header) && header.flags == TRACE_TOTALS;
}

/* A descriptor, or -errno. */
static long open_sums(void)
{
	long fd = sys_call4(SYS_openat, AT_FDCWD, names_children(),
			    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (sys_failed(fd) || is_ours(fd))
		return fd;
	sys_call1(SYS_close, fd);
	return -EEXIST;
}

/* In its command's row, or a new one. */
static void add_to_rows(long fd, struct trace_children *row)
{
	struct trace_children present;
	uint64_t at = sizeof(struct trace_header);

	for (unsigned rows = 0;
	     sys_call4(SYS_pread64, fd, &present, sizeof(present), at) == (long)sizeof(present);
	     rows++, at += sizeof(present)) {
		if (present.record.type != TRACE_CHILDREN || present.record.size != sizeof(present))
			return; /* not ours to change */
		if (rows == COMMANDS_MOST)
			memset(row->command, 0, sizeof(row->command));
		if (memcmp(present.command, row->command, sizeof(row->command)) != 0)
			continue;
		add(&present, row);
		sys_call4(SYS_pwrite64, fd, &present, sizeof(present), at);
		return;
	}
	append(row, sizeof(*row));
}

/* Another child may have been stopped while it held the lock: nobody waits for it for long. */
static bool lock(long fd)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < WAITS; i++) {
		if (sys_call2(SYS_flock, fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		sys_call2(SYS_nanosleep, &pause, NULL);
	}
	return false;
}

/* A write beyond the limit of file sizes would raise a signal. */
static bool may_write(void)
{
	struct rlimit limit;
	return sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit) || limit.rlim_cur > SIZE_LIMIT;
}

void children_add(enum report_reason reason)
{
	struct trace_children row = {.record = {TRACE_CHILDREN, sizeof(row)}};
	long fd;

	if (!may_write())
		return;
	count_process(&row, reason);
	fd = open_sums();
	if (sys_failed(fd))
		return;
	if (lock(fd))
		add_to_rows(fd, &row);
	else
		append(&row, sizeof(row)); /* rows of one command are added up by who reads them */
	sys_call1(SYS_close, fd);
}

void children_start(void)
{
	long fd = sys_call4(SYS_openat, AT_FDCWD, names_children(),
			    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (!sys_failed(fd) && may_write())
		write_header(fd);
	else if (fd == -EEXIST)
		fd = open_sums();
	if (sys_failed(fd))
		notice_say("no sums of children are kept in ", names_children(),
			   fd == -EEXIST ? ": another file is there; choose another COWSPY_OUTPUT\n"
					 : ": it cannot be made\n");
	else
		sys_call1(SYS_close, fd);
}
