#include "report/snapshot.h"

#include "track/pages.h"

/* How a page that this process mapped anonymously, or copied, stands to other processes. */
static char letter_of_anonymous(const struct page_facts *facts)
{
	bool shared = (facts->flags & PAGE_PRESENT) && !(facts->flags & PAGE_EXCLUSIVE);

	if ((facts->shared_since_fork || facts->mergeable) && shared)
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

	/* Without a fork only KSM can have done this: the copy is gone. */
	if (shared && facts->mergeable && !facts->shared_since_fork)
		return state;
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

/*
 * Of a page that userfaultfd protects for us the kernel's mark says nothing, but we do: it is closed.
 * If nothing was there, only the zero page can be; or the new page that the kernel has prepared for
 * the first write that is just being recorded. If something was there, it has been swapped out.
 */
static page_flags_t resolve_mark(uintptr_t page, page_flags_t flags)
{
	if (!pages_is_handed(page) || pages_is_open(page))
		return flags;
	if (pages_was_empty(page))
		return flags & PAGE_ZERO ? flags : 0;
	return flags & PAGE_MARKER ? PAGE_SWAPPED : flags;
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

static const struct kept_write *own_event(uint32_t index)
{
	return index > journal_first() ? journal_get(index) : NULL;
}

/* The event that made the copy: reuses in place go back to an earlier one, if it is our own. */
static const struct kept_write *event_origin(const struct kept_write *event)
{
	while (event && event->kind == KIND_REUSE)
		event = own_event(event->previous);
	return event;
}

struct page_view snapshot_page_view(const struct region *region, bool tracked, uintptr_t page,
				    page_flags_t flags)
{
	struct page_view view = {.flags = tracked ? resolve_mark(page, flags) : flags};
	struct page_facts facts = {
		.flags = view.flags,
		.watched = tracked && region->limit == REGION_PROTECTED,
		.inherited = region->inherited,
		.shared_since_fork = region->shared_since_fork,
		.mergeable = region->advice & ADVICE_MERGEABLE,
	};

	if (tracked) {
		facts.open = pages_is_open(page);
		view.event = own_event(pages_event(page));
		view.origin = event_origin(view.event);
	}
	facts.event = view.event;
	facts.reuse = view.event && view.event->kind == KIND_REUSE;
	facts.origin = view.origin;
	view.state = snapshot_page_state(&facts);
	return view;
}
