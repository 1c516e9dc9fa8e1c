/*
 * System calls that write memory, with the objects that they work on: for test_syscall_outputs.c
 * and programs/kernel_table.c, which define assert_true, assert_int_equal and PROBE_CALL (a system
 * call by its number that returns -errno). A prepare function supplies what its call consumes or
 * waits for, so that each call can be repeated.
 */
#include <arpa/inet.h>
#include <asm/prctl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/fiemap.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SLICE_PAGE 4096UL
#define SLICE 16384UL
#define SLICES 12UL
#define AREA (SLICE * SLICES)

static char *area, before[AREA];
static unsigned slices;
/* What the calls work on. */
static int file, directory, zero, pipe_in, pipe_out, pair[2], udp, listener, tcp_client, epoll,
	timerfd, pty_slave, pty_master, queue, message_queue, semaphores, shared_memory, map, tun,
	inet, ring, pagemap;
static pid_t child;
static aio_context_t aio;
static int posix_timer;
static char path[] = "/tmp/cowspy-outputs-XXXXXX";

enum argument_kind { VALUE = 0, DESCRIPTOR, OUTPUT, INPUT };

struct argument {
	enum argument_kind kind;
	long value;
	const void *data; /* of INPUT: copied into a slice; of DESCRIPTOR: the int */
};

/* clang-format off */
#define V(n) {.kind = VALUE, .value = (long)(n)}
#define FD(variable) {.kind = DESCRIPTOR, .data = &(variable)}
#define OUT {.kind = OUTPUT}
#define IN(type, ...) {.kind = INPUT, .value = sizeof(type), .data = &(const type){__VA_ARGS__}}
/* clang-format on */
#define LENGTH(n) IN(int, n)

struct probe {
	const char *what;
	long nr;
	struct argument args[6];
	void (*prepare)(long *args); /* before each call; may change arguments and what they hold */
	long error;                  /* the call is meant to fail so */
	bool quiet;                  /* it may succeed without a change */
};

/* Fresh pages in the area; buffers lie across a page boundary. */
static char *slice(void)
{
	assert_true(slices < SLICES);
	return area + slices++ * SLICE + SLICE_PAGE - 64;
}

static long slice_of(const void *data, size_t size)
{
	char *to = slice();
	memcpy(to, data, size);
	return (long)to;
}

static long probe_call(const struct probe *probe, const long *a)
{
	long result = PROBE_CALL(probe->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result == 0 && (probe->nr == SYS_clone || probe->nr == SYS_clone3))
		PROBE_CALL(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (result > 0 && (probe->nr == SYS_clone || probe->nr == SYS_clone3))
		waitpid((pid_t)result, NULL, 0);
	return result;
}

static bool probe_refused(long result)
{
	static const int errors[] = {ENOSYS, EPERM,  EACCES, EOPNOTSUPP, ENODEV, ENXIO,
				     EBADF,  EBADFD, ENOENT, ENODATA,    ENOTTY};
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (result == -errors[i])
			return true;
	}
	return false;
}

/* The arguments of a call, its buffers in fresh slices. */
static void probe_resolve(const struct probe *probe, long *args)
{
	slices = 0;
	for (int i = 0; i < 6; i++) {
		const struct argument *from = &probe->args[i];
		switch (from->kind) {
		case VALUE: args[i] = from->value; break;
		case DESCRIPTOR: args[i] = *(const int *)from->data; break;
		case OUTPUT: args[i] = (long)slice(); break;
		case INPUT: args[i] = slice_of(from->data, (size_t)from->value); break;
		}
	}
	if (probe->prepare)
		probe->prepare(args);
}

static void alarmed(int signal)
{
	(void)signal;
}

static void alarm_soon(long *args)
{
	(void)args;
	struct itimerval soon = {.it_value.tv_usec = 10000};
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void fill_pipe(long *args)
{
	static char data[4096];
	(void)args;
	while (read(pipe_in, data, sizeof(data)) > 0)
		;
	memset(data, 'x', 300);
	assert_int_equal(write(pipe_out, data, 300), 300);
}

static void empty_pipe(long *args)
{
	char data[512];
	(void)args;
	while (read(pipe_in, data, sizeof(data)) > 0)
		;
}

static void rewind_directory(long *args)
{
	(void)args;
	lseek(directory, 0, SEEK_SET);
}

/* args[index] becomes three iovecs, the last one empty. */
static void iovecs_at(long *args, int index)
{
	struct iovec vector[3] = {{slice(), 50}, {slice(), 130}, {slice(), 0}};
	args[index] = slice_of(vector, sizeof(vector));
}

static void prepare_readv(long *args)
{
	fill_pipe(args);
	iovecs_at(args, 1);
}

static void prepare_iovecs(long *args)
{
	iovecs_at(args, 1);
}

static void prepare_vm_readv(long *args)
{
	static char source[180] = "source";
	struct iovec remote = {source, sizeof(source)};
	args[0] = getpid();
	iovecs_at(args, 1);
	args[3] = slice_of(&remote, sizeof(remote));
}

static void prepare_vm_writev(long *args)
{
	static char source[180] = "source";
	struct iovec local = {source, sizeof(source)};
	args[0] = getpid();
	args[1] = slice_of(&local, sizeof(local));
	iovecs_at(args, 3);
}

static void prepare_poll(long *args)
{
	struct pollfd polls[2] = {{pipe_in, POLLIN, 0x7f}, {pipe_out, POLLOUT, 0x7f}};
	fill_pipe(args);
	args[0] = slice_of(polls, sizeof(polls));
}

static void prepare_select(long *args)
{
	fill_pipe(args);
	for (int i = 1; i <= 3; i++) {
		fd_set set;
		FD_ZERO(&set);
		FD_SET(i == 2 ? pipe_out : pipe_in, &set);
		args[i] = slice_of(&set, 16);
	}
}

static void connect_once(long *args)
{
	struct sockaddr_in to;
	socklen_t length = sizeof(to);
	(void)args;
	int from = socket(AF_INET, SOCK_STREAM, 0);
	getsockname(listener, (struct sockaddr *)&to, &length);
	assert_int_equal(connect(from, (struct sockaddr *)&to, length), 0);
}

static void send_udp(long *args)
{
	struct sockaddr_in to;
	socklen_t length = sizeof(to);
	char data[128];
	(void)args;
	while (recv(udp, data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
	getsockname(udp, (struct sockaddr *)&to, &length);
	for (int i = 0; i < 2; i++)
		sendto(udp, "0123456789", 10, 0, (struct sockaddr *)&to, length);
}

static struct msghdr message(void)
{
	struct iovec vector[2] = {{slice(), 4}, {slice(), 100}};
	return (struct msghdr){.msg_name = slice(),
			       .msg_namelen = 64,
			       .msg_iov = (void *)slice_of(vector, sizeof(vector)),
			       .msg_iovlen = 2,
			       .msg_control = slice(),
			       .msg_controllen = 200};
}

static void prepare_recvmsg(long *args)
{
	struct msghdr header = message();
	send_udp(args);
	args[1] = slice_of(&header, sizeof(header));
}

static void prepare_recvmmsg(long *args)
{
	struct mmsghdr messages[2] = {{.msg_hdr = message()}, {.msg_hdr = message()}};
	send_udp(args);
	args[1] = slice_of(messages, sizeof(messages));
}

static void prepare_sendmmsg(long *args)
{
	static struct iovec vector = {"data", 4};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}}};
	char data[64];
	while (recv(pair[1], data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
	messages[1] = messages[0];
	args[1] = slice_of(messages, sizeof(messages));
}

static void child_ends(long *args)
{
	args[0] = fork();
	if (!args[0])
		_exit(3);
}

static void child_ends_waitid(long *args)
{
	long pid[1];
	child_ends(pid);
	args[1] = pid[0];
}

static void raise_blocked(long *args)
{
	(void)args;
	kill(getpid(), SIGUSR1);
}

static void prepare_clone3(long *args)
{
	uint64_t clone[8] = {[0] = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
			     [1] = (uintptr_t)slice(),
			     [2] = (uintptr_t)slice(),
			     [3] = (uintptr_t)slice(),
			     [4] = SIGCHLD};
	args[0] = slice_of(clone, sizeof(clone));
}

static void send_message(long *args)
{
	struct {
		long type;
		char text[20];
	} send = {7, "text"};
	(void)args;
	msgsnd(message_queue, &send, sizeof(send.text), IPC_NOWAIT);
}

static void send_queue(long *args)
{
	(void)args;
	syscall(SYS_mq_timedsend, queue, "text", 4L, 3L, NULL);
}

static void prepare_io_submit(long *args)
{
	struct iovec vector[2] = {{slice(), 60}, {slice(), 70}};
	struct iocb requests[2] = {
		{.aio_lio_opcode = IOCB_CMD_PREAD,
		 .aio_fildes = (uint32_t)file,
		 .aio_buf = (uintptr_t)slice(),
		 .aio_nbytes = 200},
		{.aio_lio_opcode = IOCB_CMD_PREADV,
		 .aio_fildes = (uint32_t)file,
		 .aio_buf = (uintptr_t)slice_of(vector, sizeof(vector)),
		 .aio_nbytes = 2},
	};
	struct iocb *first = (void *)slice_of(requests, sizeof(requests));
	struct iocb *pointers[2] = {first, first + 1};
	struct io_event events[64];
	struct timespec now = {0};
	syscall(SYS_io_getevents, aio, 0L, 64L, events, &now);
	args[0] = (long)aio;
	args[2] = slice_of(pointers, sizeof(pointers));
}

static void prepare_io_events(long *args)
{
	static char data[16];
	static struct iocb request;
	struct iocb *pointer = &request;
	args[0] = (long)aio;
	request = (struct iocb){.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = (uint32_t)file,
				.aio_buf = (uintptr_t)data,
				.aio_nbytes = sizeof(data)};
	syscall(SYS_io_submit, aio, 1L, &pointer);
}

static void prepare_getxattrat(long *args)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} value = {(uintptr_t)slice(), 100, 0};
	args[4] = slice_of(&value, sizeof(value));
}

static void prepare_bpf_lookup(long *args)
{
	union bpf_attr attributes = {0};
	uint32_t key = 0;
	attributes.map_fd = (uint32_t)map;
	attributes.key = (uintptr_t)slice_of(&key, sizeof(key));
	attributes.value = (uintptr_t)slice();
	args[1] = slice_of(&attributes, 32);
}

static void prepare_bpf_info(long *args)
{
	union bpf_attr attributes = {0};
	char zeros[64] = {0};
	attributes.info.bpf_fd = (uint32_t)map;
	attributes.info.info_len = sizeof(zeros);
	attributes.info.info = (uintptr_t)slice_of(zeros, sizeof(zeros));
	args[1] = slice_of(&attributes, 16);
}

static void prepare_move_pages(long *args)
{
	void *pages[2] = {area, area + SLICE};
	args[2] = slice_of(pages, sizeof(pages));
}

static void prepare_statmount(long *args)
{
	struct {
		uint32_t size, unused;
		uint64_t mount, param;
	} request = {24, 0, ~0ULL, 0};
	uint64_t mounts[1] = {0};
	syscall(458L, &request, mounts, 1L, 0L);
	request.mount = mounts[0];
	request.param = 0x3f;
	args[0] = slice_of(&request, sizeof(request));
}

static void prepare_listmount(long *args)
{
	uint64_t request[3] = {24, ~0ULL, 0};
	args[0] = slice_of(request, sizeof(request));
}

static void prepare_mincore(long *args)
{
	args[0] = (long)area;
}

static void prepare_waitv(long *args)
{
	uint64_t waiters[6] = {1, (uintptr_t)slice(), 2, 1, (uintptr_t)slice(), 2};
	args[0] = slice_of(waiters, sizeof(waiters));
}

static void prepare_requeue(long *args)
{
	prepare_waitv(args);
	((uint64_t *)args[0])[0] = *(const uint32_t *)((const uint64_t *)args[0])[1];
}

static void prepare_fiemap(long *args)
{
	struct fiemap request = {.fm_length = ~0ULL, .fm_extent_count = 8};
	args[2] = slice_of(&request, sizeof(request));
}

static void prepare_pagemap_scan(long *args)
{
	uint64_t scan[12] = {[0] = 96,
			     [2] = (uintptr_t)area,
			     [3] = (uintptr_t)area + AREA,
			     [5] = (uintptr_t)slice(),
			     [6] = 100,
			     [9] = 1 << 3, /* present */
			     [11] = 1 << 3};
	args[0] = pagemap;
	args[2] = slice_of(scan, sizeof(scan));
}

static void prepare_ifconf(long *args)
{
	struct ifconf list = {.ifc_len = 400, .ifc_buf = slice()};
	args[2] = slice_of(&list, sizeof(list));
}

static void prepare_ethtool(long *args)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK, .data = 77};
	struct ifreq request = {.ifr_name = "lo"};
	request.ifr_data = (void *)slice_of(&value, sizeof(value));
	args[2] = slice_of(&request, sizeof(request));
}

static void prepare_tun(long *args)
{
	if (tun > 0)
		close(tun);
	tun = open("/dev/net/tun", O_RDWR);
	args[0] = tun;
}

static void prepare_ptrace_set(long *args)
{
	struct iovec vector = {slice(), 4096};
	args[3] = slice_of(&vector, sizeof(vector));
}

static void prepare_ustat(long *args)
{
	struct stat status;
	stat("/proc", &status);
	args[0] = (long)status.st_dev;
}

static void prepare_probe(long *args)
{
	memset((void *)args[2], 0, 16 + 64 * 8);
}

static void prepare_buffers(long *args)
{
	syscall(SYS_io_uring_register, args[0], 1L, NULL, 0L);
	iovecs_at(args, 2);
}

static int objects_make(void **state)
{
	(void)state;
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(local);
	struct sigaction action = {.sa_handler = alarmed};
	sigset_t blocked;
	struct sock_filter code[2] = {{.code = BPF_LD | BPF_B | BPF_ABS},
				      {.code = BPF_RET | BPF_K, .k = 0xffff}};
	struct sock_fprog accept_all = {.len = 2, .filter = code};
	int one = 1, pipes[2];
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);

	file = mkstemp(path);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(file, "contents", 8), 8);
	fsync(file);
	fsetxattr(file, "user.cowspy", "value", 5, 0);
	directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	zero = open("/dev/zero", O_RDWR);
	pipe2(pipes, O_NONBLOCK);
	pipe_in = pipes[0];
	pipe_out = pipes[1];
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	inet = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(inet, SOL_SOCKET, SO_ATTACH_FILTER, &accept_all, sizeof(accept_all));
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(udp, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	bind(udp, (struct sockaddr *)&local, sizeof(local));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (struct sockaddr *)&local, sizeof(local));
	listen(listener, 10);
	getsockname(listener, (struct sockaddr *)&local, &length);
	tcp_client = socket(AF_INET, SOCK_STREAM, 0);
	connect(tcp_client, (struct sockaddr *)&local, length);
	close(accept(listener, NULL, NULL));
	epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_in, &(struct epoll_event){.events = EPOLLIN});
	timerfd = timerfd_create(CLOCK_MONOTONIC, 0);
	openpty(&pty_master, &pty_slave, NULL, NULL, NULL);
	message_queue = msgget(IPC_PRIVATE, 0600);
	semaphores = semget(IPC_PRIVATE, 5, 0600);
	shared_memory = shmget(IPC_PRIVATE, 4096, 0600);
	queue = (int)syscall(SYS_mq_open, "cowspy-outputs", O_CREAT | O_RDWR, 0600,
			     (long[8]){0, 10, 64});
	map = (int)syscall(SYS_bpf, BPF_MAP_CREATE, (uint32_t[5]){BPF_MAP_TYPE_ARRAY, 4, 100, 1, 0},
			   20L);
	ring = (int)syscall(SYS_io_uring_setup, 4L, (char[120]){0});
	syscall(SYS_io_setup, 64L, &aio);
	syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &posix_timer);
	syscall(SYS_add_key, "user", "cowspy", "secret", 6L, KEY_SPEC_PROCESS_KEYRING);
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}

static int objects_drop(void **state)
{
	(void)state;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	msgctl(message_queue, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
	shmctl(shared_memory, IPC_RMID, NULL);
	syscall(SYS_mq_unlink, "cowspy-outputs");
	unlink(path);
	return 0;
}

/* clang-format off */
#define LONG_SLEEP IN(struct timespec, .tv_sec = 30)
#define ONE_SECOND IN(struct timespec, .tv_sec = 1)
#define INTERFACE IN(struct ifreq, .ifr_name = "lo")

#define CALL(text, number, ...) {.what = (text), .nr = (number), __VA_ARGS__}
#define ARGS(...) .args = {__VA_ARGS__}

static const struct probe probes[] = {
	CALL("read", SYS_read, ARGS(FD(zero), OUT, V(5000))),
	CALL("pread64", SYS_pread64, ARGS(FD(file), OUT, V(900), V(10))),
	CALL("readv", SYS_readv, ARGS(FD(pipe_in), V(0), V(3)), .prepare = prepare_readv),
	CALL("preadv", SYS_preadv, ARGS(FD(file), V(0), V(3), V(8)), .prepare = prepare_iovecs),
	CALL("preadv2", SYS_preadv2, ARGS(FD(file), V(0), V(3), V(8)), .prepare = prepare_iovecs),
	CALL("vmsplice", SYS_vmsplice, ARGS(FD(pipe_in), V(0), V(3)), .prepare = prepare_readv),
	CALL("process_vm_readv", SYS_process_vm_readv, ARGS(V(0), V(0), V(3), V(0), V(1)),
	     .prepare = prepare_vm_readv),
	CALL("process_vm_writev", SYS_process_vm_writev, ARGS(V(0), V(0), V(1), V(0), V(3)),
	     .prepare = prepare_vm_writev),
	CALL("stat", SYS_stat, ARGS(V("/"), OUT)),
	CALL("lstat", SYS_lstat, ARGS(V("/"), OUT)),
	CALL("fstat", SYS_fstat, ARGS(FD(file), OUT)),
	CALL("newfstatat", SYS_newfstatat, ARGS(V(AT_FDCWD), V("/"), OUT, V(0))),
	CALL("statx", SYS_statx, ARGS(V(AT_FDCWD), V("/"), V(0), V(0xfff), OUT)),
	CALL("statfs", SYS_statfs, ARGS(V("/"), OUT)),
	CALL("fstatfs", SYS_fstatfs, ARGS(FD(file), OUT)),
	CALL("ustat", SYS_ustat, ARGS(V(0), OUT), .prepare = prepare_ustat),
	CALL("sysfs", SYS_sysfs, ARGS(V(2), V(0), OUT)),
	CALL("poll", SYS_poll, ARGS(V(0), V(2), V(100)), .prepare = prepare_poll),
	CALL("ppoll", SYS_ppoll, ARGS(V(0), V(2), ONE_SECOND, V(0)), .prepare = prepare_poll),
	CALL("select", SYS_select, ARGS(V(70), V(0), V(0), V(0), IN(struct timeval, .tv_sec = 1)),
	     .prepare = prepare_select),
	CALL("pselect6", SYS_pselect6, ARGS(V(70), V(0), V(0), V(0), ONE_SECOND, V(0)),
	     .prepare = prepare_select),
	CALL("epoll_wait", SYS_epoll_wait, ARGS(FD(epoll), OUT, V(4), V(100)),
	     .prepare = fill_pipe),
	CALL("epoll_pwait", SYS_epoll_pwait, ARGS(FD(epoll), OUT, V(4), V(100)),
	     .prepare = fill_pipe),
	CALL("epoll_pwait2", SYS_epoll_pwait2, ARGS(FD(epoll), OUT, V(4), ONE_SECOND),
	     .prepare = fill_pipe),
	CALL("rt_sigaction", SYS_rt_sigaction, ARGS(V(SIGUSR2), V(0), OUT, V(8))),
	CALL("rt_sigprocmask", SYS_rt_sigprocmask, ARGS(V(SIG_BLOCK), V(0), OUT, V(8))),
	CALL("rt_sigpending", SYS_rt_sigpending, ARGS(OUT, V(8))),
	CALL("rt_sigtimedwait", SYS_rt_sigtimedwait,
	     ARGS(IN(long, 1 << (SIGUSR1 - 1)), OUT, ONE_SECOND, V(8)), .prepare = raise_blocked),
	CALL("sigaltstack", SYS_sigaltstack, ARGS(V(0), OUT)),
	CALL("pipe", SYS_pipe, ARGS(OUT)),
	CALL("pipe2", SYS_pipe2, ARGS(OUT, V(0))),
	CALL("socketpair", SYS_socketpair, ARGS(V(AF_UNIX), V(SOCK_STREAM), V(0), OUT)),
	CALL("mincore", SYS_mincore, ARGS(V(0), V(5000), OUT), .prepare = prepare_mincore),
	CALL("nanosleep", SYS_nanosleep, ARGS(LONG_SLEEP, OUT),
	     .prepare = alarm_soon, .error = -EINTR),
	CALL("clock_nanosleep", SYS_clock_nanosleep,
	     ARGS(V(CLOCK_MONOTONIC), V(0), LONG_SLEEP, OUT), .prepare = alarm_soon, .error = -EINTR),
	CALL("getitimer", SYS_getitimer, ARGS(V(ITIMER_VIRTUAL), OUT)),
	CALL("setitimer", SYS_setitimer, ARGS(V(ITIMER_VIRTUAL), IN(char[32], 0), OUT)),
	CALL("sendfile", SYS_sendfile, ARGS(FD(zero), FD(file), IN(long, 8), V(100))),
	CALL("splice", SYS_splice, ARGS(FD(file), IN(long, 8), FD(pipe_out), V(0), V(10)),
	     .prepare = empty_pipe),
	CALL("copy_file_range", SYS_copy_file_range,
	     ARGS(FD(file), IN(long, 8), FD(file), IN(long, 200), V(10))),
	CALL("accept", SYS_accept, ARGS(FD(listener), OUT, LENGTH(100)), .prepare = connect_once),
	CALL("accept4", SYS_accept4, ARGS(FD(listener), OUT, LENGTH(5)), .prepare = connect_once),
	CALL("recvfrom", SYS_recvfrom, ARGS(FD(udp), OUT, V(100), V(0), OUT, LENGTH(100)),
	     .prepare = send_udp),
	CALL("recvmsg", SYS_recvmsg, ARGS(FD(udp), V(0), V(0)), .prepare = prepare_recvmsg),
	CALL("recvmmsg", SYS_recvmmsg, ARGS(FD(udp), V(0), V(2), V(0), ONE_SECOND),
	     .prepare = prepare_recvmmsg),
	CALL("sendmmsg", SYS_sendmmsg, ARGS(FD(pair[0]), V(0), V(2), V(0)),
	     .prepare = prepare_sendmmsg),
	CALL("getsockname", SYS_getsockname, ARGS(FD(udp), OUT, LENGTH(100))),
	CALL("getpeername", SYS_getpeername, ARGS(FD(tcp_client), OUT, LENGTH(100))),
	CALL("getsockopt SO_TYPE", SYS_getsockopt,
	     ARGS(FD(udp), V(SOL_SOCKET), V(SO_TYPE), OUT, LENGTH(99))),
	CALL("getsockopt SO_PEERCRED", SYS_getsockopt,
	     ARGS(FD(pair[0]), V(SOL_SOCKET), V(SO_PEERCRED), OUT, LENGTH(12))),
	CALL("getsockopt SO_GET_FILTER", SYS_getsockopt,
	     ARGS(FD(inet), V(SOL_SOCKET), V(SO_GET_FILTER), OUT, LENGTH(2))),
	CALL("getsockopt TCP_INFO", SYS_getsockopt,
	     ARGS(FD(tcp_client), V(IPPROTO_TCP), V(11), OUT, LENGTH(300))),
	CALL("clone", SYS_clone, ARGS(V(SIGCHLD | CLONE_PARENT_SETTID), V(0), OUT, V(0), V(0))),
	CALL("clone pidfd", SYS_clone, ARGS(V(SIGCHLD | CLONE_PIDFD), V(0), OUT, V(0), V(0))),
	CALL("clone3", SYS_clone3, ARGS(V(0), V(64)), .prepare = prepare_clone3),
	CALL("wait4", SYS_wait4, ARGS(V(0), OUT, V(0), OUT), .prepare = child_ends),
	CALL("waitid", SYS_waitid, ARGS(V(P_PID), V(0), OUT, V(WEXITED), OUT),
	     .prepare = child_ends_waitid),
	CALL("uname", SYS_uname, ARGS(OUT)),
	CALL("semctl IPC_STAT", SYS_semctl, ARGS(FD(semaphores), V(0), V(IPC_STAT), OUT)),
	CALL("semctl GETALL", SYS_semctl, ARGS(FD(semaphores), V(0), V(GETALL), OUT)),
	CALL("semctl SEM_INFO", SYS_semctl, ARGS(V(0), V(0), V(SEM_INFO), OUT)),
	CALL("shmctl IPC_STAT", SYS_shmctl, ARGS(FD(shared_memory), V(IPC_STAT), OUT)),
	CALL("shmctl IPC_INFO", SYS_shmctl, ARGS(V(0), V(IPC_INFO), OUT)),
	CALL("shmctl SHM_INFO", SYS_shmctl, ARGS(V(0), V(SHM_INFO), OUT)),
	CALL("msgctl IPC_STAT", SYS_msgctl, ARGS(FD(message_queue), V(IPC_STAT), OUT)),
	CALL("msgrcv", SYS_msgrcv, ARGS(FD(message_queue), OUT, V(100), V(0), V(0)),
	     .prepare = send_message),
	CALL("mq_timedreceive", SYS_mq_timedreceive, ARGS(FD(queue), OUT, V(64), OUT, V(0)),
	     .prepare = send_queue),
	CALL("mq_getsetattr", SYS_mq_getsetattr, ARGS(FD(queue), V(0), OUT)),
	CALL("fcntl F_GETLK", SYS_fcntl,
	     ARGS(FD(file), V(F_GETLK), IN(struct flock, .l_type = F_WRLCK))),
	CALL("fcntl F_OFD_GETLK", SYS_fcntl,
	     ARGS(FD(file), V(F_OFD_GETLK), IN(struct flock, .l_type = F_WRLCK))),
	CALL("fcntl F_GETOWN_EX", SYS_fcntl, ARGS(FD(pipe_in), V(F_GETOWN_EX), OUT)),
	CALL("fcntl F_GETOWNER_UIDS", SYS_fcntl, ARGS(FD(pipe_in), V(17), OUT)),
	CALL("fcntl F_GET_RW_HINT", SYS_fcntl, ARGS(FD(file), V(1035), OUT)),
	CALL("getdents", SYS_getdents, ARGS(FD(directory), OUT, V(1000)),
	     .prepare = rewind_directory),
	CALL("getdents64", SYS_getdents64, ARGS(FD(directory), OUT, V(1000)),
	     .prepare = rewind_directory),
	CALL("getcwd", SYS_getcwd, ARGS(OUT, V(4096))),
	CALL("readlink", SYS_readlink, ARGS(V("/proc/self/exe"), OUT, V(100))),
	CALL("readlinkat", SYS_readlinkat, ARGS(V(AT_FDCWD), V("/proc/self/exe"), OUT, V(3))),
	CALL("gettimeofday", SYS_gettimeofday, ARGS(OUT, OUT)),
	CALL("time", SYS_time, ARGS(OUT)),
	CALL("times", SYS_times, ARGS(OUT)),
	CALL("getrlimit", SYS_getrlimit, ARGS(V(RLIMIT_NOFILE), OUT)),
	CALL("prlimit64", SYS_prlimit64, ARGS(V(0), V(RLIMIT_NOFILE), V(0), OUT)),
	CALL("getrusage", SYS_getrusage, ARGS(V(RUSAGE_SELF), OUT)),
	CALL("sysinfo", SYS_sysinfo, ARGS(OUT)),
	CALL("syslog", SYS_syslog, ARGS(V(3), OUT, V(1000)), .quiet = true),
	CALL("getgroups", SYS_getgroups, ARGS(V(64), OUT), .quiet = true),
	CALL("getresuid", SYS_getresuid, ARGS(OUT, OUT, OUT)),
	CALL("getresgid", SYS_getresgid, ARGS(OUT, OUT, OUT)),
	CALL("capget", SYS_capget, ARGS(IN(long, 0x20080522), OUT)),
	CALL("capget version", SYS_capget, ARGS(IN(long, 0x1234), OUT), .error = -EINVAL),
	CALL("capset version", SYS_capset, ARGS(IN(long, 0x1234), V(0)), .error = -EINVAL),
	CALL("sched_getparam", SYS_sched_getparam, ARGS(V(0), OUT)),
	CALL("sched_rr_get_interval", SYS_sched_rr_get_interval, ARGS(V(0), OUT)),
	CALL("sched_getaffinity", SYS_sched_getaffinity, ARGS(V(0), V(128), OUT)),
	CALL("sched_getattr", SYS_sched_getattr, ARGS(V(0), OUT, V(100), V(0))),
	CALL("sched_setattr size", SYS_sched_setattr, ARGS(V(0), IN(int, 5000), V(0)),
	     .error = -E2BIG),
	CALL("perf_event_open size", SYS_perf_event_open,
	     ARGS(IN(long, 5000L << 32), V(0), V(-1), V(-1)), .error = -E2BIG),
	CALL("modify_ldt", SYS_modify_ldt, ARGS(V(2), OUT, V(64))),
	CALL("prctl PR_GET_NAME", SYS_prctl, ARGS(V(PR_GET_NAME), OUT)),
	CALL("prctl PR_GET_PDEATHSIG", SYS_prctl, ARGS(V(PR_GET_PDEATHSIG), OUT)),
	CALL("prctl PR_GET_TSC", SYS_prctl, ARGS(V(PR_GET_TSC), OUT)),
	CALL("prctl PR_GET_CHILD_SUBREAPER", SYS_prctl, ARGS(V(PR_GET_CHILD_SUBREAPER), OUT)),
	CALL("prctl PR_GET_TID_ADDRESS", SYS_prctl, ARGS(V(PR_GET_TID_ADDRESS), OUT)),
	CALL("prctl PR_GET_AUXV", SYS_prctl, ARGS(V(0x41555856), OUT, V(1000))),
	CALL("arch_prctl ARCH_GET_FS", SYS_arch_prctl, ARGS(V(ARCH_GET_FS), OUT)),
	CALL("arch_prctl ARCH_GET_XCOMP_SUPP", SYS_arch_prctl, ARGS(V(0x1021), OUT)),
	CALL("adjtimex", SYS_adjtimex, ARGS(IN(char[208], 0))),
	CALL("clock_adjtime", SYS_clock_adjtime, ARGS(V(CLOCK_REALTIME), IN(char[208], 0))),
	CALL("clock_gettime", SYS_clock_gettime, ARGS(V(CLOCK_MONOTONIC), OUT)),
	CALL("clock_getres", SYS_clock_getres, ARGS(V(CLOCK_MONOTONIC), OUT)),
	CALL("getxattr", SYS_getxattr, ARGS(V(path), V("user.cowspy"), OUT, V(100))),
	CALL("lgetxattr", SYS_lgetxattr, ARGS(V(path), V("user.cowspy"), OUT, V(100))),
	CALL("fgetxattr", SYS_fgetxattr, ARGS(FD(file), V("user.cowspy"), OUT, V(100))),
	CALL("listxattr", SYS_listxattr, ARGS(V(path), OUT, V(100))),
	CALL("llistxattr", SYS_llistxattr, ARGS(V(path), OUT, V(100))),
	CALL("flistxattr", SYS_flistxattr, ARGS(FD(file), OUT, V(100))),
	CALL("getxattrat", 464, ARGS(V(AT_FDCWD), V(path), V(0), V("user.cowspy"), V(0), V(16)),
	     .prepare = prepare_getxattrat),
	CALL("listxattrat", 465, ARGS(V(AT_FDCWD), V(path), V(0), OUT, V(100))),
	CALL("futex FUTEX_WAKE", SYS_futex, ARGS(OUT, V(FUTEX_WAKE), V(1)), .quiet = true),
	CALL("futex FUTEX_WAIT", SYS_futex, ARGS(OUT, V(FUTEX_WAIT), V(1)),
	     .quiet = true, .error = -EAGAIN),
	CALL("futex FUTEX_REQUEUE", SYS_futex, ARGS(OUT, V(FUTEX_REQUEUE), V(1), V(1), OUT),
	     .quiet = true),
	CALL("futex FUTEX_LOCK_PI", SYS_futex, ARGS(IN(int, 0), V(FUTEX_LOCK_PI_PRIVATE))),
	CALL("futex FUTEX_WAKE_OP", SYS_futex,
	     ARGS(OUT, V(FUTEX_WAKE_OP_PRIVATE), V(1), V(1), IN(int, 3), V(5 << 12))),
	CALL("futex_wake", 454, ARGS(OUT, V(0xffffffffL), V(1), V(2)), .quiet = true),
	CALL("futex_wait", 455, ARGS(OUT, V(1), V(0xffffffffL), V(2), V(0), V(0)),
	     .quiet = true, .error = -EAGAIN),
	CALL("futex_requeue", 456, ARGS(V(0), V(0), V(0), V(0)),
	     .prepare = prepare_requeue, .quiet = true),
	CALL("futex_waitv", SYS_futex_waitv, ARGS(V(0), V(2), V(0), V(0), V(0)),
	     .prepare = prepare_waitv, .quiet = true, .error = -EAGAIN),
	CALL("get_robust_list", SYS_get_robust_list, ARGS(V(0), OUT, OUT)),
	CALL("getcpu", SYS_getcpu, ARGS(OUT, OUT)),
	CALL("get_mempolicy", SYS_get_mempolicy, ARGS(OUT, OUT, V(1025), V(0), V(0))),
	CALL("move_pages", SYS_move_pages, ARGS(V(0), V(2), V(0), V(0), OUT, V(0)),
	     .prepare = prepare_move_pages),
	CALL("io_setup", SYS_io_setup, ARGS(V(1), IN(long, 0))),
	CALL("io_submit", SYS_io_submit, ARGS(V(0), V(2), V(0)), .prepare = prepare_io_submit),
	CALL("io_getevents", SYS_io_getevents, ARGS(V(0), V(1), V(4), OUT, ONE_SECOND),
	     .prepare = prepare_io_events),
	CALL("io_pgetevents", SYS_io_pgetevents, ARGS(V(0), V(1), V(4), OUT, ONE_SECOND, V(0)),
	     .prepare = prepare_io_events),
	CALL("timer_create", SYS_timer_create, ARGS(V(CLOCK_MONOTONIC), V(0), OUT)),
	CALL("timer_settime", SYS_timer_settime, ARGS(FD(posix_timer), V(0), IN(char[32], 0), OUT)),
	CALL("timer_gettime", SYS_timer_gettime, ARGS(FD(posix_timer), OUT)),
	CALL("timerfd_settime", SYS_timerfd_settime, ARGS(FD(timerfd), V(0), IN(char[32], 0), OUT)),
	CALL("timerfd_gettime", SYS_timerfd_gettime, ARGS(FD(timerfd), OUT)),
	CALL("keyctl KEYCTL_DESCRIBE", SYS_keyctl,
	     ARGS(V(KEYCTL_DESCRIBE), V(KEY_SPEC_PROCESS_KEYRING), OUT, V(100))),
	CALL("keyctl KEYCTL_READ", SYS_keyctl,
	     ARGS(V(KEYCTL_READ), V(KEY_SPEC_PROCESS_KEYRING), OUT, V(100))),
	CALL("keyctl KEYCTL_CAPABILITIES", SYS_keyctl, ARGS(V(KEYCTL_CAPABILITIES), OUT, V(8))),
	CALL("name_to_handle_at", SYS_name_to_handle_at,
	     ARGS(V(AT_FDCWD), V(path), IN(long, 128), OUT, V(0))),
	CALL("seccomp", SYS_seccomp, ARGS(V(SECCOMP_GET_NOTIF_SIZES), V(0), OUT)),
	CALL("getrandom", SYS_getrandom, ARGS(OUT, V(5000), V(0))),
	CALL("bpf BPF_MAP_LOOKUP_ELEM", SYS_bpf, ARGS(V(BPF_MAP_LOOKUP_ELEM), V(0), V(32)),
	     .prepare = prepare_bpf_lookup),
	CALL("bpf BPF_OBJ_GET_INFO_BY_FD", SYS_bpf, ARGS(V(BPF_OBJ_GET_INFO_BY_FD), V(0), V(16)),
	     .prepare = prepare_bpf_info),
	CALL("io_uring_setup", SYS_io_uring_setup, ARGS(V(4), IN(char[120], 0))),
	CALL("io_uring_register probe", SYS_io_uring_register, ARGS(FD(ring), V(8), OUT, V(64)),
	     .prepare = prepare_probe),
	CALL("io_uring_register buffers", SYS_io_uring_register, ARGS(FD(ring), V(0), V(0), V(2)),
	     .prepare = prepare_buffers, .quiet = true),
	CALL("cachestat", 451, ARGS(FD(file), IN(char[16], 0), OUT, V(0))),
	CALL("statmount", 457, ARGS(V(0), OUT, V(2000), V(0)), .prepare = prepare_statmount),
	CALL("listmount", 458, ARGS(V(0), OUT, V(5), V(0)), .prepare = prepare_listmount),
	CALL("lsm_get_self_attr", 459, ARGS(V(100), OUT, LENGTH(4096), V(0))),
	CALL("lsm_list_modules", 461, ARGS(OUT, LENGTH(800), V(0))),
	CALL("file_getattr", 468, ARGS(V(AT_FDCWD), V(path), OUT, V(24), V(0))),
	CALL("ptrace PTRACE_PEEKDATA", SYS_ptrace,
	     ARGS(V(PTRACE_PEEKDATA), FD(child), V(before), OUT)),
	CALL("ptrace PTRACE_GETREGS", SYS_ptrace, ARGS(V(PTRACE_GETREGS), FD(child), V(0), OUT)),
	CALL("ptrace PTRACE_GETFPREGS", SYS_ptrace,
	     ARGS(V(PTRACE_GETFPREGS), FD(child), V(0), OUT)),
	CALL("ptrace PTRACE_GETREGSET", SYS_ptrace,
	     ARGS(V(PTRACE_GETREGSET), FD(child), V(1), V(0)), .prepare = prepare_ptrace_set),
	CALL("ptrace PTRACE_GETSIGINFO", SYS_ptrace,
	     ARGS(V(PTRACE_GETSIGINFO), FD(child), V(0), OUT)),
	CALL("ptrace PTRACE_GETSIGMASK", SYS_ptrace,
	     ARGS(V(PTRACE_GETSIGMASK), FD(child), V(8), OUT)),
	CALL("ptrace PTRACE_GETEVENTMSG", SYS_ptrace,
	     ARGS(V(PTRACE_GETEVENTMSG), FD(child), V(0), OUT)),
	CALL("ptrace PTRACE_GET_SYSCALL_INFO", SYS_ptrace, ARGS(V(0x420e), FD(child), V(88), OUT)),
	CALL("ptrace PTRACE_GET_RSEQ_CONFIGURATION", SYS_ptrace,
	     ARGS(V(0x420f), FD(child), V(24), OUT)),
	CALL("ioctl FIONREAD", SYS_ioctl, ARGS(FD(pipe_in), V(FIONREAD), OUT),
	     .prepare = fill_pipe),
	CALL("ioctl TCGETS", SYS_ioctl, ARGS(FD(pty_slave), V(TCGETS), OUT)),
	CALL("ioctl TCGETS2", SYS_ioctl, ARGS(FD(pty_slave), V(0x802c542a), OUT)),
	CALL("ioctl TIOCGWINSZ", SYS_ioctl, ARGS(FD(pty_slave), V(TIOCGWINSZ), OUT)),
	CALL("ioctl TIOCGPTN", SYS_ioctl, ARGS(FD(pty_master), V(TIOCGPTN), OUT)),
	CALL("ioctl TIOCGPGRP", SYS_ioctl, ARGS(FD(pty_master), V(TIOCGPGRP), OUT)),
	CALL("ioctl TIOCOUTQ", SYS_ioctl, ARGS(FD(tcp_client), V(TIOCOUTQ), OUT)),
	CALL("ioctl FIGETBSZ", SYS_ioctl, ARGS(FD(file), V(FIGETBSZ), OUT)),
	CALL("ioctl FIOQSIZE", SYS_ioctl, ARGS(FD(file), V(FIOQSIZE), OUT)),
	CALL("ioctl FS_IOC_GETFLAGS", SYS_ioctl, ARGS(FD(file), V(FS_IOC_GETFLAGS), OUT)),
	CALL("ioctl FS_IOC_FIEMAP", SYS_ioctl, ARGS(FD(file), V(FS_IOC_FIEMAP), V(0)),
	     .prepare = prepare_fiemap),
	CALL("ioctl PAGEMAP_SCAN", SYS_ioctl, ARGS(V(0), V(0xc0606610), V(0)),
	     .prepare = prepare_pagemap_scan),
	CALL("ioctl SIOCGIFCONF", SYS_ioctl, ARGS(FD(inet), V(SIOCGIFCONF), V(0)),
	     .prepare = prepare_ifconf),
	CALL("ioctl SIOCGIFFLAGS", SYS_ioctl, ARGS(FD(inet), V(SIOCGIFFLAGS), INTERFACE)),
	CALL("ioctl SIOCGIFHWADDR", SYS_ioctl, ARGS(FD(inet), V(SIOCGIFHWADDR), INTERFACE),
	     .quiet = true),
	CALL("ioctl SIOCGIFINDEX", SYS_ioctl, ARGS(FD(inet), V(SIOCGIFINDEX), INTERFACE)),
	CALL("ioctl SIOCETHTOOL", SYS_ioctl, ARGS(FD(inet), V(SIOCETHTOOL), V(0)),
	     .prepare = prepare_ethtool),
	CALL("ioctl SIOCATMARK", SYS_ioctl, ARGS(FD(tcp_client), V(SIOCATMARK), OUT)),
	CALL("ioctl TUNSETIFF", SYS_ioctl,
	     ARGS(V(0), V(TUNSETIFF), IN(struct ifreq, .ifr_name = "cowspy%d", .ifr_flags = IFF_TUN)),
	     .prepare = prepare_tun),
};
