/*
 * What the fault handler takes, in CPU time of the threads that fault.
 *
 * Each thread counts its own, so that counting shares nothing. Only some faults are timed: to ask
 * for CPU time is a system call. What the kernel does to raise the signal and to return from it is
 * not in the times. Everything here is async-signal-safe.
 */
#ifndef COWSPY_TRACK_FAULT_COST_H
#define COWSPY_TRACK_FAULT_COST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct thread;

/* Of one thread, written by it alone. Times in nanoseconds. */
struct fault_cost {
	_Atomic uint64_t faults;
	_Atomic uint64_t first_time; /* of its first faults, which are all timed */
	_Atomic uint64_t sampled,
		late_time; /* of those after them: how many were, and their time */
};

/* Of all threads, those that have ended too. */
struct fault_cost_sum {
	uint64_t faults;
	uint64_t timed; /* of these */
	uint64_t
		time; /* of all faults: those that were not timed took as long as those that were */
};

/* Begin with a fault and end with it, where it was one of ours. `self` may be NULL: not counted. */
struct fault_timer {
	bool on;
	uint64_t begun;
	uint64_t reading; /* how long it takes to ask */
};

struct fault_timer fault_cost_begin(const struct thread *self);
void fault_cost_end(struct thread *self, const struct fault_timer *timer);

struct fault_cost_sum fault_cost_sum(void);

#endif
