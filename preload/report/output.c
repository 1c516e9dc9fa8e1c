#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "base/notice.h"
#include "base/options.h"
#include "base/sys.h"
#include "record/journal.h"
#include "record/names.h"
#include "record/trace.h"
#include "report/children.h"
#include "track/mode.h"
#include "track/fault.h"
#include "track/trace_regions.h"

#define STDERR 2

static bool quiet;
static bool forked;
static bool program_ends;
static int kept_stderr = -1; /* ours, once the program closes its own while it ends */
static bool failed;
static bool only_totals; /* a child that leaves no files of its own, unless it is asked */
static _Atomic int reporting;

#define CANNOT(why) ": " why "; check COWSPY_OUTPUT; reports go to standard error\n"

static void say_cannot_write(int error)
{
	notice_say("cannot write ", options.output,
		   error == -EACCES || error == -EPERM ? CANNOT("permission denied")
		   : error == -ENOENT                  ? CANNOT("no such directory")
		   : error == -EISDIR                  ? CANNOT("it is a directory")
		   : error == -ENOSPC                  ? CANNOT("no space left")
		   : error == -EROFS                   ? CANNOT("read-only file system")
						       : CANNOT("it cannot be created"));
}

static int open_file(void)
{
	int fd = names_open_report();
	failed = fd < 0;
	if (failed)
		say_cannot_write(fd);
	return fd;
}

/* The first process makes its files at once, so that a bad path is known before hours of work. */
void output_start(bool is_quiet)
{
	quiet = is_quiet;
	notice_start(quiet);
	names_start();
	if (!options.output)
		return;
	if (options.children == CHILDREN_TOTALS && !is_quiet)
		children_start();
	only_totals = is_quiet && options.children == CHILDREN_TOTALS;
	if (only_totals)
		return;
	int error = trace_start(quiet, trace_regions_all);
	int fd = open_file();
	if (fd < 0)
		return;
	sys_call1(SYS_close, fd);
	if (error)
		trace_say_none(error);
}

void output_child(void)
{
	forked = true;
	only_totals = options.output && options.children == CHILDREN_TOTALS;
	names_child();
	atomic_store(&reporting, 0);
}

/* Where the report goes now; *close says whether to close it. -1: nowhere. */
static int output_open(bool *close)
{
	int fd = options.output && !failed ? open_file() : -1;
	*close = fd >= 0;
	if (fd >= 0)
		return fd;
	if (quiet)
		return -1;
	if (kept_stderr >= 0 && notice_is_stderr(kept_stderr))
		return kept_stderr;
	return notice_is_stderr(STDERR) ? STDERR : -1;
}

static bool has_copied(void)
{
	for (uint32_t i = journal_first() + 1; i <= journal_count(); i++) {
		const struct kept_write *write = journal_get(i);
		if (write && write->kind != KIND_REUSE)
			return true;
	}
	return false;
}

/*
 * A child that has copied nothing, as far as we would know, says nothing, unless it was asked. Nor do the children that a
 * shell forks to run its commands, where all share one standard error.
 */
static bool nothing_to_say(enum report_reason reason)
{
	if (!forked || (reason == REPORT_SNAPSHOT && options.follow))
		return false;
	if (!options.follow)
		return true;
	return (mode_is_exact() && !has_copied()) || (reason == REPORT_EXEC && !options.output);
}

static void report_now(enum report_reason reason)
{
	bool close;
	bool traced = trace_ready();
	int fd = output_open(&close);
	if (fd >= 0 || traced)
		report_write(fd, reason);
	if (!close)
		return;
	sys_call1(SYS_close, fd);
	if (!forked && !options.quiet && reason != REPORT_SNAPSHOT)
		notice_say("report in ", names_report(), "\n");
}

void output_report(enum report_reason reason)
{
	if (only_totals && options.follow && reason != REPORT_SNAPSHOT) {
		children_add(reason);
		return;
	}
	if (!nothing_to_say(reason) && !atomic_exchange(&reporting, 1)) {
		report_now(reason);
		atomic_store(&reporting, 0);
	}
	if (reason != REPORT_SNAPSHOT)
		trace_close(reason == REPORT_EXEC ? TRACE_REASON_EXEC : TRACE_REASON_EXIT,
			    process_epoch);
}

void output_program_ends(void)
{
	program_ends = true;
}

/* Many programs check and close their standard error last, before libc lets us report. */
void output_before_close(int fd)
{
	if (fd != STDERR || !program_ends || kept_stderr >= 0 || quiet || !notice_is_stderr(fd))
		return;
	kept_stderr = (int)sys_call3(SYS_fcntl, STDERR, F_DUPFD_CLOEXEC, 3);
}
