/*
 * The private mappings of a snapshot: our registry and /proc/self/maps brought together.
 *
 * Called while a snapshot is taken, under its rules.
 */
#ifndef COWSPY_REPORT_LAYOUT_H
#define COWSPY_REPORT_LAYOUT_H

#include "report/snapshot.h"

/* Ranges that are never tracked, as scope.h describes them: told at start. */
struct layout_exclusions {
	bool (*around)(uintptr_t address, uintptr_t *end);
	uintptr_t (*next)(uintptr_t address);
};

void layout_start(const struct layout_exclusions *exclusions);

/* Fill snapshot->mappings, ->tracked and ->names; nothing of their pages yet. */
void layout_collect(struct snapshot *snapshot);

/* The tracked mapping around address, or NULL. */
struct mapping *layout_find(const struct snapshot *snapshot, uintptr_t address);

#endif
