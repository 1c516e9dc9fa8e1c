/*
 * Walks the calling thread's stack by call frame information, with the rules of instructions met
 * before at hand: no lock, no system call, no memory of its own to allocate. The fault handler may
 * call. Reading what a broken stack points to is a fault, which the caller has to be ready for.
 *
 * Wants _dl_find_object of glibc 2.35, which may be called in signal handlers.
 */
#ifndef COWSPY_OBSERVE_UNWIND_H
#define COWSPY_OBSERVE_UNWIND_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "observe/cfi.h"

/* Whether this C library lets us. Outside of handlers. */
bool unwind_start(void);

struct unwind {
	uintptr_t instruction; /* of the innermost frame, then return addresses */
	uintptr_t registers[CFI_REGISTERS];
	bool exact; /* the instruction is no return address */
};

/* Begin at what a signal interrupted; at the running function: unwind_here_*.h. */
void unwind_at(const ucontext_t *interrupted, struct unwind *unwind);

/*
 * One frame outwards. In code without call frame information (compiled at run time, or written by
 * hand) the frame pointer is taken for what its name says, as far as what it points to can be true.
 * False when the frame is the outermost, or nothing says where the caller's frame is.
 */
bool unwind_step(struct unwind *unwind);

/* Code was mapped where other code may have been. */
void unwind_forget(void);

#endif
