/*
 * One system call that may write into closed pages, from finding its ranges to recording what it
 * wrote: what kernel_writes.c, kernel_open.c and kernel_settle.c share.
 *
 * Any thread, handlers of the program included. No lock held, unless it says so.
 */
#ifndef COWSPY_TRACK_KERNEL_CALL_H
#define COWSPY_TRACK_KERNEL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/journal.h"
#include "kernel_writes.h"
#include "regions.h"
#include "syscall_table.h"

#define KERNEL_RANGES_FEW 8
#define KERNEL_OPENED_FEW 8

/* A page opened for a call, and what it was before. */
struct opened_page {
	uintptr_t page;
	uint32_t original; /* of record/originals.h */
	uint8_t kind;
	bool written;
};

struct kernel_call {
	long nr;
	long result;
	uintptr_t caller;
	enum write_cause cause;
	const void *copy_from; /* instead of a system call: fill the one range from here */
	kernel_fork_fn fork;   /* issues the call, which returns twice */
	bool lasting;          /* the ranges may be written after the call has returned */
	bool captured;         /* the stack is known */
	uint32_t stack;
	struct output_range *ranges;
	unsigned range_count;
	size_t ranges_most; /* room mapped for them, if `few` is not enough */
	struct opened_page *opened;
	size_t opened_count;
	size_t opened_most;
	struct output_range few[KERNEL_RANGES_FEW];
	struct opened_page opened_few[KERNEL_OPENED_FEW];
};

/* --- kernel_open.c --- */

/* Whether a page of the ranges is closed. Pins them all, for the frame of the call. */
bool kernel_pin(const struct kernel_call *call, uintptr_t frame);

/* Claim and open the closed pages of the ranges, and note what they were. */
void kernel_open(struct kernel_call *call);

/*
 * Write lock: claim the pages of [start, end), in the one region, that the kernel has copied
 * already, and note them as written. kernel_open_claimed opens them: 0, or -errno.
 */
void kernel_claim_copied(struct kernel_call *call, const struct region *region, uintptr_t start,
			 uintptr_t end);
int kernel_open_claimed(const struct kernel_call *call, const struct region *region);

/* Give back the room for opened pages. */
void kernel_opened_release(struct kernel_call *call);

/* --- kernel_settle.c --- */

/* After the call: record the opened pages that it wrote, and close the others again. */
void kernel_settle(struct kernel_call *call);

/* Record the opened pages that are marked as written. */
void kernel_record(struct kernel_call *call);

#endif
