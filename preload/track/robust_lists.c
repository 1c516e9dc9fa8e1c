#include "robust_lists.h"

#include "base/sys.h"
#include "guard.h"
#include "pages.h"
#include "threads.h"

#define ENTRIES_MOST 2048                        /* the kernel follows no more either */
#define ADDRESS(entry) ((entry) & ~(uintptr_t)1) /* the lowest bit: priority inheritance */

/* struct robust_list_head */
struct list_head {
	uintptr_t next;
	uintptr_t offset; /* from an entry to its futex */
	uintptr_t pending;
};

static bool open_futex(uintptr_t address)
{
	uintptr_t page = page_floor(address);
	struct region *region = region_find(page, false);
	if (!region || !region_armed(region) || !pages_claim(page))
		return false;
	guard_apply(region, page, page + PAGE_SIZE);
	return true;
}

static bool open_all_of(int tid)
{
	uintptr_t at, entry;
	size_t size;
	struct list_head head;
	bool any = false;
	if (sys_call3(SYS_get_robust_list, tid, &at, &size) || !at ||
	    sys_copy(&head, (const void *)at, sizeof(head)))
		return false;
	if (head.pending)
		any |= open_futex(ADDRESS(head.pending) + head.offset);
	entry = ADDRESS(head.next);
	for (unsigned i = 0; entry != at && i < ENTRIES_MOST; i++) {
		any |= open_futex(entry + head.offset);
		if (sys_copy(&entry, (const void *)entry, sizeof(entry)))
			break;
		entry = ADDRESS(entry);
	}
	return any;
}

bool robust_lists_open(void)
{
	bool any = false;
	for (struct thread *t = thread_first(); t; t = thread_next(t))
		any |= open_all_of(atomic_load(&t->tid));
	return any;
}
