#include "record/perf_map.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/sys.h"
#include "base/text.h"

#define BUFFER_SIZE ((size_t)64 << 10)
#define SIZE_MOST ((uint64_t)64 << 20)

static void name_map(char *path, size_t size)
{
	struct text text;
	text_start(&text, -1, path, size);
	text_string(&text, "/tmp/perf-");
	text_decimal(&text, (uint64_t)sys_call0(SYS_getpid));
	text_string(&text, ".map");
	text_character(&text, '\0');
}

/* Anybody may make files in /tmp: only ours counts, and only while others could not change it. */
static bool is_ours(int fd, uint64_t since)
{
	struct stat status;
	return sys_call2(SYS_fstat, fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_uid == (uid_t)sys_call0(SYS_geteuid) && status.st_nlink == 1 &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH)) && (uint64_t)status.st_mtime >= since;
}

/* A write beyond the limit of file sizes would raise a signal. */
static uint64_t size_limit(void)
{
	struct rlimit limit;
	if (sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, &limit) || limit.rlim_cur > SIZE_MOST)
		return SIZE_MOST;
	return limit.rlim_cur;
}

static void copy(int from, int to, char *buffer)
{
	uint64_t left = size_limit();
	while (left) {
		long n = sys_call3(SYS_read, from, buffer, left < BUFFER_SIZE ? left : BUFFER_SIZE);
		if (n <= 0 || sys_write_all(to, buffer, (size_t)n))
			return;
		left -= (uint64_t)n;
	}
}

static void copy_to(int from, const char *path)
{
	char *buffer = memory_map(BUFFER_SIZE);
	long to = !buffer ? -1
			  : sys_call4(SYS_openat, AT_FDCWD, path,
				      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to >= 0) {
		copy(from, (int)to, buffer);
		sys_call1(SYS_close, to);
	}
	if (buffer)
		memory_unmap(buffer, BUFFER_SIZE);
}

void perf_map_keep(const char *to, uint64_t since)
{
	char path[48];
	long fd;

	name_map(path, sizeof(path));
	fd = sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		       0);
	if (fd < 0)
		return;
	if (is_ours((int)fd, since))
		copy_to((int)fd, to);
	sys_call1(SYS_close, fd);
}
