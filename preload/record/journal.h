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

/*
 * As it is kept: 32 bytes for as long as the process runs. The ranges are those of the kernel:
 * addresses of 57 bits, thread ids below PID_MAX_LIMIT. What is beyond them is lost, and counted.
 */
struct kept_write {
	uint64_t page_number : 45;
	uint64_t offset : 13;
	uint64_t kind : 3;
	uint64_t cause : 2;
	uint64_t time;
	uint32_t stack;
	uint32_t previous;
	uint32_t epoch;
	uint32_t thread : 22;
	uint32_t syscall : 10;
};

_Static_assert(sizeof(struct kept_write) == 32,
	       "1 % of a page has to do for all that is kept of it");

static inline uint64_t kept_page(const struct kept_write *write)
{
	return (uint64_t)write->page_number << 12;
}

/*
 * Returns the new record's index, or 0 when it is lost: memory is out, or a value is beyond the
 * range of its field.
 */
uint32_t journal_append(const struct first_write *record);

/*
 * The record at an index up to journal_count(), or NULL when it is not complete: another thread is
 * still writing it, or it was lost.
 */
const struct kept_write *journal_get(uint32_t index);

/* The highest index given out so far. */
uint32_t journal_count(void);
uint64_t journal_lost(void);

/* In a forked child: its own records start after this index, those before are its parent's. */
uint32_t journal_first(void);
void journal_begin(void);
bool journal_is_child(void);

#endif
