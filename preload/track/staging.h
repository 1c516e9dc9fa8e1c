/*
 * Reading calls into closed pages, by way of a buffer of ours.
 *
 * Programs read into buffers far larger than what arrives, again and again. Opening all of such a
 * buffer before each call and closing afterwards what was not written costs many times the call.
 * So where a call's result says how much was written at the start of its one buffer, the kernel
 * writes into memory of ours, and what arrived is copied: only pages that really get data are
 * opened and recorded. The program's buffer must be certain to take the data, since the kernel has
 * given it away by then: all of it anonymous memory that the program may write.
 *
 * Any thread, handlers of the program included; no locks.
 */
#ifndef COWSPY_TRACK_STAGING_H
#define COWSPY_TRACK_STAGING_H

#include <stdint.h>

/* kernel_writes_call, through a buffer of ours where that is better. */
long staging_call(long nr, const long args[6], uintptr_t caller);

#endif
