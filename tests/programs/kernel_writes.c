/*
 * System calls that write into pages never touched before: full counts and right data, never
 * EFAULT, never a short count. Every buffer spans a page border.
 */
#include "check.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#define HALF (CHECK_PAGE / 2)

/* Room of two fresh pages, and an address in their middle. */
static char *fresh(void)
{
	return map_anonymous(2) + CHECK_PAGE;
}

static void expect_bytes(const char *at, size_t n, char value)
{
	for (size_t i = 0; i < n; i++)
		CHECK_EQUAL(at[i], value);
}

static void test_files(void)
{
	int fd = file_of_pages(4);
	char *buffer = fresh() - HALF;
	CHECK_EQUAL(pread(fd, buffer, CHECK_PAGE, 0), CHECK_PAGE);
	expect_bytes(buffer, CHECK_PAGE, 'a');
	CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	buffer = fresh() - HALF;
	CHECK_EQUAL(read(fd, buffer, CHECK_PAGE), CHECK_PAGE);
	expect_bytes(buffer, CHECK_PAGE, 'a');
	struct iovec parts[2] = {{fresh() - 8, 16}, {fresh() - HALF, CHECK_PAGE}};
	CHECK_EQUAL(readv(fd, parts, 2), 16 + CHECK_PAGE);
	expect_bytes(parts[0].iov_base, 16, 'b');
	buffer = map_file(fd, 4) + CHECK_PAGE - HALF;
	CHECK_EQUAL(pread(fd, buffer, CHECK_PAGE, 3 * CHECK_PAGE), CHECK_PAGE);
	expect_bytes(buffer, CHECK_PAGE, 'd');

	struct stat *status = (struct stat *)(fresh() - 8);
	CHECK_EQUAL(fstat(fd, status), 0);
	CHECK_EQUAL(status->st_size, 4 * CHECK_PAGE);
	buffer = fresh() - 2;
	CHECK(getcwd(buffer, HALF) == buffer && *buffer == '/');
	buffer = fresh() - 2;
	CHECK_EQUAL(readlink("/proc/self/exe", buffer, HALF) > 0, 1);
	CHECK_EQUAL(*buffer, '/');
}

/* Made inside of libc, seen by no wrapper of exported functions. */
static void test_inside_libc(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	CHECK(file);
	char *buffer = fresh() - HALF;
	CHECK_EQUAL(setvbuf(file, buffer, _IOFBF, CHECK_PAGE), 0);
	char *line = fresh() - 8;
	CHECK(fgets(line, HALF, file) == line && strchr(line, '-'));
	fclose(file);
	file = tmpfile();
	CHECK(file && fprintf(file, "%0*d", 3 * CHECK_PAGE, 7) == 3 * CHECK_PAGE);
	rewind(file);
	buffer = map_anonymous(3);
	CHECK_EQUAL(fread(buffer, 1, 3 * CHECK_PAGE, file), 3 * CHECK_PAGE);
	CHECK_EQUAL(buffer[3 * CHECK_PAGE - 1], '7');
	expect_bytes(buffer, 3 * CHECK_PAGE - 1, '0');
	DIR *folder = opendir("/proc/self/fd");
	CHECK(folder && readdir(folder));
	closedir(folder);
}

static void test_pipes_and_sockets(void)
{
	static char data[CHECK_PAGE];
	memset(data, 'p', sizeof(data));
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(write(ends[1], data, sizeof(data)), CHECK_PAGE);
	char *buffer = fresh() - HALF;
	CHECK_EQUAL(read(ends[0], buffer, CHECK_PAGE), CHECK_PAGE);
	expect_bytes(buffer, CHECK_PAGE, 'p');

	int *pair = (int *)(fresh() - 4);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	CHECK_EQUAL(send(pair[0], data, 3000, 0), 3000);
	buffer = fresh() - 1500;
	CHECK_EQUAL(recv(pair[1], buffer, 3000, 0), 3000);
	expect_bytes(buffer, 3000, 'p');
	CHECK_EQUAL(send(pair[0], data, 3000, 0), 3000);
	struct iovec part = {fresh() - 1500, 3000};
	struct msghdr *message = (struct msghdr *)(fresh() - 8);
	message->msg_iov = &part;
	message->msg_iovlen = 1;
	CHECK_EQUAL(recvmsg(pair[1], message, 0), 3000);
	expect_bytes(part.iov_base, 3000, 'p');

	uint64_t *count = (uint64_t *)fresh();
	int event = eventfd(5, 0);
	CHECK_EQUAL(read(event, count, 8), 8);
	CHECK_EQUAL(*count, 5);
}

static void test_waiting(void)
{
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(write(ends[1], "x", 1), 1);
	struct pollfd *ready = (struct pollfd *)(fresh() - sizeof(struct pollfd));
	*(volatile int *)&ready->fd = ends[0];
	ready->events = POLLIN;
	CHECK_EQUAL(poll(ready, 1, 0), 1);
	CHECK_EQUAL(ready->revents, POLLIN);

	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1234567812345678};
	CHECK_EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), 0);
	struct epoll_event *events = (struct epoll_event *)(fresh() - 4);
	CHECK_EQUAL(epoll_wait(epoll, events, 4, 0), 1);
	CHECK_EQUAL(events->data.u64, 0x1234567812345678);

	struct timeval *now = (struct timeval *)(fresh() - 8);
	CHECK_EQUAL(gettimeofday(now, NULL), 0);
	CHECK(now->tv_sec > 0);
	struct timespec *time = (struct timespec *)(fresh() - 8);
	CHECK_EQUAL(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, time), 0);
	CHECK(time->tv_sec || time->tv_nsec);
	struct utsname *name = (struct utsname *)(fresh() - 200);
	CHECK_EQUAL(uname(name), 0);
	CHECK(!strcmp(name->sysname, "Linux"));
	char *random = fresh() - 100;
	CHECK_EQUAL(getrandom(random, 200, 0), 200);
	sigset_t *mask = (sigset_t *)(fresh() - 8), set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, mask), 0);
	mask = (sigset_t *)(fresh() - 8);
	CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, mask), 0);
	CHECK_EQUAL(sigismember(mask, SIGUSR2), 1);
	pid_t child = fork();
	if (!child)
		_exit(5);
	int *status = (int *)(fresh() - 4);
	CHECK_EQUAL(waitpid(child, status, 0), child);
	CHECK_EQUAL(WEXITSTATUS(*status), 5);
}

static int blocked_end;
static char *blocked_buffer;

static void *read_blocked(void *unused)
{
	(void)unused;
	CHECK_EQUAL(read(blocked_end, blocked_buffer, CHECK_PAGE), CHECK_PAGE);
	return NULL;
}

/* A thread waits in read() while another forks, which protects all pages anew. */
static void test_blocked_across_fork(void)
{
	static char data[CHECK_PAGE];
	int ends[2];
	pthread_t thread;
	CHECK_EQUAL(pipe(ends), 0);
	blocked_end = ends[0];
	blocked_buffer = fresh() - HALF;
	CHECK_EQUAL(pthread_create(&thread, NULL, read_blocked, NULL), 0);
	usleep(50000);
	pid_t child = fork();
	if (!child)
		_exit(0);
	CHECK_EQUAL(wait_for(child), 0);
	memset(data, 'k', sizeof(data));
	CHECK_EQUAL(write(ends[1], data, sizeof(data)), CHECK_PAGE);
	pthread_join(thread, NULL);
	expect_bytes(blocked_buffer, CHECK_PAGE, 'k');
}

/* Errors stay errors: a bad pointer is EFAULT, not a crash. */
static void test_bad_pointers(void)
{
	int fd = file_of_pages(1);
	char *volatile nowhere = (char *)16;
	CHECK(pread(fd, nowhere, 100, 0) == -1 && errno == EFAULT);
	char *closed = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pread(fd, closed, 100, 0) == -1 && errno == EFAULT);
	CHECK(fstat(fd, (struct stat *)closed) == -1 && errno == EFAULT);
	char *half = map_anonymous(2);
	CHECK_EQUAL(mprotect(half + CHECK_PAGE, CHECK_PAGE, PROT_READ), 0);
	CHECK_EQUAL(pread(fd, half + HALF, CHECK_PAGE, 0), HALF);
}

int main(void)
{
	test_files();
	test_inside_libc();
	test_pipes_and_sockets();
	test_waiting();
	test_blocked_across_fork();
	test_bad_pointers();
	puts("kernel writes: whole and right");
	return 0;
}
