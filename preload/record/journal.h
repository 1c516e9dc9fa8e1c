/*
 * First writes, in the order in which they happened.
 *
 * journal_append may be called by any thread and by the fault handler; it takes no lock. A complete
 * record is never changed. Indices begin at 1; 0 means none. Page 0 cannot be recorded.
 */
#ifndef COWSPY_RECORD_JOURNAL_H
#define COWSPY_RECORD_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/* What the page was just before. */
enum write_kind {
	KIND_UNKNOWN = 0, /* the kernel could not be asked */
	KIND_FILE,
	KIND_ZERO,
	KIND_FILL,
	KIND_FORK,
	KIND_REUSE,
	KINDS
};

enum write_cause {
	CAUSE_WRITE = 0, /* an instruction */
	CAUSE_SYSCALL,   /* the kernel, for a system call */
	CAUSE_LOCK,      /* mlock, MAP_LOCKED */
	CAUSE_POPULATE,  /* MADV_POPULATE_WRITE, MAP_POPULATE */
	CAUSES
};

struct first_write {
	uint64_t page;     /* address of the page */
	uint64_t time;     /* CLOCK_MONOTONIC, nanoseconds */
	uint32_t stack;    /* stack table id, 0: none */
	uint32_t thread;   /* thread id as gettid(2) gives it */
	uint32_t epoch;    /* forks of this process seen before this write */
	uint32_t previous; /* the page's event before this one, or 0: what it was a reuse of */
	uint16_t syscall;  /* number + 1 when the cause is CAUSE_SYSCALL, else 0 */
	uint8_t kind;
	uint8_t cause;
	uint16_t offset; /* of the byte in the page that was written, + 1; 0: not known */
};

/* Returns the new record's index, or 0 when memory is out (counted as lost). */
uint32_t journal_append(const struct first_write *record);

/*
 * The record at an index up to journal_count(), or NULL when it is not complete: another thread is
 * still writing it, or it was lost.
 */
const struct first_write *journal_get(uint32_t index);

/* The highest index given out so far. */
uint32_t journal_count(void);
uint64_t journal_lost(void);

/* In a forked child: its own records start after this index, those before are its parent's. */
uint32_t journal_first(void);
void journal_begin(void);
bool journal_is_child(void);

#endif
