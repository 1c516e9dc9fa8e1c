/*
 * Results, errno and data of system calls that write memory, for buffers at every kind of place.
 * Prints a transcript: plain and watched must be equal.
 */
#include "check.h"

#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>

#define LENGTH 600 /* bytes that most calls are asked for */

static int data_file, empty_pipe[2], folder, epoll_fd, ready_pipe[2];

/* ---- the calls: each makes its own preparations, so that it can be repeated ---- */

static void fill_pipe(int ends[2])
{
	char data[LENGTH];
	CHECK_EQUAL(pipe(ends), 0);
	for (int i = 0; i < LENGTH; i++)
		data[i] = (char)('a' + i % 26);
	CHECK_EQUAL(write(ends[1], data, sizeof(data)), LENGTH);
}

static long keep_errno(long result, int a, int b)
{
	int saved = errno;
	close(a);
	close(b);
	errno = saved;
	return result;
}

static long call_read(char *at, size_t size)
{
	int ends[2];
	fill_pipe(ends);
	return keep_errno(read(ends[0], at, size), ends[0], ends[1]);
}

static long call_read_file(char *at, size_t size)
{
	CHECK_EQUAL(lseek(data_file, 10, SEEK_SET), 10);
	return read(data_file, at, size);
}

static long call_read_nothing(char *at, size_t size)
{
	return read(empty_pipe[0], at, size);
}

static long call_read_badf(char *at, size_t size)
{
	return read(-1, at, size);
}

static long call_pread(char *at, size_t size)
{
	return pread(data_file, at, size, CHECK_PAGE - 100);
}

static long call_readv(char *at, size_t size)
{
	struct iovec parts[3] = {{at, size / 3}, {NULL, 0}, {at + size / 3, size - size / 3}};
	return preadv(data_file, parts, 3, CHECK_PAGE - 100);
}

static long call_readv_many(char *at, size_t size)
{
	struct iovec parts[1000];
	for (int i = 0; i < 1000; i++)
		parts[i] = (struct iovec){at + (size_t)(i * 7919) % (size + 1) / 2, size ? 1 : 0};
	return preadv(data_file, parts, 1000, 5);
}

static void datagrams(int ends[2])
{
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	CHECK_EQUAL(send(ends[1], "first datagram", 14, 0), 14);
	CHECK_EQUAL(send(ends[1], "second one", 10, 0), 10);
}

static long call_recv(char *at, size_t size)
{
	int ends[2];
	datagrams(ends);
	return keep_errno(recv(ends[0], at, size, 0), ends[0], ends[1]);
}

static long call_recv_trunc(char *at, size_t size)
{
	int ends[2];
	datagrams(ends);
	return keep_errno(recv(ends[0], at, size / 100, MSG_TRUNC), ends[0], ends[1]);
}

/* What follows a datagram received twice, first by peeking. */
static long call_recv_peek(char *at, size_t size)
{
	int ends[2];
	datagrams(ends);
	long first = recv(ends[0], at, size, MSG_PEEK);
	if (first >= 0)
		first = first * 100 + recv(ends[0], at, size, 0);
	return keep_errno(first, ends[0], ends[1]);
}

static long call_recvfrom(char *at, size_t size)
{
	int ends[2];
	struct sockaddr_un *address = (struct sockaddr_un *)(at + LENGTH - 120);
	socklen_t length = 110;
	datagrams(ends);
	return keep_errno(recvfrom(ends[0], at, size / 2, 0, (void *)address, &length) * 1000 +
				  length,
			  ends[0], ends[1]);
}

static long call_recvmsg(char *at, size_t size)
{
	int ends[2];
	struct iovec parts[2] = {{at, size / 2}, {at + size / 2, size - size / 2}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	datagrams(ends);
	return keep_errno(recvmsg(ends[0], &message, 0), ends[0], ends[1]);
}

static long call_recvmmsg(char *at, size_t size)
{
	int ends[2];
	struct iovec parts[2] = {{at, size / 2}, {at + size / 2, size - size / 2}};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
				      {.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}}};
	datagrams(ends);
	long result = recvmmsg(ends[0], messages, 2, MSG_DONTWAIT, NULL);
	return keep_errno(result < 0 ? result
				     : result * 10000 + messages[0].msg_len * 100 +
					       messages[1].msg_len,
			  ends[0], ends[1]);
}

static long call_eventfd(char *at, size_t size)
{
	int fd = eventfd(7, 0);
	return keep_errno(read(fd, at, size), fd, -1);
}

static long call_signalfd(char *at, size_t size)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	CHECK_EQUAL(raise(SIGUSR2), 0);
	long result = read(fd, at, size);
	int saved = errno;
	signal(SIGUSR2, SIG_IGN); /* takes away one that is left */
	signal(SIGUSR2, SIG_DFL);
	if (result > 0)
		memset(at + 4, 0, (size_t)result - 4); /* process ids */
	errno = saved;
	return keep_errno(result, fd, -1);
}

static long call_inotify(char *at, size_t size)
{
	int fd = inotify_init1(IN_NONBLOCK);
	CHECK_EQUAL(inotify_add_watch(fd, "/proc/self/comm", IN_OPEN), 1);
	close(open("/proc/self/comm", O_RDONLY));
	return keep_errno(read(fd, at, size), fd, -1);
}

static long call_timerfd(char *at, size_t size)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK_EQUAL(timerfd_settime(fd, 0, &soon, NULL), 0);
	return keep_errno(read(fd, at, size), fd, -1);
}

static long call_stat(char *at, size_t size)
{
	(void)size;
	long result = fstat(data_file, (struct stat *)at);
	return result ? result : ((struct stat *)at)->st_size;
}

static long call_stat_name(char *at, size_t size)
{
	(void)size;
	long result = stat("/proc/self/fd", (struct stat *)at);
	return result ? result : (long)(((struct stat *)at)->st_mode & S_IFMT);
}

static long call_fstatat(char *at, size_t size)
{
	(void)size;
	return fstatat(folder, "no such name", (struct stat *)at, 0);
}

static long call_statx(char *at, size_t size)
{
	(void)size;
	long result = statx(data_file, "", AT_EMPTY_PATH, STATX_SIZE, (struct statx *)at);
	return result ? result : (long)((struct statx *)at)->stx_size;
}

static long call_readlink(char *at, size_t size)
{
	return readlink("/proc/self/ns/../cwd", at, size) > 0 ? 1 : -errno;
}

static long call_getcwd(char *at, size_t size)
{
	if (!size)
		size = 1; /* with 0 and a buffer libc allocates */
	return getcwd(at, size) ? 1 : -1;
}

static long call_getdents(char *at, size_t size)
{
	CHECK_EQUAL(lseek(folder, 0, SEEK_SET), 0);
	long result = syscall(SYS_getdents64, folder, at, size);
	return result > 0 ? 1 : result;
}

static long call_uname(char *at, size_t size)
{
	(void)size;
	return uname((struct utsname *)at);
}

static long call_getrandom(char *at, size_t size)
{
	return getrandom(at, size, 0);
}

static long call_sysinfo(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_sysinfo, at);
}

static long call_getrusage(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_getrusage, RUSAGE_SELF, at);
}

static long call_getrlimit(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, at);
}

static long call_times(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_times, at) >= 0 ? 1 : -1;
}

static long call_clock(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_clock_gettime, CLOCK_REALTIME, at);
}

static long call_pipe(char *at, size_t size)
{
	(void)size;
	int *ends = (int *)at;
	long result = pipe(ends);
	return result ? result : keep_errno(0, ends[0], ends[1]);
}

static long call_socketpair(char *at, size_t size)
{
	(void)size;
	int *ends = (int *)at;
	long result = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	return result ? result : keep_errno(0, ends[0], ends[1]);
}

static long call_getsockname(char *at, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = (socklen_t)size;
	long result = getsockname(fd, (struct sockaddr *)at, &length);
	return keep_errno(result ? result : (long)length, fd, -1);
}

/* The length lies in the buffer as well. */
static long call_getsockopt(char *at, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	(void)size;
	socklen_t *length = (socklen_t *)(at + 8);
	long result = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, at, length);
	return keep_errno(result, fd, -1);
}

static long call_epoll_wait(char *at, size_t size)
{
	return epoll_wait(epoll_fd, (struct epoll_event *)at, (int)(size / 12), 0);
}

static long call_poll(char *at, size_t size)
{
	(void)size;
	return poll((struct pollfd *)at, 8, 0);
}

static long call_select(char *at, size_t size)
{
	(void)size;
	struct timeval none = {0};
	return select(64, (fd_set *)at, (fd_set *)(at + 128), NULL, &none);
}

static long call_wait(char *at, size_t size)
{
	(void)size;
	pid_t child = fork();
	if (!child)
		_exit(9);
	long result = waitpid(child, (int *)at, 0);
	if (result < 0 && errno == EFAULT)
		return -1; /* the child is gone all the same */
	return result == child ? 1 : result;
}

static long call_sigprocmask(char *at, size_t size)
{
	(void)size;
	return sigprocmask(SIG_BLOCK, NULL, (sigset_t *)at);
}

static long call_sigaction(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_rt_sigaction, SIGUSR2, NULL, at, 8);
}

static long call_sigpending(char *at, size_t size)
{
	(void)size;
	return syscall(SYS_rt_sigpending, at, 8);
}

static long call_getitimer(char *at, size_t size)
{
	(void)size;
	return getitimer(ITIMER_REAL, (struct itimerval *)at);
}

static long call_getgroups(char *at, size_t size)
{
	return syscall(SYS_getgroups, (int)(size / 4), at) >= 0 ? 1 : -1;
}

static long call_affinity(char *at, size_t size)
{
	return syscall(SYS_sched_getaffinity, 0, size & ~7ul, at) > 0 ? 1 : -1;
}

static long call_flistxattr(char *at, size_t size)
{
	return flistxattr(data_file, at, size);
}

static long call_fionread(char *at, size_t size)
{
	(void)size;
	return ioctl(ready_pipe[0], FIONREAD, at);
}

static long call_lock(char *at, size_t size)
{
	(void)size;
	return fcntl(data_file, F_GETLK, at);
}

static long call_sendfile(char *at, size_t size)
{
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	return keep_errno(sendfile(ends[1], data_file, (off_t *)at, size), ends[0], ends[1]);
}

static long call_unknown(char *at, size_t size)
{
	return syscall(1000, at, size);
}

struct test {
	const char *name;
	long (*call)(char *at, size_t size);
	bool data; /* the same data each time: print it */
};

static const struct test tests[] = {
	{"read", call_read, true},
	{"read file", call_read_file, true},
	{"read nothing", call_read_nothing, true},
	{"read bad", call_read_badf, true},
	{"pread", call_pread, true},
	{"readv", call_readv, true},
	{"readv many", call_readv_many, true},
	{"recv", call_recv, true},
	{"recv trunc", call_recv_trunc, true},
	{"recv peek", call_recv_peek, true},
	{"recvfrom", call_recvfrom, true},
	{"recvmsg", call_recvmsg, true},
	{"recvmmsg", call_recvmmsg, true},
	{"eventfd", call_eventfd, true},
	{"signalfd", call_signalfd, true},
	{"inotify", call_inotify, true},
	{"timerfd", call_timerfd, true},
	{"fstat", call_stat, false},
	{"stat", call_stat_name, false},
	{"fstatat", call_fstatat, true},
	{"statx", call_statx, false},
	{"readlink", call_readlink, false},
	{"getcwd", call_getcwd, false},
	{"getdents", call_getdents, false},
	{"uname", call_uname, true},
	{"getrandom", call_getrandom, false},
	{"sysinfo", call_sysinfo, false},
	{"getrusage", call_getrusage, false},
	{"getrlimit", call_getrlimit, false},
	{"times", call_times, false},
	{"clock_gettime", call_clock, false},
	{"pipe", call_pipe, false},
	{"socketpair", call_socketpair, false},
	{"getsockname", call_getsockname, true},
	{"getsockopt", call_getsockopt, true},
	{"epoll_wait", call_epoll_wait, true},
	{"poll", call_poll, true},
	{"select", call_select, true},
	{"waitpid", call_wait, true},
	{"sigprocmask", call_sigprocmask, true},
	{"sigaction", call_sigaction, false},
	{"sigpending", call_sigpending, true},
	{"getitimer", call_getitimer, true},
	{"getgroups", call_getgroups, false},
	{"sched_getaffinity", call_affinity, false},
	{"flistxattr", call_flistxattr, true},
	{"ioctl FIONREAD", call_fionread, true},
	{"fcntl F_GETLK", call_lock, true},
	{"sendfile", call_sendfile, true},
	{"no such call", call_unknown, true},
};

/* ---- the places ---- */

/* Three pages; a buffer begins 300 bytes before the second, so that it lies on both. */
#define BEFORE 300

static char *fresh(void)
{
	return map_anonymous(3) + CHECK_PAGE - BEFORE;
}

static char *page_of(char *at)
{
	return at + BEFORE - CHECK_PAGE;
}

static char *place_closed(void)
{
	return fresh();
}

static char *place_first_open(void)
{
	char *at = fresh();
	*(volatile char *)page_of(at) = 0;
	return at;
}

static char *place_second_open(void)
{
	char *at = fresh();
	*(volatile char *)(at + BEFORE) = 0;
	return at;
}

static char *place_read_before(void)
{
	char *at = fresh();
	read_byte(at);
	read_byte(at + BEFORE);
	return at;
}

static char *place_in_file(void)
{
	static int fd = -1;
	if (fd < 0)
		fd = file_of_pages(3);
	return map_file(fd, 3) + CHECK_PAGE - BEFORE;
}

static char *place_second_read_only(void)
{
	char *at = fresh();
	CHECK_EQUAL(mprotect(page_of(at) + CHECK_PAGE, CHECK_PAGE, PROT_READ), 0);
	return at;
}

static char *place_second_missing(void)
{
	char *at = fresh();
	CHECK_EQUAL(munmap(page_of(at) + CHECK_PAGE, CHECK_PAGE), 0);
	return at;
}

static char *place_read_only(void)
{
	char *at = fresh();
	CHECK_EQUAL(mprotect(page_of(at), 3 * CHECK_PAGE, PROT_READ), 0);
	return at;
}

static char *place_end_of_file(void)
{
	static int fd = -1;
	if (fd < 0)
		fd = file_of_pages(1);
	return map_file(fd, 3) + CHECK_PAGE - BEFORE;
}

struct place {
	const char *name;
	char *(*make)(void);
	size_t readable; /* of LENGTH bytes, how many may be looked at afterwards */
};

static const struct place places[] = {
	{"closed", place_closed, LENGTH},
	{"first open", place_first_open, LENGTH},
	{"second open", place_second_open, LENGTH},
	{"read before", place_read_before, LENGTH},
	{"file", place_in_file, LENGTH},
	{"second read-only", place_second_read_only, LENGTH},
	{"second missing", place_second_missing, BEFORE},
	{"read-only", place_read_only, LENGTH},
	{"beyond the file", place_end_of_file, BEFORE},
};

static unsigned hash(const char *at, size_t size)
{
	unsigned value = 1;
	while (size--)
		value = value * 31 + (unsigned char)*at++;
	return value;
}

static void run(const struct test *test, const char *place, char *at, size_t size, size_t readable)
{
	errno = 0;
	long result = test->call(at, size);
	int error = errno;
	printf("%-18s %-17s %3zu: %ld", test->name, place, size, result);
	if (error)
		printf(" %s", strerror(error));
	if (test->data && readable)
		printf(" data %08x", hash(at, readable));
	putchar('\n');
}

/* Calls that look into their buffer themselves cannot have one that is not there. */
static bool looks_inside(const struct test *test)
{
	return test->call == call_pipe || test->call == call_socketpair ||
	       test->call == call_stat || test->call == call_stat_name ||
	       test->call == call_statx || test->call == call_signalfd;
}

static void run_places(const struct test *test)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];
		if (place->readable < LENGTH && looks_inside(test))
			continue;
		char *at = place->make();
		run(test, place->name, at, LENGTH, place->readable);
		munmap(page_of(at), 3 * CHECK_PAGE);
	}
	char *at = fresh();
	run(test, "closed", at, 0, LENGTH);
	run(test, "nowhere", (char *)16, LENGTH, 0);
	run(test, "kernel", (char *)-(3 * CHECK_PAGE), LENGTH, 0);
	munmap(page_of(at), 3 * CHECK_PAGE);
}

static void prepare(void)
{
	data_file = file_of_pages(4);
	CHECK_EQUAL(pipe2(empty_pipe, O_NONBLOCK), 0);
	fill_pipe(ready_pipe);
	folder = open("/proc/self/ns", O_RDONLY | O_DIRECTORY);
	CHECK(folder >= 0);
	epoll_fd = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1234567812345678};
	CHECK_EQUAL(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ready_pipe[0], &event), 0);
	CHECK_EQUAL(chdir("/tmp"), 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16); /* the child of a fork must not print it again */
	prepare();
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		run_places(&tests[i]);
	return 0;
}
