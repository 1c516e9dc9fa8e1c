#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/options.h"
#include "base/sys.h"
#include "base/text.h"
#include "record/journal.h"
#include "track/fault.h"

#define PATH_MOST 4096
#define STDERR 2

static bool quiet;
static bool forked;
static bool program_ends;
static int kept_stderr = -1; /* ours, once the program closes its own while it ends */
static dev_t stderr_device;
static ino_t stderr_inode;
static bool stderr_known;
static char directory[PATH_MOST]; /* what a relative pattern is relative to */
static char path[PATH_MOST];      /* of this process's file; empty: not made yet */
static bool failed;
static _Atomic int reporting;

static bool same_stderr(int fd)
{
	struct stat status;
	return stderr_known && sys_call2(SYS_fstat, fd, &status) == 0 &&
	       status.st_dev == stderr_device && status.st_ino == stderr_inode;
}

static void remember_stderr(void)
{
	struct stat status;
	stderr_known = sys_call2(SYS_fstat, STDERR, &status) == 0;
	stderr_device = status.st_dev;
	stderr_inode = status.st_ino;
}

static void host_name(struct text *text)
{
	struct utsname name;
	if (sys_call1(SYS_uname, &name) == 0)
		text_string(text, name.nodename);
}

/* One conversion of the pattern. True when it was the process id. */
static bool expand_one(struct text *text, char conversion)
{
	if (conversion == 'p')
		text_decimal(text, (uint64_t)process_pid);
	else if (conversion == 'h')
		host_name(text);
	else if (conversion == '%')
		text_character(text, '%');
	else
		text_bytes(text, (char[]){'%', conversion}, 2);
	return conversion == 'p';
}

/*
 * The path for this process: the pattern; the pid behind it for a child whose pattern has none; and
 * a number behind that while the path exists already.
 */
static void expand(struct text *text, unsigned attempt)
{
	const char *pattern = options.output;
	bool has_pid = false;
	if (*pattern != '/') {
		text_string(text, directory);
		text_character(text, '/');
	}
	for (; *pattern; pattern++) {
		if (pattern[0] == '%' && pattern[1])
			has_pid |= expand_one(text, *++pattern);
		else
			text_character(text, *pattern);
	}
	if (forked && !has_pid) {
		text_character(text, '.');
		text_decimal(text, (uint64_t)process_pid);
	}
	if (attempt) {
		text_character(text, '.');
		text_decimal(text, attempt);
	}
	text_character(text, '\0');
}

static bool is_directory(void)
{
	struct stat status;
	return sys_call2(SYS_stat, path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int create(void)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_APPEND;
	long fd = -EEXIST;
	for (unsigned attempt = 0; fd == -EEXIST && attempt < 1000; attempt++) {
		struct text text;
		text_start(&text, -1, path, sizeof(path));
		expand(&text, attempt);
		fd = text.error ? text.error : sys_call4(SYS_openat, AT_FDCWD, path, flags, 0600);
		if (fd == -EEXIST && is_directory())
			fd = -EISDIR;
	}
	if (fd < 0) {
		failed = true;
		path[0] = '\0';
	}
	return (int)fd;
}

static void say(const char *before, const char *name, const char *after)
{
	char data[512];
	struct text text;
	if (quiet || !same_stderr(STDERR))
		return;
	text_start(&text, STDERR, data, sizeof(data));
	text_string(&text, "cowspy: ");
	text_string(&text, before);
	text_untrusted(&text, name, strlen(name));
	text_string(&text, after);
	text_flush(&text);
}

#define CANNOT(why) ": " why "; check COWSPY_OUTPUT; reports go to standard error\n"

static void say_cannot_write(int error)
{
	say("cannot write ", options.output,
	    error == -EACCES || error == -EPERM ? CANNOT("permission denied")
	    : error == -ENOENT			? CANNOT("no such directory")
	    : error == -EISDIR			? CANNOT("it is a directory")
	    : error == -ENOSPC			? CANNOT("no space left")
	    : error == -EROFS			? CANNOT("read-only file system")
						: CANNOT("it cannot be created"));
}

/* The first process makes its file at once, so that a bad path is known before hours of work. */
void output_start(bool is_quiet)
{
	quiet = is_quiet;
	remember_stderr();
	if (sys_call2(SYS_getcwd, directory, sizeof(directory)) < 0)
		strcpy(directory, ".");
	if (!options.output)
		return;
	int fd = create();
	if (fd < 0)
		say_cannot_write(fd);
	else
		sys_call1(SYS_close, fd);
}

void output_child(void)
{
	forked = true;
	path[0] = '\0';
	atomic_store(&reporting, 0);
}

/* Where the report goes now; *close says whether to close it. -1: nowhere. */
static int output_open(bool *close)
{
	*close = true;
	if (options.output && !failed) {
		int fd = path[0] ? (int)sys_call3(SYS_openat, AT_FDCWD, path,
						  O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)
				 : create();
		if (fd >= 0)
			return fd;
		failed = true;
		say_cannot_write(fd);
	}
	*close = false;
	if (quiet)
		return -1;
	if (kept_stderr >= 0 && same_stderr(kept_stderr))
		return kept_stderr;
	return same_stderr(STDERR) ? STDERR : -1;
}

static bool has_copied(void)
{
	for (uint32_t i = journal_first() + 1; i <= journal_count(); i++) {
		const struct first_write *write = journal_get(i);
		if (write && write->kind != KIND_REUSE)
			return true;
	}
	return false;
}

/*
 * A child that has copied nothing says nothing, unless it was asked. Nor do the children that a
 * shell forks to run its commands, where all share one standard error.
 */
static bool nothing_to_say(enum report_reason reason)
{
	if (!forked || reason == REPORT_SNAPSHOT)
		return false;
	return !has_copied() || (reason == REPORT_EXEC && !options.output);
}

void output_report(enum report_reason reason)
{
	bool close;
	if (nothing_to_say(reason) || atomic_exchange(&reporting, 1))
		return;
	int fd = output_open(&close);
	if (fd >= 0)
		report_write(fd, reason);
	if (fd >= 0 && close) {
		sys_call1(SYS_close, fd);
		if (!forked && reason != REPORT_SNAPSHOT)
			say("report in ", path, "\n");
	}
	atomic_store(&reporting, 0);
}

void output_program_ends(void)
{
	program_ends = true;
}

/* Many programs check and close their standard error last, before libc lets us report. */
void output_before_close(int fd)
{
	if (fd != STDERR || !program_ends || kept_stderr >= 0 || quiet || !same_stderr(fd))
		return;
	kept_stderr = (int)sys_call3(SYS_fcntl, STDERR, F_DUPFD_CLOEXEC, 3);
}
