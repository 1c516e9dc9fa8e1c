/* The recording that a verb is asked for, from a command line's word. Single-threaded. */
#ifndef COWSPY_TOOLS_RECORDING_H
#define COWSPY_TOOLS_RECORDING_H

#include "model.h"

/*
 * Read a file, a folder, the trace that a process is writing now (its pid), or, with path NULL, the
 * newest folder cowspy.* here. STATUS_OK, or a status with a message. The model is to be freed in
 * any case.
 */
int recording_load(struct model *model, const char *verb, const char *path);

/* The path that such a word stands for, to be freed; NULL with a status and a message. */
char *recording_choose(const char *verb, const char *word, int *status);

/* Say why a path could not be added to a model; returns the status. */
int recording_explain(const char *verb, const char *path, const struct model *model, int error);

/* STATUS_OK, or STATUS_DAMAGED when some of the recording could not be read. */
int recording_status(const struct model *model);

#endif
