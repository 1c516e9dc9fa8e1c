/* The terminal of `cowspy top`, by ncurses. Single-threaded. */
#ifndef COWSPY_TOOLS_TOP_SCREEN_H
#define COWSPY_TOOLS_TOP_SCREEN_H

#include "live.h"

/* How often to look, and for how long. */
struct top_pace {
	double seconds; /* between looks; more when a look takes long */
	uint64_t count; /* of looks; 0: until the user ends it */
};

/*
 * Show until the user quits. 0, -ENOTTY when the terminal cannot be used, or -errno of live_read.
 */
int top_screen(struct live *live, const struct top_pace *pace);

/* live_read, and the milliseconds until the next look. 0 or -errno. */
int top_look(struct live *live, const struct top_pace *pace, int *wait);

#endif
