/* Mappings that were there before we began to track everything. */
#ifndef COWSPY_INTERPOSE_ADOPT_H
#define COWSPY_INTERPOSE_ADOPT_H

#include <stdint.h>

#include "track/regions.h"

/*
 * Write lock: register every private writable mapping of /proc/self/maps that is not registered
 * yet, but for what must never be protected: stacks, thread blocks, libc's and the loader's data,
 * the unwinder's, ours, devices. Nothing is armed by this alone when a fork follows, which arms.
 */
void adopt_everything(void);

/*
 * Write lock: register the private mappings of [start, end) because the program asks for it, to be
 * tracked; or to be left out for good, whatever the reason. 0, -EINVAL when there is none, -ENOMEM when part of the range
 * is not mapped or memory is out; what can be done is done.
 */
int adopt_requested(uintptr_t start, uintptr_t end);
int adopt_left_out(uintptr_t start, uintptr_t end, enum region_limit why);

#endif
