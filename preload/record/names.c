#include "record/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/options.h"
#include "base/sys.h"
#include "base/text.h"

#define PATH_MOST 4096
#define ATTEMPTS 1000u
#define SUFFIX ".trace"
#define CHILDREN "children"
#define PERF_MAP_SUFFIX ".perf-map"
#define CREATE (O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

static bool forked;
static char directory[PATH_MOST];
static char report[PATH_MOST];
static char trace[PATH_MOST];
static char perf_map[PATH_MOST];
static char children[PATH_MOST];
static bool report_made;

static void host_name(struct text *text)
{
	struct utsname name;
	if (sys_call1(SYS_uname, &name) == 0)
		text_string(text, name.nodename);
}

/* One conversion of the pattern. True when it was the process id. */
static bool expand_one(struct text *text, char conversion, bool children)
{
	if (conversion == 'p' && children)
		text_string(text, CHILDREN);
	else if (conversion == 'p')
		text_decimal(text, (uint64_t)sys_call0(SYS_getpid));
	else if (conversion == 'h')
		host_name(text);
	else if (conversion == '%')
		text_character(text, '%');
	else
		text_bytes(text, (char[]){'%', conversion}, 2);
	return conversion == 'p';
}

static bool expand_pattern(struct text *text, bool children)
{
	const char *pattern = options.output;
	bool has_pid = false;
	if (*pattern != '/') {
		text_string(text, directory);
		text_character(text, '/');
	}
	for (; *pattern; pattern++) {
		if (pattern[0] == '%' && pattern[1])
			has_pid |= expand_one(text, *++pattern, children);
		else
			text_character(text, *pattern);
	}
	return has_pid;
}

/*
 * The path for this process: the pattern; the pid behind it for a child whose pattern has none; and
 * a number behind that while the path exists already.
 */
static void expand(struct text *text, unsigned attempt)
{
	if (!expand_pattern(text, false) && forked) {
		text_character(text, '.');
		text_decimal(text, (uint64_t)sys_call0(SYS_getpid));
	}
	if (attempt) {
		text_character(text, '.');
		text_decimal(text, attempt);
	}
}

static int name_report(unsigned attempt)
{
	struct text text;
	text_start(&text, -1, report, sizeof(report));
	expand(&text, attempt);
	text_character(&text, '\0');
	return text.error ? -ENAMETOOLONG : 0;
}

static void name_beside(char *path, size_t length, const char *suffix)
{
	memcpy(path, report, length);
	strcpy(path + length, suffix);
}

static int name_trace(void)
{
	size_t length = strlen(report);
	if (length + sizeof(SUFFIX) > sizeof(trace))
		return -ENAMETOOLONG;
	name_beside(trace, length, SUFFIX);
	if (length + sizeof(PERF_MAP_SUFFIX) <= sizeof(perf_map))
		name_beside(perf_map, length, PERF_MAP_SUFFIX);
	return 0;
}

static void unsettle(void)
{
	report[0] = trace[0] = perf_map[0] = '\0';
}

/* 0, or why no report can be made there: -EEXIST, -EISDIR. */
static int look(const char *path)
{
	struct stat status;
	if (sys_call4(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW))
		return 0;
	return S_ISDIR(status.st_mode) ? -EISDIR : -EEXIST;
}

static int create(const char *path, int flags)
{
	return (int)sys_call4(SYS_openat, AT_FDCWD, path, flags | CREATE, 0600);
}

/* The trace is the claim on both names; a report of the same name must not be there. */
static int claim(void)
{
	int fd = create(trace, O_RDWR);
	int there = fd < 0 ? 0 : look(report);
	if (!there)
		return fd;
	sys_call1(SYS_close, fd);
	sys_call3(SYS_unlinkat, AT_FDCWD, trace, 0);
	return there;
}

int names_create_trace(void)
{
	int fd = -EEXIST;
	for (unsigned attempt = 0; fd == -EEXIST && attempt < ATTEMPTS; attempt++) {
		fd = name_report(attempt);
		fd = fd ? fd : name_trace();
		fd = fd ? fd : claim();
	}
	if (fd < 0)
		unsettle();
	return fd;
}

static int create_report(void)
{
	int fd = report[0] ? create(report, O_WRONLY | O_APPEND) : -EEXIST;
	for (unsigned attempt = 0; fd == -EEXIST && attempt < ATTEMPTS; attempt++) {
		fd = name_report(attempt);
		fd = fd ? fd : create(report, O_WRONLY | O_APPEND);
		if (fd == -EEXIST)
			fd = look(report);
	}
	report_made = fd >= 0;
	if (!report_made)
		report[0] = '\0';
	return fd;
}

int names_open_report(void)
{
	if (!report_made)
		return create_report();
	return (int)sys_call3(SYS_openat, AT_FDCWD, report,
			      O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
}

const char *names_report(void)
{
	return report;
}

const char *names_trace(void)
{
	return trace;
}

const char *names_children(void)
{
	struct text text;
	text_start(&text, -1, children, sizeof(children));
	if (!expand_pattern(&text, true))
		text_string(&text, "." CHILDREN);
	text_string(&text, SUFFIX);
	text_character(&text, '\0');
	if (text.error)
		children[0] = '\0';
	return children;
}

const char *names_perf_map(void)
{
	return *perf_map ? perf_map : NULL;
}

void names_start(void)
{
	if (sys_call2(SYS_getcwd, directory, sizeof(directory)) < 0)
		strcpy(directory, ".");
}

void names_child(void)
{
	forked = true;
	report_made = false;
	unsettle();
}
