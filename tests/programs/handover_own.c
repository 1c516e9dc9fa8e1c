/* A program that uses userfaultfd itself, on memory that cowspy has handed over to its own. */
/* environment: COWSPY_VMA_SHARE=0 */
#include "check.h"

#include <linux/userfaultfd.h>
#include <sys/syscall.h>

#define PAGES 4096u
#define WRITTEN 1000u

static void write_scattered(volatile char *pages, size_t first, size_t end, char value)
{
	for (size_t i = first; i < end; i++)
		pages[i * 2654435761u % PAGES * CHECK_PAGE] = value;
}

int main(void)
{
	char *pages = map_anonymous(PAGES);
	struct uffdio_api api = {.api = UFFD_API};
	write_scattered(pages, 0, WRITTEN, 'a');
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
	if (fd < 0) {
		printf("no userfaultfd: errno %d\n", errno);
		return 0;
	}
	CHECK_EQUAL(ioctl(fd, UFFDIO_API, &api), 0);
	struct uffdio_register range = {
		.range = {.start = (uintptr_t)pages, .len = (size_t)PAGES * CHECK_PAGE},
		.mode = UFFDIO_REGISTER_MODE_WP};
	CHECK_EQUAL(ioctl(fd, UFFDIO_REGISTER, &range), 0);
	write_scattered(pages, 0, WRITTEN + 100, 'b');
	CHECK_EQUAL(ioctl(fd, UFFDIO_UNREGISTER, &range.range), 0);
	close(fd);
	write_scattered(pages, WRITTEN, WRITTEN + 200, 'c');
	CHECK_EQUAL(pages[0], 'b');
	expect_stack("write_scattered", "fill", WRITTEN);
	puts("its own userfaultfd works");
	return 0;
}
