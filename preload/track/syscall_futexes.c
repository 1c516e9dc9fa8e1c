/*
 * Futexes. Two ways in which the kernel needs to write a futex word:
 * - it changes the word (priority inheritance, FUTEX_WAKE_OP);
 * - the futex is not private: to find who shares it, the kernel takes the page for writing, which
 *   breaks copy-on-write, and on a read-only anonymous page every operation fails with EFAULT.
 */
#include <linux/futex.h>

#include "syscall_outputs.h"

#define FUTEX_LOCK_PI2_OP 13
#define FUTEX2_PRIVATE_FLAG 128
#define FUTEX_WAITV_WAITERS_MOST 128

/* A futex word of the newer calls: up to 8 bytes, and behind it the node with FUTEX2_NUMA. */
#define FUTEX2_WORD 16

struct waiter {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

void outputs_futex(struct output_list *list, const long *args)
{
	int op = (int)args[1];
	bool shared = !(op & FUTEX_PRIVATE_FLAG);
	bool first = shared, second = false;
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2_OP:
	case FUTEX_TRYLOCK_PI:
	case FUTEX_UNLOCK_PI: first = true; break;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE: second = shared; break;
	case FUTEX_WAKE_OP:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI: second = true; break;
	}
	if (first)
		output_add(list, (uintptr_t)args[0], 4);
	if (second)
		output_add(list, (uintptr_t)args[4], 4);
}

/* futex_wait(address, value, mask, flags, ...) and futex_wake(address, mask, n, flags). */
void outputs_futex_wait(struct output_list *list, const long *args)
{
	if (!(args[3] & FUTEX2_PRIVATE_FLAG))
		output_add(list, (uintptr_t)args[0], FUTEX2_WORD);
}

static void add_waiters(struct output_list *list, uintptr_t array, uint32_t count)
{
	struct waiter waiter;
	for (uint32_t i = 0; i < count; i++) {
		if (!output_read(list, &waiter, array + i * sizeof(waiter), sizeof(waiter)))
			return;
		if (!(waiter.flags & FUTEX2_PRIVATE_FLAG))
			output_add(list, waiter.address, FUTEX2_WORD);
	}
}

void outputs_futex_waitv(struct output_list *list, const long *args)
{
	uint32_t count = (uint32_t)args[1];
	if (count <= FUTEX_WAITV_WAITERS_MOST)
		add_waiters(list, (uintptr_t)args[0], count);
}

void outputs_futex_requeue(struct output_list *list, const long *args)
{
	add_waiters(list, (uintptr_t)args[0], 2);
}
