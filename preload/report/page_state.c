#include "report/snapshot.h"

/* How a page that this process mapped anonymously, or copied, stands to other processes. */
static char letter_of_anonymous(const struct page_facts *facts)
{
	bool shared = (facts->flags & PAGE_PRESENT) && !(facts->flags & PAGE_EXCLUSIVE);

	if (facts->shared_since_fork && shared)
		return 's';
	if (facts->shared_since_fork && facts->watched && !facts->open)
		return 'i';
	if (facts->event && facts->reuse)
		return 'r';
	if (facts->flags & PAGE_SWAPPED)
		return 'S';
	return facts->flags & PAGE_HUGE ? 'H' : 'C';
}

/*
 * Which pages count as copied by this process: those whose own event says so, and those that it
 * mapped itself. A page from before this process's fork counts only when it cannot be the one
 * inherited: one that is closed, or still shared, has not been written since.
 */
static struct page_state state_of_anonymous(const struct page_facts *facts)
{
	char letter = letter_of_anonymous(facts);
	bool shared = (facts->flags & PAGE_PRESENT) && !(facts->flags & PAGE_EXCLUSIVE);
	bool unwritten = shared || (facts->watched && !facts->open);
	struct page_state state = {.letter = letter};

	if (facts->event && !facts->reuse) {
		state.copied = state.attributed = true;
	} else if (facts->event) {
		state.reused = true;
		state.attributed = facts->origin;
		state.copied = facts->origin || !facts->inherited;
	} else {
		state.copied = !facts->inherited || !unwritten;
	}
	return state;
}

/* Without PAGEMAP_SCAN a shared page looks like the zero page; an own event tells them apart. */
static bool is_zero(const struct page_facts *facts)
{
	bool inferred = facts->flags & PAGE_ZERO_INFERRED;
	return (facts->flags & PAGE_ZERO) &&
	       !(inferred && facts->event && facts->shared_since_fork);
}

struct page_state snapshot_page_state(const struct page_facts *facts)
{
	if (facts->flags & PAGE_MARKER)
		return (struct page_state){.letter = '?'};
	if (!(facts->flags & (PAGE_PRESENT | PAGE_SWAPPED)))
		return (struct page_state){.letter = '.'};
	if (facts->flags & PAGE_FILE)
		return (struct page_state){.letter = 'f'};
	if (is_zero(facts))
		return (struct page_state){.letter = 'z'};
	return state_of_anonymous(facts);
}
