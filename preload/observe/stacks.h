/*
 * Call stacks: captured by call frame information, stored once.
 *
 * Where the C library does not tell modules without a lock (glibc before 2.35), libunwind does it,
 * loaded privately with dlopen: linked it would take over C++ exceptions.
 * stacks_capture may run in the fault handler; stacks_insert and stacks_get anywhere. Nothing here
 * takes a lock of ours; libunwind takes its own and the loader's when it sees an address for the
 * first time, so capture without holding a lock that those threads may want. Ids begin at 1; 0
 * means "no stack".
 */
#ifndef COWSPY_OBSERVE_STACKS_H
#define COWSPY_OBSERVE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#define STACK_DEPTH_MOST 128

/* 0, or -errno with stacks_why_none() saying why. Outside of handlers only. */
int stacks_start(unsigned depth);

/* Why there are no stacks, for the report; NULL when there are. */
const char *stacks_why_none(void);

/* Outside of any handler: with libunwind, make this thread's part of it have its memory. */
void stacks_warm_thread(void);

/*
 * Capture the calling thread's stack from the frame whose program counter is `from` (the
 * interrupted instruction, or a return address) outwards, and store it. Where that is not possible
 * (a thread that was not warmed, an unwinder that gets lost) the stack is `from` alone. Returns
 * its id, or 0 when there are no stacks. Leaves errno as it was.
 */
uint32_t stacks_capture(uintptr_t from);

/* The same from a signal handler: the stack of what was interrupted. */
uint32_t stacks_capture_at(const ucontext_t *interrupted);

/*
 * Around a fork, with signals blocked: wait until no other thread is inside libunwind, whose locks
 * would stay taken in the child, and let none begin. The pausing thread itself captures nothing.
 */
void stacks_pause(void);
void stacks_resume(void);
void stacks_child(void); /* instead of stacks_resume, in the child */

/* Code was mapped where other code may have been. */
void stacks_code_changed(void);

/* Whether the calling thread is inside libunwind now: its mmap calls and faults are ours. */
bool stacks_capturing(void);

/*
 * For a fault that nobody owns: if this thread is inside libunwind, point the interrupted context
 * to where stacks_capture gives up, and return true: return from the handler then.
 */
bool stacks_rescue(ucontext_t *interrupted);

/*
 * The table is bounded: the first STACKS_MOST different stacks are kept, all others share the id
 * STACKS_OTHER, which has no frames.
 */
#define STACKS_MOST 262144u
#define STACKS_OTHER (STACKS_MOST + 1)

/* Store frames[depth]; equal stacks get the same id. 0 when memory is out. */
uint32_t stacks_insert(const uintptr_t *frames, unsigned depth);

/* The frames of an id, innermost first: frames[0] is the instruction's own address, the others are
 * return addresses. Returns the depth, 0 for an unknown id. */
unsigned stacks_get(uint32_t id, const uintptr_t **frames);

/* The highest id given out so far, STACKS_OTHER included. */
uint32_t stacks_count(void);

#endif
