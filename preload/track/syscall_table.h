/*
 * Which memory of the caller the kernel writes in each system call.
 *
 * Constant data: any thread and the signal handler may read it; no locks.
 */
#ifndef COWSPY_TRACK_SYSCALL_TABLE_H
#define COWSPY_TRACK_SYSCALL_TABLE_H

#include <stdint.h>

/* How the length of an output buffer is found. Lengths are in bytes. */
enum output_length {
	OUTPUT_NONE = 0,
	OUTPUT_FIXED,      /* size */
	OUTPUT_ARGUMENT,   /* args[length_argument] * size */
	OUTPUT_VALUE,      /* *(uint32_t *)args[length_argument]: getsockopt, accept */
	OUTPUT_IOVEC,      /* the buffer is struct iovec[args[length_argument]]: their targets are written */
	OUTPUT_MSGHDR,     /* struct msghdr: name, iovec targets, control; and the header itself */
	OUTPUT_MMSGHDR,    /* struct mmsghdr[args[length_argument]] */
	OUTPUT_IOCTL,      /* by the request in args[1] */
	OUTPUT_CUSTOM      /* custom function `custom` */
};

struct output {
	uint8_t kind;            /* enum output_length */
	uint8_t argument;        /* index of the pointer argument, 0 to 5 */
	uint8_t length_argument; /* see enum output_length */
	uint32_t size;
};

#define SYSCALL_OUTPUTS 4

struct syscall_entry {
	const char *name; /* NULL: this kernel interface is unknown to us */
	struct output outputs[SYSCALL_OUTPUTS];
};

/* The entry of a system call number, or NULL when it is unknown. */
const struct syscall_entry *syscall_entry(long nr);

/* One range that a call will write. */
struct output_range {
	uintptr_t start;
	uintptr_t length;
};

#define OUTPUT_RANGES_MOST 64

/*
 * The ranges that call nr with these arguments may write, into ranges[most]. Returns their number;
 * more than `most` when there are more (the caller then treats every region as written).
 * Reads the program's memory (iovecs, lengths) only through `read`, which copies like memcpy and
 * returns 0 or -EFAULT. Ranges of length 0 are left out; lengths are clamped so that start + length
 * does not wrap.
 */
typedef int (*syscall_read_memory)(void *to, uintptr_t from, uintptr_t length);
unsigned syscall_outputs(long nr, const long args[6], struct output_range *ranges, unsigned most,
			 syscall_read_memory read);

#endif
