/*
 * System calls of other threads that began before they were watched.
 *
 * At the first fork everything becomes watched, also memory that a thread sleeping in read() waits
 * to get filled. Nobody pinned it. The kernel tells which calls threads sleep in, and with which
 * arguments (/proc/self/task/TID/syscall); what these may write stays open until they have returned.
 *
 * All functions want the write lock, with the net's selector on: calls that begin now pin their
 * buffers themselves.
 */
#ifndef COWSPY_TRACK_IN_FLIGHT_H
#define COWSPY_TRACK_IN_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* Find all calls in flight of other threads. Waits briefly for threads that are running. */
void in_flight_find(void);

/* Forget those that have returned. */
void in_flight_check(void);

/* In a forked child they do not exist. */
void in_flight_none(void);

bool in_flight_any(void);

/* What they may write: call with *next = 0 first. False at the end. */
bool in_flight_range(unsigned *next, uintptr_t *start, uintptr_t *end);

#endif
