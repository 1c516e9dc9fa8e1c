/*
 * One system call writes into memory that is handed over to userfaultfd and into memory beside it
 * that is not, just as VMAs run out: how far they have, differs from round to round.
 */
/* environment: COWSPY_VMA_SHARE=1 */
#include "check.h"

#include <sys/uio.h>

#define BLOCK (2u << 20)
#define BLOCK_PAGES (BLOCK / CHECK_PAGE)
#define MARGIN 16 /* pages on each side of the edge that only the call writes */
#define RUNS_MOST 110

static char *aligned_blocks(char **mapping)
{
	*mapping = map_anonymous(3 * BLOCK_PAGES);
	return (char *)(((uintptr_t)*mapping + BLOCK - 1) & -(uintptr_t)BLOCK);
}

static void write_apart(char *pages, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		((volatile char *)pages)[i * 2 * CHECK_PAGE] = 'w';
}

static void read_over_edge(int fd, unsigned runs)
{
	char *mapping, *below = aligned_blocks(&mapping), *above = below + BLOCK;
	char *start = above - MARGIN * CHECK_PAGE;
	struct iovec to = {start, (size_t)2 * MARGIN * CHECK_PAGE};
	write_apart(above + (MARGIN + 1) * CHECK_PAGE, 30);
	write_apart(below, 45);
	write_apart(above + (MARGIN + 1) * CHECK_PAGE, 50);
	write_apart(below, runs);
	CHECK_EQUAL(preadv(fd, &to, 1, 0), to.iov_len);
	for (unsigned i = 0; i < 2 * MARGIN; i++)
		CHECK_EQUAL(start[i * CHECK_PAGE], 'a' + i % 26);
	CHECK_EQUAL(munmap(mapping, 3 * BLOCK), 0);
}

int main(void)
{
	int fd = file_of_pages(2 * MARGIN);
	for (unsigned runs = 45; runs < RUNS_MOST; runs++)
		read_over_edge(fd, runs);
	puts("read as ever");
	return 0;
}
