#include "record/originals.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "base/chunks.h"
#include "base/options.h"
#include "base/sys.h"

#define PAGES_IN_MIB (1u << (20 - PAGE_SHIFT))

static struct chunks pages = {.element = PAGE_SIZE};
static struct chunks by_event = {.element = sizeof(_Atomic uint32_t)};
static struct chunks free_next = {.element = sizeof(uint32_t)}; /* list of those given back */
static uint32_t free_first;
static uint32_t count, count_before; /* ever made; by the parent */
static _Atomic int busy;

/* Held for a few instructions only, and never over a fork, which waits for all who are in here. */
static void lists_lock(void)
{
	while (atomic_exchange_explicit(&busy, 1, memory_order_acquire))
		sys_call0(SYS_sched_yield);
}

static void lists_unlock(void)
{
	atomic_store_explicit(&busy, 0, memory_order_release);
}

static uint32_t take_number(void)
{
	uint32_t number;

	lists_lock();
	number = free_first;
	if (number)
		free_first = *(uint32_t *)chunks_get(&free_next, number);
	else if (count - count_before < (uint64_t)options.compare * PAGES_IN_MIB)
		number = ++count;
	lists_unlock();
	return number;
}

void originals_give_back(uint32_t original)
{
	uint32_t *next = original ? chunks_make(&free_next, original) : NULL;

	if (!next)
		return;
	lists_lock();
	*next = free_first;
	free_first = original;
	lists_unlock();
}

/* By the kernel: a page of a file may be gone, which would raise SIGBUS here. */
static bool copy_page(void *to, uintptr_t page)
{
	const struct iovec here = {to, PAGE_SIZE}, there = {(void *)page, PAGE_SIZE};
	return sys_call6(SYS_process_vm_readv, sys_call0(SYS_getpid), &here, 1, &there, 1, 0) ==
	       (long)PAGE_SIZE;
}

uint32_t originals_take(uintptr_t page, enum write_kind kind)
{
	uint32_t number;
	void *room;

	if (!options.compare || (kind != KIND_FILE && kind != KIND_FORK))
		return 0;
	number = take_number();
	room = number ? chunks_make(&pages, number) : NULL;
	if (room && copy_page(room, page))
		return number;
	originals_give_back(number);
	return 0;
}

void originals_bind(uint32_t event, uint32_t original)
{
	_Atomic uint32_t *slot = event && original ? chunks_make(&by_event, event) : NULL;

	if (slot)
		atomic_store_explicit(slot, original, memory_order_release);
	else
		originals_give_back(original);
}

const unsigned char *originals_get(uint32_t event)
{
	_Atomic uint32_t *slot = chunks_get(&by_event, event);
	uint32_t original = slot ? atomic_load_explicit(slot, memory_order_acquire) : 0;

	return original ? chunks_get(&pages, original) : NULL;
}

void originals_child(void)
{
	atomic_store(&busy, 0);
	count_before = count;
	free_first = 0;
}
