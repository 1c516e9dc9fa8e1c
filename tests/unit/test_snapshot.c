/* sources: preload/report/snapshot.c preload/report/page_state.c preload/report/layout.c preload/report/changes.c preload/record/originals.c preload/base/list.c preload/base/memory.c preload/base/chunks.c preload/base/sys.c preload/observe/truth.c preload/observe/pagemap.c preload/observe/maps.c preload/observe/elf_file.c preload/observe/locks.c preload/observe/stacks.c preload/observe/cfi.c preload/observe/unwind_x86_64.c preload/observe/stack_table.c preload/record/journal.c preload/record/trace.c preload/record/trace_file.c preload/record/modules.c preload/record/names.c preload/record/perf_map.c preload/base/descriptor.c preload/base/notice.c preload/base/options.c preload/base/text.c preload/track/trace_regions.c preload/track/regions.c preload/track/pages.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/sys.h"
#include "observe/stacks.h"
#include "observe/truth.h"
#include "report/snapshot.h"
#include "track/pages.h"

#define PAGE ((size_t)4096)

/* Nothing here is out of reach. */
int sys_copy(void *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	return 0;
}

/* ---- the state of one page ---- */

#define ALONE (PAGE_PRESENT | PAGE_EXCLUSIVE)

/* In words: a row for each case that the report tells apart. */
static const struct {
	const char *what;
	struct page_facts facts;
	struct page_state state;
} cases[] = {
	{"never touched", {.watched = true}, {'.', false, false, false}},
	{"clean page of a file", {.flags = PAGE_PRESENT | PAGE_FILE}, {'f', false, false, false}},
	{"zero page", {.flags = PAGE_PRESENT | PAGE_ZERO}, {'z', false, false, false}},
	{"kernel does not say", {.flags = PAGE_MARKER}, {'?', false, false, false}},

	{"written once",
	 {.flags = ALONE, .watched = true, .open = true, .event = true},
	 {'C', true, true, false}},
	{"written unseen",
	 {.flags = ALONE, .watched = true, .open = true},
	 {'C', true, false, false}},
	{"there before we watched", {.flags = ALONE, .watched = true}, {'C', true, false, false}},
	{"of a mapping not watched", {.flags = ALONE}, {'C', true, false, false}},
	{"swapped",
	 {.flags = PAGE_SWAPPED, .watched = true, .open = true, .event = true},
	 {'S', true, true, false}},
	{"huge",
	 {.flags = ALONE | PAGE_HUGE, .watched = true, .open = true, .event = true},
	 {'H', true, true, false}},

	{"after our fork, not written, the other lives",
	 {.flags = PAGE_PRESENT, .watched = true, .shared_since_fork = true, .event = true},
	 {'s', true, true, false}},
	{"after our fork, not written, the other has its own",
	 {.flags = ALONE, .watched = true, .shared_since_fork = true, .event = true},
	 {'i', true, true, false}},
	{"after our fork, no event, the other lives",
	 {.flags = PAGE_PRESENT, .watched = true, .shared_since_fork = true},
	 {'s', true, false, false}},
	{"after our fork, copied",
	 {.flags = ALONE, .watched = true, .open = true, .shared_since_fork = true, .event = true},
	 {'C', true, true, false}},
	{"after our fork, reused, copied by an event before",
	 {.flags = ALONE,
	  .watched = true,
	  .open = true,
	  .shared_since_fork = true,
	  .event = true,
	  .reuse = true,
	  .origin = true},
	 {'r', true, true, true}},
	{"after our fork, reused, of unknown origin",
	 {.flags = ALONE,
	  .watched = true,
	  .open = true,
	  .shared_since_fork = true,
	  .event = true,
	  .reuse = true},
	 {'r', true, false, true}},
	{"reused, then shared again by another fork",
	 {.flags = PAGE_PRESENT,
	  .watched = true,
	  .shared_since_fork = true,
	  .event = true,
	  .reuse = true,
	  .origin = true},
	 {'s', true, true, true}},

	{"inherited, not written, the other lives",
	 {.flags = PAGE_PRESENT, .watched = true, .inherited = true, .shared_since_fork = true},
	 {'s', false, false, false}},
	{"inherited, not written, ours alone",
	 {.flags = ALONE, .watched = true, .inherited = true, .shared_since_fork = true},
	 {'i', false, false, false}},
	{"inherited, not written, swapped",
	 {.flags = PAGE_SWAPPED, .watched = true, .inherited = true, .shared_since_fork = true},
	 {'i', false, false, false}},
	{"inherited, copied",
	 {.flags = ALONE,
	  .watched = true,
	  .open = true,
	  .inherited = true,
	  .shared_since_fork = true,
	  .event = true},
	 {'C', true, true, false}},
	{"inherited, reused",
	 {.flags = ALONE,
	  .watched = true,
	  .open = true,
	  .inherited = true,
	  .shared_since_fork = true,
	  .event = true,
	  .reuse = true},
	 {'r', false, false, true}},
	{"inherited, open, written unseen",
	 {.flags = ALONE,
	  .watched = true,
	  .open = true,
	  .inherited = true,
	  .shared_since_fork = true},
	 {'C', true, false, false}},
	{"inherited, not watched, still shared",
	 {.flags = PAGE_PRESENT, .inherited = true, .shared_since_fork = true},
	 {'s', false, false, false}},

	{"merged by KSM",
	 {.flags = PAGE_PRESENT, .watched = true, .open = true, .mergeable = true, .event = true},
	 {'s', false, false, false}},
	{"mergeable, not merged",
	 {.flags = ALONE, .watched = true, .open = true, .mergeable = true, .event = true},
	 {'C', true, true, false}},
	{"mergeable, shared by a fork, or merged since",
	 {.flags = PAGE_PRESENT,
	  .watched = true,
	  .shared_since_fork = true,
	  .mergeable = true,
	  .event = true},
	 {'s', true, true, false}},

	{"old kernel: zero, or shared since a fork",
	 {.flags = PAGE_PRESENT | PAGE_ZERO | PAGE_ZERO_INFERRED,
	  .watched = true,
	  .shared_since_fork = true},
	 {'z', false, false, false}},
	{"old kernel: our event says that it is no zero page",
	 {.flags = PAGE_PRESENT | PAGE_ZERO | PAGE_ZERO_INFERRED,
	  .watched = true,
	  .shared_since_fork = true,
	  .event = true},
	 {'s', true, true, false}},
};

static void each_case_has_its_state(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct page_state got = snapshot_page_state(&cases[i].facts);
		struct page_state want = cases[i].state;
		if (got.letter != want.letter || got.copied != want.copied ||
		    got.attributed != want.attributed || got.reused != want.reused)
			fail_msg("%s: '%c' %d %d %d", cases[i].what, got.letter, got.copied,
				 got.attributed, got.reused);
	}
}

/* What must hold for every combination of facts. */
static void assert_consistent(const struct page_facts *facts)
{
	struct page_state state = snapshot_page_state(facts);
	bool anonymous = page_is_copied(facts->flags) && !(facts->flags & PAGE_MARKER);

	assert_non_null(strchr(PAGE_LETTERS, state.letter));
	if (state.attributed)
		assert_true(state.copied && facts->event);
	if (state.reused)
		assert_true(facts->event && facts->reuse);
	if (anonymous && facts->event && !facts->reuse)
		assert_true(state.copied && state.attributed);
	if (anonymous && !facts->inherited)
		assert_true(state.copied);
	if (state.copied && !(facts->flags & PAGE_ZERO_INFERRED))
		assert_true(anonymous);
	if (strchr("CSH", state.letter))
		assert_true(state.copied);
	if (strchr(".fz?", state.letter))
		assert_false(state.copied || state.attributed || state.reused);
	if (strchr("si", state.letter))
		assert_true(facts->shared_since_fork);
}

static void every_combination_of_facts_is_consistent(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << 15; bits++) {
		struct page_facts facts = {
			.flags = bits & 0xff,
			.watched = bits >> 8 & 1,
			.open = bits >> 9 & 1,
			.inherited = bits >> 10 & 1,
			.shared_since_fork = (bits >> 10 & 1) || (bits >> 11 & 1),
			.event = bits >> 12 & 1,
			.reuse = bits >> 13 & 1,
			.origin = (bits >> 14 & 1) && (bits >> 13 & 1) && (bits >> 12 & 1),
		};
		assert_consistent(&facts);
	}
}

/* ---- snapshots of real memory ---- */

static char *map_pages(size_t n)
{
	char *pages = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	madvise(pages, n * PAGE, MADV_NOHUGEPAGE);
	return pages;
}

static void track(char *pages, size_t n)
{
	struct region region = {.start = (uintptr_t)pages,
				.end = (uintptr_t)pages + n * PAGE,
				.protection = PROT_READ | PROT_WRITE};
	assert_non_null(region_insert(&region));
}

static void untrack(char *pages, size_t n)
{
	assert_int_equal(region_remove((uintptr_t)pages, (uintptr_t)pages + n * PAGE), 0);
	pages_forget((uintptr_t)pages, (uintptr_t)pages + n * PAGE);
	munmap(pages, n * PAGE);
}

static void first_write(char *page, enum write_kind kind, enum write_cause cause, long nr)
{
	uintptr_t frames[] = {0x1000, 0x2000 + kind};
	struct first_write write = {
		.page = (uintptr_t)page,
		.time = 1,
		.stack = stacks_insert(frames, 2),
		.thread = 7,
		.previous = pages_event((uintptr_t)page),
		.kind = (uint8_t)kind,
		.cause = (uint8_t)cause,
		.syscall = (uint16_t)(nr + 1),
	};
	pages_claim((uintptr_t)page);
	pages_set_event((uintptr_t)page, journal_append(&write));
	*page = 1;
}

static const struct mapping *mapping_of(const struct snapshot *snapshot, const char *pages)
{
	for (size_t i = 0; i < snapshot->mappings.count; i++) {
		const struct mapping *mapping = snapshot_mapping(snapshot, i);
		if ((uintptr_t)pages >= mapping->region.start &&
		    (uintptr_t)pages < mapping->region.end)
			return mapping;
	}
	return NULL;
}

/* The mapping's letters, from its runs. */
static void letters_of(const struct snapshot *snapshot, const struct mapping *mapping,
		       char *letters)
{
	size_t pages = (mapping->region.end - mapping->region.start) / PAGE;

	memset(letters, '.', pages);
	letters[pages] = 0;
	for (size_t i = 0; i < mapping->runs; i++) {
		const struct page_run *run = list_at(&snapshot->runs, mapping->run + i);
		memset(letters + (run->start - mapping->region.start) / PAGE, (char)run->letter,
		       run->pages);
	}
}

static void assert_letters(const struct snapshot *snapshot, const char *pages, const char *want)
{
	char letters[65];
	const struct mapping *mapping = mapping_of(snapshot, pages);
	assert_non_null(mapping);
	assert_true(mapping->tracked);
	letters_of(snapshot, mapping, letters);
	assert_string_equal(letters, want);
}

static void copied_is_attributed_and_unattributed(void **state)
{
	char *pages = map_pages(8);
	volatile char sink = pages[4 * PAGE];
	struct snapshot *snapshot;
	const struct mapping *mapping;

	(void)state;
	(void)sink;
	track(pages, 8);
	first_write(pages, KIND_FILL, CAUSE_WRITE, -1);
	first_write(pages + 2 * PAGE, KIND_FILL, CAUSE_SYSCALL, 0);
	first_write(pages + 4 * PAGE, KIND_ZERO, CAUSE_WRITE, -1);
	sink = pages[5 * PAGE];
	pages[6 * PAGE] = 1;
	snapshot = snapshot_take();
	assert_non_null(snapshot);
	assert_int_equal(snapshot->truth_error, 0);
	assert_letters(snapshot, pages, "C.C.CzC.");
	mapping = mapping_of(snapshot, pages);
	assert_int_equal(mapping->copied, 4);
	assert_int_equal(mapping->attributed, 3);
	assert_int_equal(mapping->zero, 1);
	assert_int_equal(mapping->resident, 5);
	assert_int_equal(snapshot->copied, 4);
	assert_int_equal(snapshot->attributed, 3);
	assert_int_equal(snapshot->kinds[KIND_FILL], 2);
	assert_int_equal(snapshot->kinds[KIND_ZERO], 1);
	assert_int_equal(snapshot->causes[CAUSE_SYSCALL], 1);
	assert_int_equal(snapshot->syscalls[0], 1);
	snapshot_release(snapshot);
	untrack(pages, 8);
}

static void what_was_given_back_is_not_copied_any_more(void **state)
{
	char *pages = map_pages(4);
	struct snapshot *snapshot;
	uint32_t stack;

	(void)state;
	track(pages, 4);
	for (unsigned i = 0; i < 4; i++)
		first_write(pages + i * PAGE, KIND_FILL, CAUSE_WRITE, -1);
	stack = journal_get(journal_count())->stack;
	madvise(pages + PAGE, 2 * PAGE, MADV_DONTNEED);
	pages_forget((uintptr_t)pages + PAGE, (uintptr_t)pages + 3 * PAGE);
	snapshot = snapshot_take();
	assert_letters(snapshot, pages, "C..C");
	assert_int_equal(snapshot->copied, 2);
	assert_int_equal(snapshot->attributed, 2);
	assert_int_equal(snapshot->groups[stack].copied, 2);
	assert_true(snapshot->groups[stack].writes >= 4);
	assert_int_equal(snapshot->events, journal_count());
	snapshot_release(snapshot);
	untrack(pages, 4);
}

/* Our protections cut a mapping into many lines, and lines reach beyond a region's ends. */
static void lines_and_regions_need_not_agree(void **state)
{
	char *pages = map_pages(24);
	struct snapshot *snapshot;
	const struct mapping *before, *within, *behind;

	(void)state;
	memset(pages, 1, 24 * PAGE);
	track(pages + 8 * PAGE, 8);
	for (unsigned i = 8; i < 16; i += 2)
		mprotect(pages + i * PAGE, PAGE, PROT_READ);
	snapshot = snapshot_take();
	before = mapping_of(snapshot, pages);
	within = mapping_of(snapshot, pages + 9 * PAGE);
	behind = mapping_of(snapshot, pages + 23 * PAGE);
	assert_false(before->tracked);
	assert_true(within->tracked);
	assert_false(behind->tracked);
	assert_int_equal(before->region.end, (uintptr_t)pages + 8 * PAGE);
	assert_int_equal(within->copied, 8);
	assert_int_equal(behind->region.start, (uintptr_t)pages + 16 * PAGE);
	assert_true(before->copied >= 8 && behind->copied >= 8);
	assert_int_equal(snapshot->copied, 8);
	snapshot_release(snapshot);
	assert_int_equal(region_remove((uintptr_t)pages, (uintptr_t)pages + 24 * PAGE), 0);
	munmap(pages, 24 * PAGE);
}

/* Both sides of a real fork, with the bookkeeping that forks do. */
static void inherit(void)
{
	struct region *region = region_find(0, true);
	journal_begin();
	truth_child();
	region->inherited = region->shared_since_fork = true;
	pages_arm(region->start, region->end);
}

static int child_of_fork(char *pages)
{
	struct snapshot *snapshot;
	char letters[65];

	inherit();
	first_write(pages, KIND_FORK, CAUSE_WRITE, -1);
	first_write(pages + 3 * PAGE, KIND_FILL, CAUSE_WRITE, -1);
	snapshot = snapshot_take();
	letters_of(snapshot, mapping_of(snapshot, pages), letters);
	if (strcmp(letters, "CssC") != 0)
		return 1;
	if (snapshot->copied != 2 || snapshot->attributed != 2 || snapshot->events != 2)
		return 2;
	return 0;
}

static void a_child_counts_what_it_copied_itself(void **state)
{
	char *pages = map_pages(4);
	int status;
	pid_t pid;

	(void)state;
	track(pages, 4);
	for (unsigned i = 0; i < 3; i++)
		first_write(pages + i * PAGE, KIND_FILL, CAUSE_WRITE, -1);
	pid = fork();
	if (!pid)
		_exit(child_of_fork(pages));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	region_find((uintptr_t)pages, false)->shared_since_fork = true;
	pages_arm((uintptr_t)pages, (uintptr_t)pages + 4 * PAGE);
	first_write(pages + PAGE, KIND_REUSE, CAUSE_WRITE, -1);
	struct snapshot *snapshot = snapshot_take();
	assert_letters(snapshot, pages, "iri.");
	assert_int_equal(snapshot->copied, 3);
	assert_int_equal(snapshot->attributed, 3);
	assert_int_equal(snapshot->reused, 1);
	assert_int_equal(snapshot->kinds[KIND_FILL], 3);
	snapshot_release(snapshot);
	untrack(pages, 4);
}

static void a_million_untouched_pages_cost_nothing(void **state)
{
	size_t n = (size_t)1 << 24;
	char *pages = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct snapshot *snapshot;

	(void)state;
	track(pages, n);
	pages[n / 2 * PAGE] = 1;
	snapshot = snapshot_take();
	assert_int_equal(snapshot->copied, mapping_of(snapshot, pages)->copied);
	assert_true(snapshot->runs.count < 10);
	snapshot_release(snapshot);
	untrack(pages, n);
}

static void all_memory_is_given_back(void **state)
{
	size_t before = memory_used();
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		snapshot_release(snapshot_take());
	assert_int_equal(memory_used(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_has_its_state),
		cmocka_unit_test(every_combination_of_facts_is_consistent),
		cmocka_unit_test(copied_is_attributed_and_unattributed),
		cmocka_unit_test(what_was_given_back_is_not_copied_any_more),
		cmocka_unit_test(lines_and_regions_need_not_agree),
		cmocka_unit_test(a_child_counts_what_it_copied_itself),
		cmocka_unit_test(a_million_untouched_pages_cost_nothing),
		cmocka_unit_test(all_memory_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
