/*
 * The program's own marks, in the order in which they were made.
 *
 * Any thread and handler may call; nothing takes a lock. A complete label is never changed. Indices
 * begin at 1.
 */
#ifndef COWSPY_RECORD_LABELS_H
#define COWSPY_RECORD_LABELS_H

#include <stddef.h>
#include <stdint.h>

#define LABEL_MOST 107

struct label {
	uint64_t time; /* CLOCK_MONOTONIC, nanoseconds */
	uint32_t thread;
	uint32_t epoch;
	uint32_t length; /* at most LABEL_MOST */
	char text[LABEL_MOST + 1];
};

/* The text is cut at LABEL_MOST bytes. 0, or -ENOMEM. */
int labels_add(const char *text, size_t length, uint32_t epoch);

/* Labels of this process have indices from labels_first() + 1 to labels_count(). */
uint32_t labels_first(void);
uint32_t labels_count(void);

/* NULL when it is not complete: another thread is still writing it, or it was lost. */
const struct label *labels_get(uint32_t index);

/* In a forked child: those up to now are its parent's. */
void labels_child(void);

#endif
