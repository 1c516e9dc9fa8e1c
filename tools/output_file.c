#include "output_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowspy.h"

static int failed(const char *verb, const char *name, int error)
{
	complain(verb, "%s: %s", name, strerror(-error));
	return STATUS_FAILED;
}

static int write_all(FILE *stream, int (*write)(FILE *stream, void *context), void *context)
{
	int error = write(stream, context);
	if (!error && (fflush(stream) != 0 || ferror(stream)))
		error = errno ? -errno : -EIO;
	return error;
}

int output_file(const char *verb, const char *path, int (*write)(FILE *stream, void *context),
		void *context)
{
	char *part = NULL;
	FILE *stream;
	int error;

	if (!path || strcmp(path, "-") == 0) {
		error = write_all(stdout, write, context);
		return error ? failed(verb, "standard output", error) : STATUS_OK;
	}
	if (asprintf(&part, "%s.part", path) < 0)
		return failed(verb, path, -ENOMEM);
	stream = fopen(part, "we");
	error = stream ? write_all(stream, write, context) : -errno;
	if (stream && fclose(stream) != 0 && !error)
		error = -errno;
	if (!error && rename(part, path) != 0)
		error = -errno;
	if (error && stream)
		unlink(part);
	free(part);
	return error ? failed(verb, path, error) : STATUS_OK;
}
