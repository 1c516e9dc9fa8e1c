#include "lock.h"

#include "guard.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>

/*
 * Readers count in the low bits; a writer that waits or works sets WRITER, which stops new ones.
 * Whoever sleeps has set SLEEPERS while WRITER was set; the writer's end takes it away and wakes.
 */
#define WRITER 0x80000000u
#define SLEEPERS 0x40000000u
#define READERS (SLEEPERS - 1)

static _Atomic uint32_t state;
static _Atomic uint32_t writers;

/* Returns early when the state is another one by now. */
static void wait_while(uint32_t seen)
{
	if (!(seen & SLEEPERS) && !atomic_compare_exchange_strong(&state, &seen, seen | SLEEPERS))
		return;
	sys_call6(SYS_futex, &state, FUTEX_WAIT_PRIVATE, seen | SLEEPERS, 0, 0, 0);
}

static void wake_all(void)
{
	sys_call6(SYS_futex, &state, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

void lock_read(void)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&state, memory_order_relaxed);
		if (seen & WRITER)
			wait_while(seen);
		else if (atomic_compare_exchange_weak(&state, &seen, seen + 1))
			return;
	}
}

void lock_read_end(void)
{
	uint32_t before = atomic_fetch_sub(&state, 1);
	if ((before & READERS) == 1 && before & SLEEPERS)
		wake_all();
}

void lock_alone(void)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&state, memory_order_relaxed);
		if (seen & WRITER)
			wait_while(seen);
		else if (atomic_compare_exchange_weak(&state, &seen, seen | WRITER))
			break;
	}
	for (;;) {
		uint32_t seen = atomic_load(&state);
		if (!(seen & READERS))
			return;
		wait_while(seen);
	}
}

void lock_write(void)
{
	lock_alone();
	atomic_fetch_add(&writers, 1);
}

void lock_write_end(void)
{
	if (atomic_exchange(&state, 0) & SLEEPERS)
		wake_all();
}

void lock_read_masked(sigmask_t *old)
{
	sys_sigmask_block(old);
	guard_exempt_stack((uintptr_t)__builtin_frame_address(0));
	lock_read();
}

void lock_write_masked(sigmask_t *old)
{
	sys_sigmask_block(old);
	guard_exempt_stack((uintptr_t)__builtin_frame_address(0));
	lock_write();
}

void lock_write_end_masked(const sigmask_t *old)
{
	lock_write_end();
	sys_sigmask_restore(old);
}

uint32_t lock_writers(void)
{
	return atomic_load(&writers);
}

bool lock_has_writer(void)
{
	return atomic_load(&state) & WRITER;
}

void lock_child(void)
{
	atomic_store(&state, WRITER);
}
