/*
 * libunwind's pipe that is none.
 *
 * libunwind asks whether memory can be read by writing it into a pipe. Its two descriptors would be
 * the lowest free ones: a program's first open() would get another number than without us, and a
 * program that closes or replaces descriptors would have libunwind read from its files and write to
 * them. So the pipe exists in name only, and its questions are answered by sys_copy.
 *
 * Only for calls that libunwind makes for us; in its handlers as well.
 */
#ifndef COWSPY_INTERPOSE_PROBE_H
#define COWSPY_INTERPOSE_PROBE_H

#include <stdbool.h>

/* True when the call is about that pipe; *result is then what the kernel would have returned. */
bool probe_call(long nr, const long args[6], long *result);

#endif
