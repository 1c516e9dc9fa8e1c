#include "fault_cost.h"

#include <time.h>

#include "base/sys.h"
#include "threads.h"

/* The first are slow, since all that they need is made then: they say nothing of those after. */
#define FIRST 16
#define SAMPLE 64

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void add(_Atomic uint64_t *value, uint64_t more)
{
	atomic_store_explicit(value, get(value) + more, memory_order_relaxed);
}

static uint64_t cpu_time(void)
{
	struct timespec now = {0};
	sys_call2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A fault within another, while unwinding, belongs to that one. */
struct fault_timer fault_cost_begin(const struct thread *self)
{
	struct fault_timer timer = {0};
	if (!self || self->unwinding)
		return timer;
	uint64_t faults = get(&self->cost.faults);
	if (faults >= FIRST && faults % SAMPLE)
		return timer;
	uint64_t asked = cpu_time();
	timer.on = true;
	timer.begun = cpu_time();
	timer.reading = timer.begun - asked;
	return timer;
}

void fault_cost_end(struct thread *self, const struct fault_timer *timer)
{
	if (!self || self->unwinding)
		return;
	struct fault_cost *cost = &self->cost;
	if (timer->on) {
		uint64_t took = cpu_time() - timer->begun;
		took -= took < timer->reading ? took : timer->reading;
		if (get(&cost->faults) < FIRST) {
			add(&cost->first_time, took);
		} else {
			add(&cost->late_time, took);
			add(&cost->sampled, 1);
		}
	}
	add(&cost->faults, 1);
}

static void add_thread(struct fault_cost_sum *sum, const struct fault_cost *cost)
{
	uint64_t faults = get(&cost->faults), sampled = get(&cost->sampled);
	uint64_t late = faults > FIRST ? faults - FIRST : 0;

	sum->faults += faults;
	sum->timed += faults - late + sampled;
	sum->time += get(&cost->first_time);
	if (sampled)
		sum->time += (uint64_t)((unsigned __int128)get(&cost->late_time) * late / sampled);
}

struct fault_cost_sum fault_cost_sum(void)
{
	struct fault_cost_sum sum = {0};
	for (const struct thread *t = thread_any(); t; t = t->next)
		add_thread(&sum, &t->cost);
	return sum;
}
