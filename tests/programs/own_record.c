/* What a program may say itself: labels, snapshots, pauses, names, what is tracked. */
/* environment: COWSPY_SCOPE=mmap */
#include "check_api.h"

#include <pthread.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define PAGE ((size_t)CHECK_PAGE)

static char untracked[16 * CHECK_PAGE] __attribute__((aligned(CHECK_PAGE)));

static void write_page(char *page)
{
	page[0] = 'x';
}

static void write_paused(char *page)
{
	page[0] = 'p';
}

static void expect_name(const char *pages, const char *name)
{
	struct cowspy_page page;
	if (check_watched()) {
		CHECK_EQUAL(cowspy_query(pages, &page), 0);
		if (strcmp(page.name, name))
			check_fail(__FILE__, __LINE__, "expected the name %s, got %s", name,
				   page.name);
	}
	check_note("named %lx %s", (unsigned long)(uintptr_t)pages, name);
}

static void labels(void)
{
	char text[301];
	memset(text, 'l', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	errno = 77;
	CHECK_EQUAL(cowspy_label("started"), 0);
	CHECK_EQUAL(cowspy_label(text), 0);
	CHECK_EQUAL(cowspy_label("\x1b[2J"), 0);
	CHECK_EQUAL(errno, 77);
	text[107] = 0;
	check_note("labels started, %s, \\x1b[2J, now", text);
	CHECK_EQUAL(cowspy_snapshot("now"), 0);
	check_note("snapshot");
	CHECK_EQUAL(cowspy_snapshot(NULL), 0);
	check_note("labels started, %s, \\x1b[2J, now", text);
	check_note("snapshot");
}

static void *on_a_small_stack(void *unused)
{
	(void)unused;
	CHECK_EQUAL(cowspy_snapshot(NULL), 0);
	return NULL;
}

static void small_stack(void)
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 16384), 0);
	CHECK_EQUAL(pthread_create(&thread, &attributes, on_a_small_stack, NULL), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	check_note("snapshot");
}

static void pauses(void)
{
	char *pages = map_anonymous(6);
	struct cowspy_page page;
	if (check_watched())
		CHECK(cowspy_resume() == -1 && errno == EINVAL);
	write_page(pages);
	CHECK_EQUAL(cowspy_pause(), 0);
	CHECK_EQUAL(cowspy_pause(), 0);
	write_paused(pages + PAGE);
	CHECK_EQUAL(cowspy_resume(), 0);
	write_paused(pages + 2 * PAGE);
	CHECK_EQUAL(pipe((int *)(pages + 3 * PAGE)), 0);
	CHECK_EQUAL(cowspy_resume(), 0);
	write_page(pages + PAGE);
	write_page(pages + 4 * PAGE);
	close(((int *)(pages + 3 * PAGE))[0]);
	close(((int *)(pages + 3 * PAGE))[1]);
	expect_everywhere(pages, "CCCCC.");
	if (check_watched()) {
		CHECK_EQUAL(cowspy_query(pages + PAGE, &page), 0);
		CHECK(!page.is_recorded && page.is_tracked);
	}
	expect_stack("write_page", "fill", 2);
	expect_stack("write_paused", "any", 0);
	check_note("paused 3");
	snapshot();
}

/* Pages of .bss, which scope `mmap` leaves out: two written before anybody looked. */
static void tracking(void)
{
	struct cowspy_page page;
	write_page(untracked);
	write_page(untracked + PAGE);
	if (check_watched()) {
		CHECK_EQUAL(cowspy_query(untracked, &page), 0);
		CHECK(!page.is_tracked && page.state == 'C');
		CHECK(cowspy_track(untracked + 1, PAGE, NULL) == -1 && errno == EINVAL);
		CHECK(cowspy_track(NULL, PAGE, NULL) == -1 && errno == ENOMEM);
		CHECK(cowspy_name(untracked, PAGE, "x") == -1 && errno == ENOENT);
	}
	CHECK_EQUAL(cowspy_track(untracked, 8 * PAGE, "the table"), 0);
	write_page(untracked);
	write_page(untracked + 2 * PAGE);
	CHECK_EQUAL(read_byte(untracked + 3 * PAGE), 0);
	write_page(untracked + 12 * PAGE);
	expect_everywhere(untracked, "CCCz....");
	expect_name(untracked, "the table");
	if (check_watched()) {
		CHECK_EQUAL(cowspy_query(untracked, &page), 0);
		CHECK(page.is_tracked && !page.is_recorded);
		CHECK_EQUAL(cowspy_query(untracked + 2 * PAGE, &page), 0);
		CHECK(page.is_recorded && page.kind == COWSPY_KIND_FILL);
		CHECK_EQUAL(cowspy_query(untracked + 12 * PAGE, &page), 0);
		CHECK(!page.is_tracked);
	}
	check_note("protected %lx yes", (unsigned long)(uintptr_t)untracked);
	expect_stack("write_page", "fill", 3);
	snapshot();

	CHECK_EQUAL(cowspy_untrack(untracked + 4 * PAGE, 4 * PAGE), 0);
	write_page(untracked + 4 * PAGE);
	write_page(untracked + 3 * PAGE);
	expect_everywhere(untracked, "CCCCC...");
	check_note("protected %lx yes", (unsigned long)(uintptr_t)untracked);
	check_note("protected %lx no", (unsigned long)(uintptr_t)untracked + 4 * PAGE);
	expect_stack("write_page", "fill", 3);
	expect_stack("write_page", "zero", 1);
	snapshot();

	CHECK_EQUAL(cowspy_track(untracked + 4 * PAGE, 2 * PAGE, NULL), 0);
	write_page(untracked + 4 * PAGE);
	write_page(untracked + 5 * PAGE);
	expect_everywhere(untracked, "CCCCCC..");
	check_note("protected %lx yes", (unsigned long)(uintptr_t)untracked + 4 * PAGE);
	check_note("protected %lx no", (unsigned long)(uintptr_t)untracked + 6 * PAGE);
	expect_stack("write_page", "fill", 4);
	expect_stack("write_page", "zero", 1);
	snapshot();
}

/* The kernel may be built without the names of prctl(2), and refuse them: we take them as said. */
static void names(void)
{
	char *pages = map_anonymous(8),
	     *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 8; i++)
		write_page(pages + i * CHECK_PAGE);
	errno = 77;
	CHECK_EQUAL(cowspy_name(pages, 2 * PAGE, "arena 1"), 0);
	CHECK_EQUAL(cowspy_name(pages + 2 * PAGE, 2 * PAGE, "arena 2"), 0);
	CHECK_EQUAL(errno, 77);
	CHECK_EQUAL(cowspy_name(pages + 3 * PAGE, PAGE, NULL), 0);
	if (check_watched())
		CHECK(cowspy_name(shared, PAGE, "shared") == -1 && errno == ENOENT);
	long result = prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, pages + 4 * PAGE, 2 * PAGE,
			    "by prctl");
	printf("PR_SET_VMA_ANON_NAME: %ld\n", result);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, pages + 6 * PAGE, PAGE, "not [allowed");
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, pages + 6 * PAGE, PAGE, (char *)8);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, pages + 7 * PAGE, PAGE, "taken away");
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, pages + 7 * PAGE, PAGE, NULL);
	expect_everywhere(pages, "CCCCCCCC");
	expect_name(pages + PAGE, "arena 1");
	expect_name(pages + 2 * PAGE, "arena 2");
	struct cowspy_page page;
	for (int i = 3; i < 8 && check_watched(); i += i == 3 ? 3 : 1) {
		CHECK_EQUAL(cowspy_query(pages + i * CHECK_PAGE, &page), 0);
		CHECK(!page.name[0]);
	}
	if (check_watched()) {
		CHECK_EQUAL(cowspy_query(pages + 5 * PAGE, &page), 0);
		CHECK(!strcmp(page.name, "by prctl"));
	}
	snapshot();
	/* Names follow the memory. */
	char *moved = mremap(pages, 2 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	expect_name(moved, "arena 1");
}

static volatile sig_atomic_t handled;

/* The questions and marks are allowed in handlers. */
static void handler(int signal)
{
	struct cowspy_page page;
	unsigned char bits;
	(void)signal;
	cowspy_label("in a handler");
	if (check_watched())
		handled = cowspy_copied(untracked, PAGE, &bits) == 0 &&
			  cowspy_query(untracked, &page) == 0 && cowspy_pause() == 0 &&
			  cowspy_resume() == 0;
	else
		handled = 1;
}

static void in_a_handler(void)
{
	CHECK(signal(SIGUSR2, handler) != SIG_ERR);
	raise(SIGUSR2);
	CHECK_EQUAL(handled, 1);
}

int main(void)
{
	CHECK_EQUAL(errno, 0);
	labels();
	small_stack();
	pauses();
	tracking();
	names();
	in_a_handler();
	puts("own record: kept");
	return 0;
}
