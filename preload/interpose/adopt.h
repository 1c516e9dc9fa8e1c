/* Mappings that were there before we began to track everything. */
#ifndef COWSPY_INTERPOSE_ADOPT_H
#define COWSPY_INTERPOSE_ADOPT_H

/*
 * Write lock: register every private writable mapping of /proc/self/maps that is not registered
 * yet, but for what must never be protected: stacks, thread blocks, libc's and the loader's data,
 * the unwinder's, ours, devices. Nothing is armed by this alone when a fork follows, which arms.
 */
void adopt_everything(void);

#endif
