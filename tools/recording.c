#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cowspy.h"
#include "process.h"

#define LATEST_PATTERN "cowspy.*/"

/* The newest folder of a recording, or NULL. To be freed. */
static char *find_latest(void)
{
	struct timespec newest = {0};
	char *latest = NULL;
	glob_t found;

	if (glob(LATEST_PATTERN, GLOB_ONLYDIR | GLOB_NOSORT, NULL, &found) != 0)
		return NULL;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat status;
		if (stat(found.gl_pathv[i], &status) != 0 || !S_ISDIR(status.st_mode) ||
		    (latest && (status.st_mtim.tv_sec < newest.tv_sec ||
				(status.st_mtim.tv_sec == newest.tv_sec &&
				 status.st_mtim.tv_nsec <= newest.tv_nsec))))
			continue;
		newest = status.st_mtim;
		free(latest);
		latest = strdup(found.gl_pathv[i]);
	}
	globfree(&found);
	return latest;
}

static bool is_trace(const char *path)
{
	uint64_t magic = 0;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	bool is = fd >= 0 && read(fd, &magic, sizeof(magic)) == sizeof(magic) &&
		  magic == TRACE_MAGIC;
	if (fd >= 0)
		close(fd);
	return is;
}

/* The trace that a process has mapped. To be freed; NULL with errno, 0 when it has none. */
static char *find_written_by(pid_t pid)
{
	char path[64], *line = NULL, *found = NULL;
	size_t size = 0;
	FILE *maps;
	int error;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return NULL;
	while (!found && getline(&line, &size, maps) > 0) {
		char protection[5], *name = strchr(line, '/');
		if (!name || sscanf(line, "%*x-%*x %4s", protection) != 1 || protection[3] != 's')
			continue;
		name[strcspn(name, "\n")] = 0;
		if (is_trace(name))
			found = strdup(name);
	}
	error = ferror(maps) ? ESRCH : 0;
	free(line);
	fclose(maps);
	errno = error;
	return found;
}

static void explain_none(const char *verb, pid_t pid, int error)
{
	if (error)
		process_complain(verb, pid, -error);
	else
		complain(
			verb,
			"process %d writes no trace: it has to be started with 'cowspy record', or "
			"with COWSPY_OUTPUT and the library",
			pid);
}

char *recording_choose(const char *verb, const char *path, int *status)
{
	struct stat file;
	char *chosen;
	pid_t pid;

	if (!path) {
		chosen = find_latest();
		if (!chosen)
			*status = usage_error(verb,
					      "which recording? there is no folder cowspy.* here: "
					      "'cowspy record PROGRAM' makes one");
		return chosen;
	}
	if (stat(path, &file) == 0 || !parse_pid(path, &pid))
		return strdup(path);
	chosen = find_written_by(pid);
	if (!chosen) {
		explain_none(verb, pid, errno);
		*status = STATUS_RECORDING;
	}
	return chosen;
}

int recording_explain(const char *verb, const char *path, const struct model *model, int error)
{
	switch (error) {
	case -ENOMSG: complain(verb, "%s: no trace of cowspy", path); break;
	case -EPROTONOSUPPORT:
		complain(verb, "%s: written by a newer version of cowspy than " COWSPY_VERSION,
			 model->problem ? model->problem : path);
		break;
	case -ENOMEM: complain(verb, "%s: out of memory", path); return STATUS_FAILED;
	default: complain(verb, "%s: %s", path, strerror(-error)); break;
	}
	return STATUS_RECORDING;
}

int recording_load(struct model *model, const char *verb, const char *path)
{
	int status = STATUS_FAILED, error;
	char *chosen;

	model_start(model);
	chosen = recording_choose(verb, path, &status);
	if (!chosen)
		return status;
	error = model_add(model, chosen);
	if (!error)
		error = model_link(model);
	status = error ? recording_explain(verb, chosen, model, error) : STATUS_OK;
	free(chosen);
	return status;
}

int recording_status(const struct model *model)
{
	if (model->problem)
		return STATUS_DAMAGED;
	for (size_t i = 0; i < model->process_count; i++)
		if (model->processes[i].damage.what)
			return STATUS_DAMAGED;
	return STATUS_OK;
}
