/* Ways to die. test_crash.sh compares status and core with a run without the library. */
/* run by: test_crash.sh */
#include "check.h"

static void write_byte(volatile char *address)
{
	*address = 'x';
}

static int recurse(volatile char *above)
{
	volatile char frame[4096];
	frame[0] = above ? above[0] : 1;
	return frame[0] ? recurse(frame) + frame[0] : 0;
}

int main(int argc, char **argv)
{
	CHECK_EQUAL(argc, 2);
	const char *how = argv[1];
	char *pages = map_anonymous(8);
	write_byte(pages);
	puts(how);
	fflush(stdout);
	if (!strcmp(how, "null")) {
		write_byte(NULL);
	} else if (!strcmp(how, "far")) {
		write_byte((char *)0x123456789000);
	} else if (!strcmp(how, "read-only")) {
		CHECK_EQUAL(mprotect(pages + 2 * CHECK_PAGE, CHECK_PAGE, PROT_READ), 0);
		write_byte(pages + 2 * CHECK_PAGE + 17);
	} else if (!strcmp(how, "no-access")) {
		CHECK_EQUAL(mprotect(pages + 2 * CHECK_PAGE, CHECK_PAGE, PROT_NONE), 0);
		read_byte(pages + 2 * CHECK_PAGE + 17);
	} else if (!strcmp(how, "unmapped")) {
		CHECK_EQUAL(munmap(pages + 2 * CHECK_PAGE, CHECK_PAGE), 0);
		write_byte(pages + 2 * CHECK_PAGE + 17);
	} else if (!strcmp(how, "execute")) {
		((void (*)(void))(uintptr_t)(pages + CHECK_PAGE))();
	} else if (!strcmp(how, "non-canonical")) {
		write_byte((char *)0x8000000000000000);
	} else if (!strcmp(how, "stack")) {
		return recurse(NULL);
	} else if (!strcmp(how, "bus")) {
		int fd = file_of_pages(1);
		write_byte(map_file(fd, 4) + 3 * CHECK_PAGE);
	} else if (!strcmp(how, "blocked")) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		write_byte(NULL);
	} else if (!strcmp(how, "ignored")) {
		signal(SIGSEGV, SIG_IGN);
		write_byte(NULL);
	} else if (!strcmp(how, "raise")) {
		raise(SIGSEGV);
	} else if (!strcmp(how, "abort")) {
		abort();
	} else if (!strcmp(how, "kill")) {
		kill(getpid(), SIGKILL);
	} else if (!strcmp(how, "terminate")) {
		kill(getpid(), SIGTERM);
	} else if (!strcmp(how, "child")) {
		pid_t child = fork();
		if (!child)
			write_byte(NULL);
		return wait_for(child);
	}
	return 1;
}
