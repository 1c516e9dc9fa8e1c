/*
 * Inside the system call table: the list of ranges under construction, and the calls whose
 * outputs need code. The rules of syscall_table.h hold for all of it.
 */
#ifndef COWSPY_TRACK_SYSCALL_OUTPUTS_H
#define COWSPY_TRACK_SYSCALL_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "syscall_table.h"

struct output_list {
	struct output_range *ranges;
	unsigned count; /* most + 1: too many */
	unsigned most;
	syscall_read_memory read;
};

/* What one read or write may transfer at most. */
#define OUTPUT_TRANSFER_MOST 0x7ffff000UL
/* What the kernel takes as iovecs in one call. */
#define OUTPUT_IOVECS_MOST 1024

#define KIB(n) ((uintptr_t)(n) << 10)
#define MIB(n) ((uintptr_t)(n) << 20)

/* One more range; an empty one or NULL adds nothing, a long one is cut. */
void output_add(struct output_list *list, uintptr_t start, uintptr_t length);

/* Copies size bytes of the program's memory; false when the address is bad. */
bool output_read(const struct output_list *list, void *to, uintptr_t from, uintptr_t size);

/* The targets of count iovecs at `array`; none when the array cannot be read. */
void output_add_iovecs(struct output_list *list, uintptr_t array, uintptr_t count);

/* As recvfrom's address: *(int *)length_at bytes, and that int. None when it cannot be read. */
void output_add_value(struct output_list *list, uintptr_t address, uintptr_t length_at);

bool output_is_address(uintptr_t value);

/*
 * For structures that hold pointers of unknown meaning: `span` bytes from every word of
 * [address, address + size) that looks like an address, and so on through `depth` levels.
 */
void output_add_pointed(struct output_list *list, uintptr_t address, uintptr_t size, uintptr_t span,
			unsigned depth);

/* syscall_commands.c */
void outputs_arch_prctl(struct output_list *list, const long *args);
void outputs_bpf(struct output_list *list, const long *args);
void outputs_clone(struct output_list *list, const long *args);
void outputs_clone3(struct output_list *list, const long *args);
void outputs_fcntl(struct output_list *list, const long *args);
void outputs_getxattrat(struct output_list *list, const long *args);
void outputs_keyctl(struct output_list *list, const long *args);
void outputs_msgrcv(struct output_list *list, const long *args);
void outputs_prctl(struct output_list *list, const long *args);
void outputs_ptrace(struct output_list *list, const long *args);
void outputs_semctl(struct output_list *list, const long *args);
void outputs_sysctl(struct output_list *list, const long *args);

/* syscall_futexes.c */
void outputs_futex(struct output_list *list, const long *args);
void outputs_futex_wait(struct output_list *list, const long *args);
void outputs_futex_waitv(struct output_list *list, const long *args);
void outputs_futex_requeue(struct output_list *list, const long *args);

/* rings.c */
void outputs_io_uring_enter(struct output_list *list, const long *args);

/* syscall_queues.c */
void outputs_io_submit(struct output_list *list, const long *args);
void outputs_io_uring_register(struct output_list *list, const long *args);
void outputs_io_uring_setup(struct output_list *list, const long *args);

/* syscall_sockets.c */
void outputs_getsockopt(struct output_list *list, const long *args);
void outputs_sendmmsg(struct output_list *list, const long *args);
void outputs_setsockopt(struct output_list *list, const long *args);
void output_add_msghdr(struct output_list *list, uintptr_t address);

/* syscall_ioctls.c */
void outputs_ioctl(struct output_list *list, const long *args);

#endif
