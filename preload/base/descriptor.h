/*
 * Our own descriptors: out of the way of programs that expect the lowest numbers. Any thread and
 * handler.
 */
#ifndef COWSPY_BASE_DESCRIPTOR_H
#define COWSPY_BASE_DESCRIPTOR_H

/* Move a descriptor to a high number, close-on-exec. Returns the new one, or fd where it is. */
int descriptor_move_up(int fd);

#endif
