/*
 * Disjoint address ranges, each with a number. Single-threaded. Every operation takes logarithmic
 * time (changes: for each range that they touch), whatever the order of calls.
 */
#ifndef COWSPY_TOOLS_RANGES_H
#define COWSPY_TOOLS_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
	uint64_t start, end;
	uint32_t value;
};

struct ranges {
	void *root;
};

/* [start, end) has this value from now on, whatever it had before. False without memory. */
bool ranges_set(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value);
/* [start, end) has none any more. */
bool ranges_clear(struct ranges *ranges, uint64_t start, uint64_t end);

/* NULL where there is none. Valid until the next change. */
const struct range *ranges_find(const struct ranges *ranges, uint64_t address);
/* Any of those in [start, end). */
const struct range *ranges_any(const struct ranges *ranges, uint64_t start, uint64_t end);

void ranges_free(struct ranges *ranges);

#endif
