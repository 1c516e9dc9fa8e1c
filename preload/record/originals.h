/*
 * What pages held before they were copied, kept with COWSPY_COMPARE so that reports can say how many
 * bytes really changed.
 *
 * Any thread and the fault handler may call, signals blocked; the originals of one thread's page are
 * its own until they are bound. Pages of zeros need no original: zeros are known.
 */
#ifndef COWSPY_RECORD_ORIGINALS_H
#define COWSPY_RECORD_ORIGINALS_H

#include <stdint.h>

#include "record/journal.h"

/*
 * Keep the page as it is now, before it can be written. 0 when that is not asked for, the kind is no
 * copy of something, COWSPY_COMPARE is used up, or the page cannot be read.
 */
uint32_t originals_take(uintptr_t page, enum write_kind kind);

/* It was not written after all. */
void originals_give_back(uint32_t original);

/* It is what was there before the event. */
void originals_bind(uint32_t event, uint32_t original);

/* PAGE_SIZE bytes, or NULL. */
const unsigned char *originals_get(uint32_t event);

/* In a forked child: what its parent kept counts no more against COWSPY_COMPARE. */
void originals_child(void);

#endif
