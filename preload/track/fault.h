/*
 * The first write of a page, seen as a page fault.
 */
#ifndef COWSPY_TRACK_FAULT_H
#define COWSPY_TRACK_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/*
 * From the handler of SIGSEGV or SIGBUS, all signals blocked: a write to `address` was refused. True
 * when the page is one of ours; the instruction may then run again. False: the fault is the
 * program's.
 */
bool fault_first_write(int signal, uintptr_t address, ucontext_t *context);

/* Forks of this process so far, and its pid; set at start and in forked children. */
extern uint32_t process_epoch;
extern int process_pid;

#endif
