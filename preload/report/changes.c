#include "report/changes.h"

#include <string.h>

#include "base/options.h"
#include "base/sys.h"
#include "record/originals.h"
#include "track/pages.h"

#define PART 256u /* compared at once: a signal stack has room for it */

static unsigned count_different(const unsigned char *before, const unsigned char *now)
{
	unsigned different = 0;

	for (size_t i = 0; i < PART; i += sizeof(uint64_t)) {
		uint64_t left, right;
		memcpy(&left, before + i, sizeof(left));
		memcpy(&right, now + i, sizeof(right));
		for (uint64_t rest = left ^ right; rest; rest >>= 8)
			different += (rest & 0xff) != 0;
	}
	return different;
}

/* NULL: zeros. False when the program made the page unreadable. */
static bool compare(const unsigned char *before, uintptr_t page, unsigned *changed)
{
	static const unsigned char zeros[PART];
	unsigned char now[PART];

	*changed = 0;
	for (size_t at = 0; at < PAGE_SIZE; at += PART) {
		if (sys_copy(now, (const void *)(page + at), PART))
			return false;
		*changed += count_different(before ? before + at : zeros, now);
	}
	return true;
}

/* The index of the first write that made the copy: those in place after it are younger. */
static uint32_t index_of(uintptr_t page, const struct kept_write *origin)
{
	uint32_t index = pages_event(page);

	while (index && journal_get(index) != origin) {
		const struct kept_write *write = journal_get(index);
		index = write ? write->previous : 0;
	}
	return index;
}

void changes_add(struct snapshot *snapshot, uintptr_t page, const struct kept_write *origin,
		 struct stack_group *group)
{
	const unsigned char *before = NULL;
	struct page_change *change;
	unsigned changed;
	uint32_t event;

	if (!options.compare ||
	    (origin->kind != KIND_FILE && origin->kind != KIND_FORK && origin->kind != KIND_ZERO))
		return;
	event = index_of(page, origin);
	if (origin->kind != KIND_ZERO)
		before = originals_get(event);
	if ((!before && origin->kind != KIND_ZERO) || !compare(before, page, &changed)) {
		snapshot->not_compared++;
		return;
	}
	snapshot->compared++;
	snapshot->changed_bytes += changed;
	snapshot->identical += !changed;
	group->compared++;
	group->changed_bytes += changed;
	group->identical += !changed;
	change = list_extend(&snapshot->changes, 1);
	if (change)
		*change = (struct page_change){.event = event, .bytes = changed};
	else
		snapshot->incomplete = true;
}
