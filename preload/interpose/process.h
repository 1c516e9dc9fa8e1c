/* Processes: forks, programs that end or become another. */
#ifndef COWSPY_INTERPOSE_PROCESS_H
#define COWSPY_INTERPOSE_PROCESS_H

#include <stdbool.h>

#include "report/report.h"

/* Around a clone without CLONE_VM, whoever issues it. */
void process_fork_begin(void);
void process_fork_parent(long child);
void process_fork_child(bool actions_cleared);

/* Whether this is the process that we report on, and not a vfork child on its memory. */
bool process_is_watched(void);

/*
 * Tasks on our memory will not share all descriptors any more: what needs one of ours at any time
 * ends. No lock held.
 */
void process_descriptors_part(void);

/* Write the report of a process that ends, once. */
void process_end(enum report_reason reason);

/* Register what libc must call around a fork that the net does not see. Before the program runs. */
void process_start(void);

#endif
