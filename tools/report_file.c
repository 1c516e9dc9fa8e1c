#include "report_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"

#define POLL_MILLISECONDS 20
#define QUIET_POLLS 15 /* without growth: complete, where the process's files are hidden */

static void host_name(struct text *text)
{
	char name[HOST_NAME_MAX + 1] = "";
	gethostname(name, sizeof(name) - 1);
	text_string(text, name);
}

/* Expand as the library does: %p process id, %h host, %% a percent sign. */
static void expand(struct text *text, const char *pattern, pid_t pid)
{
	for (; *pattern; pattern++) {
		if (pattern[0] != '%' || !pattern[1]) {
			text_character(text, *pattern);
			continue;
		}
		pattern++;
		if (*pattern == 'p')
			text_decimal(text, (uint64_t)pid);
		else if (*pattern == 'h')
			host_name(text);
		else if (*pattern == '%')
			text_character(text, '%');
		else
			text_bytes(text, (char[]){'%', *pattern}, 2);
	}
	text_character(text, '\0');
}

static off_t size_of(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

/* Is the rest of a file name behind the base one that the library makes? */
static bool is_suffix(const char *suffix)
{
	return !*suffix || (*suffix == '.' && strspn(suffix, ".0123456789") == strlen(suffix));
}

/* All files that may be the process's, as paths. Returns how many. */
static size_t find_candidates(const struct report_file *file, char ***paths)
{
	const char *slash = strrchr(file->reachable, '/');
	size_t folder = (size_t)(slash - file->reachable) + 1, length = strlen(slash + 1);
	char path[PATH_MAX + 256];
	struct dirent *entry;
	size_t count = 0;
	DIR *stream;

	*paths = NULL;
	snprintf(path, sizeof(path), "%.*s", (int)folder, file->reachable);
	stream = opendir(path);
	while (stream && (entry = readdir(stream))) {
		char **grown;
		if (strncmp(entry->d_name, slash + 1, length) != 0 ||
		    !is_suffix(entry->d_name + length))
			continue;
		grown = reallocarray(*paths, count + 1, sizeof(**paths));
		if (!grown)
			break;
		*paths = grown;
		snprintf(path + folder, sizeof(path) - folder, "%s", entry->d_name);
		grown[count] = strdup(path);
		count += grown[count] != NULL;
	}
	if (stream)
		closedir(stream);
	return count;
}

void report_file_start(struct report_file *file, const struct process *process, const char *pattern)
{
	struct text text;
	char **paths;

	*file = (struct report_file){.process = process};
	text_start(&text, -1, file->base, sizeof(file->base) - 1);
	expand(&text, pattern, process->pid);
	/* The process may have another root, or have been started elsewhere than we. */
	text_start(&text, -1, file->reachable, sizeof(file->reachable) - 1);
	text_string(&text, "/proc/self/fd/");
	text_decimal(&text, (uint64_t)process->folder);
	text_string(&text, file->base[0] == '/' ? "/root" : "/cwd/");
	text_string(&text, file->base);
	file->count = find_candidates(file, &paths);
	file->candidates = calloc(file->count + 1, sizeof(*file->candidates));
	for (size_t i = 0; i < file->count; i++) {
		if (file->candidates)
			file->candidates[i] = (struct report_candidate){paths[i],
									size_of(paths[i])};
		else
			free(paths[i]);
	}
	if (!file->candidates)
		file->count = 0;
	free(paths);
}

void report_file_end(struct report_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free(file->candidates[i].path);
	free(file->candidates);
	free(file->grown);
}

static off_t size_before(const struct report_file *file, const char *path)
{
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->candidates[i].path, path) == 0)
			return file->candidates[i].size;
	return 0;
}

/* Look for the file that has grown; one that names the process wins over others. */
static void look_for_growth(struct report_file *file)
{
	char pid[32], **paths;
	size_t count = find_candidates(file, &paths);

	snprintf(pid, sizeof(pid), "%d", file->process->pid);
	for (size_t i = 0; i < count; i++) {
		off_t before = size_before(file, paths[i]);
		bool better = !file->grown || strstr(strrchr(paths[i], '/'), pid);
		if (size_of(paths[i]) > before && better) {
			free(file->grown);
			file->grown = strdup(paths[i]);
			file->from = before;
		}
		free(paths[i]);
	}
	free(paths);
}

/*
 * Does the process still hold the file open? The library opens it for each report and closes it
 * when the report is complete. -1: the process's files cannot be seen.
 */
static int is_held(const struct report_file *file)
{
	int folder = openat(file->process->folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = folder >= 0 ? fdopendir(folder) : NULL;
	struct stat wanted, other;
	struct dirent *entry;
	int held = 0;

	if (!stream || stat(file->grown, &wanted) != 0) {
		if (stream)
			closedir(stream);
		return -1;
	}
	while (!held && (entry = readdir(stream)))
		held = fstatat(dirfd(stream), entry->d_name, &other, 0) == 0 &&
		       other.st_dev == wanted.st_dev && other.st_ino == wanted.st_ino;
	closedir(stream);
	return held;
}

int report_file_wait(struct report_file *file, double timeout)
{
	const struct timespec pause = {.tv_nsec = POLL_MILLISECONDS * 1000000};
	uint64_t end = sys_now() + (uint64_t)(timeout * 1e9);
	unsigned quiet = 0;
	off_t size = 0;

	for (;;) {
		bool ended = process_ended(file->process);
		int held;
		look_for_growth(file);
		if (file->grown) {
			off_t now = size_of(file->grown);
			held = is_held(file);
			quiet = now == size ? quiet + 1 : 0;
			size = now;
			if (held == 0 || (held < 0 && quiet >= QUIET_POLLS))
				return 0;
		}
		if (ended)
			return -ESRCH;
		if (sys_now() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

int report_file_print(const struct report_file *file)
{
	char buffer[1 << 16];
	off_t offset = file->from;
	int fd = open(file->grown, O_RDONLY | O_CLOEXEC), error = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (!error && (n = pread(fd, buffer, sizeof(buffer), offset)) != 0) {
		if (n < 0)
			error = -errno;
		else
			error = sys_write_all(STDOUT_FILENO, buffer, (size_t)n);
		offset += n;
	}
	close(fd);
	return error;
}
