#include "report/children.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/descriptor.h"
#include "base/notice.h"
#include "base/options.h"
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

static _Atomic int kept = -1;

/*
 * A descriptor, for a process that may not open the file any more. It may be shared with its
 * children, but locks of records belong to processes.
 */
void children_keep(void)
{
	int none = -1;
	if (!options.output || options.children != CHILDREN_TOTALS || atomic_load(&kept) >= 0)
		return;
	long fd = open_sums();
	if (sys_failed(fd))
		return;
	fd = descriptor_move_up((int)fd);
	if (!atomic_compare_exchange_strong(&kept, &none, (int)fd))
		sys_call1(SYS_close, fd);
}

int children_descriptor(void)
{
	return atomic_load(&kept);
}

void children_descriptor_leave(void)
{
	long other = sys_call3(SYS_fcntl, atomic_load(&kept), F_DUPFD_CLOEXEC, 3);
	if (sys_failed(other))
		return;
	other = descriptor_move_up((int)other);
	sys_call1(SYS_close, atomic_exchange(&kept, (int)other));
}

/* Others may append without the lock. */
static void append(long fd, const void *data, size_t size)
{
	struct stat status;
	long own = sys_call4(SYS_openat, AT_FDCWD, names_children(),
			     O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0);
	if (!sys_failed(own)) {
		sys_call3(SYS_write, own, data, size);
		sys_call1(SYS_close, own); /* and the lock, if we had it */
	} else if (!sys_call2(SYS_fstat, fd, &status)) {
		sys_call4(SYS_pwrite64, fd, data, size, status.st_size);
	}
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
	append(fd, row, sizeof(*row));
}

/* Another child may have been stopped while it held the lock: nobody waits for it for long. */
static bool lock(long fd)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const struct flock all = {.l_type = F_WRLCK};

	for (int i = 0; i < WAITS; i++) {
		if (sys_call3(SYS_fcntl, fd, F_SETLK, &all) == 0)
			return true;
		sys_call2(SYS_nanosleep, &pause, NULL);
	}
	return false;
}

static void unlock(long fd)
{
	const struct flock all = {.l_type = F_UNLCK};
	sys_call3(SYS_fcntl, fd, F_SETLK, &all);
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
		fd = atomic_load(&kept);
	if (fd < 0 || !is_ours(fd))
		return;
	if (lock(fd))
		add_to_rows(fd, &row);
	else
		append(fd, &row, sizeof(row)); /* who reads adds up the rows of one command */
	if (fd == atomic_load(&kept))
		unlock(fd);
	else
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
