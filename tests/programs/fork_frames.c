/*
 * Forks among 3 and then 8 threads that write without pause; both sides write. Judged by frame
 * numbers: a page whose frame is another than at the fork was copied, and has a first write of this
 * epoch, of the kind `fork`, in the parent and in the child. Not one may be missing.
 *
 * The child reads the frames before it writes anything. They are those at the fork for both sides:
 * nobody else lives there who could have changed them. A thousand forks each among the slow tests.
 */
/* timeout: 1200 */
/* slow */
#include "check_api.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#define ZONE_PAGES 32
#define ZONES 3
#define PAGES (ZONES * ZONE_PAGES)
#define WRITERS_MOST 8
#define FRAME (((uint64_t)1 << 55) - 1)

struct counts {
	long copied;   /* pages with a new frame */
	long missing;  /* of them those without a first write in this epoch */
	long as_reuse; /* of them those recorded as written in place */
	long tied;     /* the other way round: recorded as copied, with the old frame */
};

static char in_bss[(ZONE_PAGES + 1) * CHECK_PAGE];
static char *zones[ZONES];
static uint64_t *frames; /* at the latest fork; shared with the child */
static struct counts *in_child;
static struct counts in_parent;
static _Atomic bool stop;
static int pagemap_fd;

static char *page_at(size_t n)
{
	return zones[n / ZONE_PAGES] + n % ZONE_PAGES * CHECK_PAGE;
}

static void read_frames(int fd, uint64_t *to)
{
	for (int z = 0; z < ZONES; z++)
		CHECK_EQUAL(pread(fd, to + (ptrdiff_t)z * ZONE_PAGES, ZONE_PAGES * sizeof(*to),
				  (off_t)((uintptr_t)zones[z] / CHECK_PAGE * sizeof(*to))),
			    ZONE_PAGES * sizeof(*to));
	for (size_t i = 0; i < PAGES; i++)
		to[i] &= FRAME;
}

static void write_page(size_t n, unsigned value)
{
	*(volatile unsigned *)(page_at(n) + 128) = value;
}

static void *write_often(void *argument)
{
	unsigned random = (unsigned)(uintptr_t)argument * 2654435761u + 1;
	while (!stop) {
		random = random * 1664525u + 1013904223u;
		write_page((random >> 8) % PAGES, random);
	}
	return NULL;
}

static void say(const char *what, size_t n, uint64_t now, const struct cowspy_page *page)
{
	fprintf(stderr,
		"%d: %s: page %zu at %p, frame %llx, then %llx; recorded %d, kind %d, epoch %u\n",
		getpid(), what, n, (void *)page_at(n), (unsigned long long)frames[n],
		(unsigned long long)now, page->is_recorded, page->kind, page->epoch);
}

/* A page with a new frame. */
static void judge_copied(size_t n, uint64_t now, unsigned epoch, struct counts *counts)
{
	struct cowspy_page page;
	counts->copied++;
	if (!check_watched())
		return;
	CHECK_EQUAL(cowspy_query(page_at(n), &page), 0);
	if (!page.is_recorded || page.epoch != epoch) {
		counts->missing++;
		say("missing", n, now, &page);
	}
	counts->as_reuse += page.kind == COWSPY_KIND_REUSE;
}

/* Frames first, first writes afterwards: whatever has a new frame was recorded before. */
static void judge(int fd, unsigned epoch, struct counts *counts)
{
	uint64_t now[PAGES];
	read_frames(fd, now);
	for (size_t i = 0; i < PAGES; i++)
		if (now[i] != frames[i])
			judge_copied(i, now[i], epoch, counts);
}

/* In the child, where nothing else is going on: pages said to be copied that kept their frame. */
static long count_ties(int fd)
{
	unsigned char bits[ZONE_PAGES];
	uint64_t now[PAGES];
	long ties = 0;
	read_frames(fd, now);
	for (int z = 0; z < ZONES && check_watched(); z++) {
		CHECK_EQUAL(cowspy_copied(zones[z], sizeof(bits) * CHECK_PAGE, bits), 0);
		for (size_t i = 0; i < sizeof(bits); i++)
			ties += (bits[i] & (COWSPY_COPIED | COWSPY_REUSED)) == COWSPY_COPIED &&
				now[z * sizeof(bits) + i] == frames[z * sizeof(bits) + i];
	}
	return ties;
}

static int child(unsigned epoch)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	read_frames(fd, frames);
	for (size_t i = epoch % 2; i < PAGES; i += 2)
		write_page(i, epoch);
	judge(fd, epoch, in_child);
	in_child->tied += count_ties(fd);
	return 0;
}

static void fork_among(int writers, int forks, unsigned *epoch)
{
	pthread_t threads[WRITERS_MOST];
	stop = false;
	for (intptr_t i = 0; i < writers; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, write_often, (void *)i), 0);
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		++*epoch;
		if (!pid)
			_exit(child(*epoch));
		CHECK_EQUAL(wait_for(pid), 0);
		judge(pagemap_fd, *epoch, &in_parent);
	}
	stop = true;
	for (int i = 0; i < writers; i++)
		pthread_join(threads[i], NULL);
}

static void *map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	return memory;
}

static char *page_aligned(char *memory)
{
	return (char *)(((uintptr_t)memory + CHECK_PAGE - 1) & ~(uintptr_t)(CHECK_PAGE - 1));
}

int main(void)
{
	const char *slow = getenv("TEST_SLOW");
	int forks = slow && *slow ? 1000 : 25;
	unsigned epoch = 0;
	zones[0] = map_anonymous(ZONE_PAGES);
	zones[1] = page_aligned(in_bss);
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	zones[2] = page_aligned(malloc(sizeof(in_bss)));
	frames = map_shared(PAGES * sizeof(*frames));
	in_child = map_shared(sizeof(*in_child));
	pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	CHECK(pagemap_fd >= 0);
	for (size_t i = 0; i < PAGES; i++)
		write_page(i, 1);
	read_frames(pagemap_fd, frames);
	if (!frames[0]) {
		puts("no frame numbers: nothing can be judged");
		return 0;
	}
	fork_among(3, forks, &epoch);
	fork_among(8, forks, &epoch);
	fprintf(stderr,
		"parent: %ld copied, %ld of them recorded as written in place; child: %ld copied, "
		"%ld so, and %ld the other way round\n",
		in_parent.copied, in_parent.as_reuse, in_child->copied, in_child->as_reuse,
		in_child->tied);
	CHECK(in_parent.copied > forks && in_child->copied > forks);
	printf("copied pages without a first write: parent %ld, child %ld\n", in_parent.missing,
	       in_child->missing);
	return 0;
}
