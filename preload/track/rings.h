/*
 * io_uring: which memory do the requests name that the program is about to submit?
 *
 * A ring's queue of submissions lies in memory that the program maps. Where, is learned from the
 * calls that set it up; then the entries that one io_uring_enter may take are read before it. What
 * is not known, or not sure, the caller of these functions has to treat as "the kernel may write
 * anywhere at any time".
 *
 * rings_add and rings_mapped want the write lock, the others may be called anywhere.
 */
#ifndef COWSPY_TRACK_RINGS_H
#define COWSPY_TRACK_RINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "syscall_outputs.h"

/* struct io_uring_params */
struct ring_parameters {
	uint32_t submissions;
	uint32_t completions;
	uint32_t flags;
	uint32_t unused[7];
	struct {
		uint32_t head, tail, mask, entries, flags, dropped, array, unused;
		uint64_t address; /* of the entries, with RING_NO_MMAP */
	} submission_offsets;
	struct {
		uint32_t unused[8];
		uint64_t address; /* of the rings, with RING_NO_MMAP */
	} completion_offsets;
};

#define RING_NO_MMAP (1U << 14)

/* Whether each request of a ring with these flags is seen before the kernel takes it. */
bool rings_can_see(uint32_t flags);

/* Descriptor fd is a ring, as the kernel has set it up. */
void rings_add(int fd, const struct ring_parameters *parameters);

/* The program has mapped this part of the descriptor: perhaps a part of a ring. */
void rings_mapped(int fd, uint64_t offset, uintptr_t address);

bool rings_any(void);
bool rings_known(int fd);

/*
 * The memory that requests which wait to be submitted to the ring may write: of all rings, when fd
 * is -1. False when one of them is not known to us, or what it will write cannot be said.
 */
bool rings_outputs(struct output_list *list, int fd);

/* The ring that io_uring_enter names with these arguments; -1: by a number of the thread's own. */
int rings_entered(const long *args);

#endif
