/*
 * What `cowspy export` writes of a recording, one function for each format. Single-threaded.
 * Each returns 0 or -errno; errors of the stream are noticed by whoever closes it. Strings of the
 * traced program are escaped: control characters in all of them, and whatever has a meaning in the
 * format.
 */
#ifndef COWSPY_TOOLS_EXPORT_H
#define COWSPY_TOOLS_EXPORT_H

#include <stdio.h>

#include "model.h"
#include "selection.h"

struct export
{
	struct model *model;
	const struct selection *selection;
	bool bytes; /* weights are bytes, not pages */
	FILE *stream;
};

int export_pprof(const struct export *export);
int export_folded(const struct export *export);
int export_speedscope(const struct export *export);
int export_json(const struct export *export);
int export_csv(const struct export *export);
int export_openmetrics(const struct export *export);

/* ---- what they share ---- */

/*
 * Levels of the source at a frame, innermost first, and their names: the function, or module and
 * address. At least one. The name lasts until the next call.
 */
unsigned export_levels(struct model *model, uint32_t frame);
const char *export_level_name(struct model *model, uint32_t frame, unsigned level);
const struct source_line *export_level_line(struct model *model, uint32_t frame, unsigned level);

/* "redis-server (pid 4250)"; lasts until the next call. */
const char *export_process_name(const struct model_process *process);

/* A string with its control characters escaped; lasts until the next call. */
const char *export_escaped(const char *untrusted);

/* A string of JSON with its quotes: of what is escaped already, and of what is not. */
void export_json_quoted(FILE *stream, const char *escaped);
void export_json_string(FILE *stream, const char *untrusted);

#endif
