/*
 * userfaultfd(2) write protection: page by page, without splitting a VMA. A write to a protected
 * page raises SIGBUS in the thread that writes; a system call that would write it gets EFAULT, as it
 * does for mprotect.
 *
 * Kernel document: Documentation/admin-guide/mm/userfaultfd.rst. Needs UFFD_FEATURE_SIGBUS and
 * UFFD_FEATURE_WP_UNPOPULATED (Linux 6.4), no privilege, and anonymous private memory. Ranges are
 * whole pages. Any thread and handler may call; no locks. A forked child has no registrations: it
 * calls userfault_child first of all.
 */
#ifndef COWSPY_TRACK_USERFAULT_H
#define COWSPY_TRACK_USERFAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this kernel and its administrator allow it. Before the program runs. */
bool userfault_start(void);

/* Write lock: whether it can be used now; opens the descriptor when there is none. */
bool userfault_ready(void);

/*
 * Around a vfork: its child runs on our memory, but would not have a descriptor that is opened
 * meanwhile, or would take one with it.
 */
void userfault_lend(void);
void userfault_lend_end(void);

/* Write lock, nothing registered: it is not ready any more, ever. */
void userfault_end(void);

/* All return 0 or -errno. */
int userfault_register(uintptr_t start, uintptr_t end);
int userfault_unregister(uintptr_t start, uintptr_t end); /* nothing there is protected then */
int userfault_protect(uintptr_t start, uintptr_t end);
int userfault_open(uintptr_t start, uintptr_t end);

/* The descriptor, or -1: the program must neither close nor replace it. */
int userfault_descriptor(void);

/* The program wants its number: go on with another. */
void userfault_descriptor_leave(void);

/* Close the descriptor, which means the parent's memory. */
void userfault_child(void);

#endif
