/*
 * Which memory of the caller the kernel writes in each system call.
 *
 * Constant data: any thread and the signal handler may read it; no locks, no libc state. The
 * functions use less than 512 bytes of stack and touch the program's memory through a callback
 * only. A range may be longer than what the kernel will write, never shorter.
 *
 * Not here, since no call announces it: what the kernel writes later. set_tid_address (and clone's
 * CLONE_CHILD_CLEARTID), rseq and set_robust_list name memory that is written until the thread
 * ends; io_uring requests, asynchronous USB requests and KVM guests write while other code runs.
 */
#ifndef COWSPY_TRACK_SYSCALL_TABLE_H
#define COWSPY_TRACK_SYSCALL_TABLE_H

#include <stdint.h>

/* How the length of an output is found; `arg(n)` is the argument that `count` names. */
enum output_kind {
	OUTPUT_NONE = 0,
	OUTPUT_FIXED, /* size bytes */
	OUTPUT_ARRAY, /* arg(n) * size bytes; arg(n) is an unsigned long */
	OUTPUT_INTS,  /* arg(n) * size bytes; arg(n) is an int, the kernel refuses a negative one */
	OUTPUT_BITS,  /* arg(n) bits, rounded up to longs; arg(n) is an int */
	OUTPUT_PAGES, /* one byte for each page of arg(n) bytes */
	OUTPUT_VALUE, /* *(int *)arg(n) bytes, and that int itself */
	OUTPUT_IOVEC, /* the targets of struct iovec[arg(n)], not the array */
	OUTPUT_MSGHDR,  /* a struct msghdr and its name, iovec targets and control */
	OUTPUT_MMSGHDR, /* the same for struct mmsghdr[arg(n)] */
};

struct output {
	uint8_t kind;     /* enum output_kind */
	uint8_t argument; /* index of the pointer, 0 to 5 */
	uint8_t count;    /* index of the length or count */
	uint32_t size;    /* bytes, or bytes of one element */
	uint32_t limit;   /* the kernel writes no more than this; 0: what one read may transfer */
};

#define SYSCALL_OUTPUTS 4

struct output_list;

struct syscall_entry {
	const char *name;
	/* Up to the first OUTPUT_NONE; a call without any (and without compute) writes nothing. */
	struct output outputs[SYSCALL_OUTPUTS];
	/* For calls whose outputs depend on a command or lie behind further pointers. */
	void (*compute)(struct output_list *list, const long *args);
};

/* The entry of a system call number; NULL: no kernel known to us has this call. */
const struct syscall_entry *syscall_entry(long nr);

/* One range that a call may write; never empty, never wraps. */
struct output_range {
	uintptr_t start;
	uintptr_t length;
};

#define OUTPUT_RANGES_MOST 64

/* Copies from the program's memory like memcpy. Returns 0 or -EFAULT. */
typedef int (*syscall_read_memory)(void *to, uintptr_t from, uintptr_t length);

/*
 * The ranges that call nr with these arguments may write, into ranges[most]; iovec targets in
 * their order; most ranges that touch are joined. Returns their number, or most + 1 when there are
 * more than fit. For a call that is not in the table: 64 KiB from every argument that looks like
 * an address.
 */
unsigned syscall_outputs(long nr, const long args[6], struct output_range *ranges, unsigned most,
			 syscall_read_memory read);

#endif
