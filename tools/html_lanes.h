/* First writes over time: one lane for each stretch of a process between two forks. */
#ifndef COWSPY_TOOLS_HTML_LANES_H
#define COWSPY_TOOLS_HTML_LANES_H

#include "html_pack.h"
#include "model.h"

#define LANE_SLICES 128 /* of each lane, of equal length */

/* The lanes of a process that have first writes; times are relative to begin. False without memory. */
bool lanes_pack(struct pack *pack, const struct model_process *process, uint64_t begin);

/* Microseconds since begin. */
static inline uint64_t lane_time(uint64_t time, uint64_t begin)
{
	return time > begin ? (time - begin) / 1000 : 0;
}

#endif
