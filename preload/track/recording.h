/*
 * Recording first writes, and leaving it out while the program asks for that.
 *
 * Any thread and the fault handler may call; no locks.
 */
#ifndef COWSPY_TRACK_RECORDING_H
#define COWSPY_TRACK_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "record/journal.h"

/*
 * Record the first write of a page that the caller claimed. While recording is paused the page is
 * left without an event instead: an older one would explain the wrong write. `original`: what was
 * there before, as originals_take gave it; taken over.
 */
void recording_add(const struct first_write *write, uint32_t original);

/* Pauses nest. recording_resume: -EINVAL when nobody paused. */
void recording_pause(void);
int recording_resume(void);
bool recording_is_paused(void);

/* First writes of this process that were left out. */
uint64_t recording_left_out(void);

/* In a forked child: nothing of its own was left out yet. */
void recording_child(void);

#endif
