/* timeout: 1800 */
/* environment: COWSPY_FOLLOW=off */
/*
 * Nothing is lost and nothing comes short: counters, numbered datagrams and messages, signals,
 * timers, events, dumps and files, read again and again into pages that a fork has just closed;
 * by one thread, and by four while another one forks. As often as TEST_SLOW says: 300 rounds, or
 * 20,000.
 */
#include "check.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define THREADS 4
#define BUFFERS 16
#define MESSAGE 700

/* What one thread works on. */
struct worker {
	int number, events, udp, pair[2], pipe[2], file, signals, timer, watch, links, listener,
		epoll, fed[2];
	mqd_t queue;
	int messages;
	struct sockaddr_in udp_address, listener_address;
	char watched[64];
	char *buffers[BUFFERS]; /* each ends and begins in the middle of a page of its own */
	unsigned next;
	long dump_size;
	long rounds, wrong;
};

static void arm_all(void)
{
	pid_t child = fork();
	if (!child)
		raise(SIGKILL);
	CHECK_EQUAL(wait_for(child), 128 + SIGKILL);
}

/* Of heap or mapping, in turns, each time another one, so that the next is closed. */
static char *buffer(struct worker *worker)
{
	return worker->buffers[worker->next++ % BUFFERS];
}

static void expect(struct worker *worker, bool right, const char *what)
{
	if (right)
		return;
	if (!worker->wrong++)
		printf("round %ld: %s: %s\n", worker->rounds, what, strerror(errno));
}

/* ---- one call each ---- */

static void do_eventfd(struct worker *worker)
{
	uint64_t one = 3, two = (uint64_t)worker->rounds + 1, *sum = (uint64_t *)buffer(worker);
	CHECK_EQUAL(write(worker->events, &one, 8), 8);
	CHECK_EQUAL(write(worker->events, &two, 8), 8);
	expect(worker, read(worker->events, sum, 8) == 8 && *sum == one + two, "eventfd");
}

static void fill(char *message, long number)
{
	for (int i = 0; i < MESSAGE; i++)
		message[i] = (char)(number * 7 + i);
	memcpy(message, &number, sizeof(number));
}

static bool is_message(const char *got, long number)
{
	char message[MESSAGE];
	fill(message, number);
	return !memcmp(got, message, MESSAGE);
}

static void do_udp(struct worker *worker)
{
	char message[MESSAGE], *at[4];
	struct sockaddr_in *from = (struct sockaddr_in *)buffer(worker);
	socklen_t *length = (socklen_t *)((char *)from + 20);
	for (int i = 0; i < 4; i++) {
		at[i] = buffer(worker);
		fill(message, worker->rounds * 4 + i);
		CHECK_EQUAL(sendto(worker->udp, message, MESSAGE, 0,
				   (struct sockaddr *)&worker->udp_address,
				   sizeof(worker->udp_address)),
			    MESSAGE);
	}
	*length = sizeof(*from);
	expect(worker,
	       recvfrom(worker->udp, at[0], CHECK_PAGE, 0, (struct sockaddr *)from, length) ==
			       MESSAGE &&
		       from->sin_port == worker->udp_address.sin_port,
	       "recvfrom");
	struct iovec parts[2] = {{at[1], 100}, {at[1] + 100, MESSAGE}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
	expect(worker, recvmsg(worker->udp, &header, 0) == MESSAGE, "recvmsg");
	struct iovec vectors[2] = {{at[2], MESSAGE}, {at[3], MESSAGE}};
	struct mmsghdr headers[2] = {{.msg_hdr = {.msg_iov = &vectors[0], .msg_iovlen = 1}},
				     {.msg_hdr = {.msg_iov = &vectors[1], .msg_iovlen = 1}}};
	expect(worker,
	       recvmmsg(worker->udp, headers, 2, 0, NULL) == 2 && headers[0].msg_len == MESSAGE &&
		       headers[1].msg_len == MESSAGE,
	       "recvmmsg");
	for (int i = 0; i < 4; i++)
		expect(worker, is_message(at[i], worker->rounds * 4 + i), "udp data");
}

static void do_unix(struct worker *worker)
{
	char message[MESSAGE], *at = buffer(worker);
	fill(message, worker->rounds);
	CHECK_EQUAL(send(worker->pair[1], message, MESSAGE, 0), MESSAGE);
	expect(worker, recv(worker->pair[0], at, 2 * CHECK_PAGE, 0) == MESSAGE, "unix");
	expect(worker, is_message(at, worker->rounds), "unix data");
}

static void do_pipe(struct worker *worker)
{
	char message[MESSAGE], *at = buffer(worker);
	fill(message, worker->rounds);
	CHECK_EQUAL(write(worker->pipe[1], message, MESSAGE), MESSAGE);
	struct iovec parts[2] = {{at, 650}, {at + 650, 50}};
	expect(worker, readv(worker->pipe[0], parts, 2) == MESSAGE, "pipe");
	expect(worker, is_message(at, worker->rounds), "pipe data");
}

static void do_file(struct worker *worker)
{
	char *at = buffer(worker);
	off_t place = worker->rounds % 8 * CHECK_PAGE;
	expect(worker, pread(worker->file, at, 3000, place) == 3000, "file");
	expect(worker, at[0] == 'a' + worker->rounds % 8 && at[2999] == at[0], "file data");
	struct stat *status = (struct stat *)buffer(worker);
	expect(worker, fstat(worker->file, status) == 0 && status->st_size == 16 * CHECK_PAGE,
	       "fstat");
}

/* Queued, to this thread alone; two by descriptor, one by waiting. */
static void do_signals(struct worker *worker)
{
	struct signalfd_siginfo *got = (struct signalfd_siginfo *)buffer(worker);
	siginfo_t *info = (siginfo_t *)buffer(worker);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN,
					     (union sigval){.sival_int = (int)worker->rounds + i}),
			    0);
	CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN + 1,
				     (union sigval){.sival_int = (int)worker->rounds}),
		    0);
	expect(worker, read(worker->signals, got, 2 * sizeof(*got)) == 2 * sizeof(*got),
	       "signalfd");
	expect(worker, got[0].ssi_int == worker->rounds && got[1].ssi_int == worker->rounds + 1,
	       "signalfd data");
	expect(worker,
	       sigwaitinfo(&set, info) == SIGRTMIN + 1 &&
		       info->si_value.sival_int == worker->rounds,
	       "sigwaitinfo");
}

static void do_timer(struct worker *worker)
{
	struct itimerspec soon = {.it_value.tv_nsec = 1};
	uint64_t *count = (uint64_t *)buffer(worker);
	CHECK_EQUAL(timerfd_settime(worker->timer, 0, &soon, NULL), 0);
	expect(worker, read(worker->timer, count, 8) == 8 && *count == 1, "timerfd");
}

static void do_inotify(struct worker *worker)
{
	struct inotify_event *event = (struct inotify_event *)buffer(worker);
	close(open(worker->watched, O_RDONLY));
	expect(worker,
	       read(worker->watch, event, CHECK_PAGE) == sizeof(*event) && event->mask == IN_OPEN,
	       "inotify");
}

/* All links, in as many parts as the kernel likes: as much as the first time. */
static void do_netlink(struct worker *worker)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
	} ask = {
		{sizeof(ask), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, (unsigned)worker->rounds, 0},
		{.ifi_family = AF_UNSPEC}};
	long size = 0;
	bool done = false;
	CHECK_EQUAL(send(worker->links, &ask, sizeof(ask), 0), sizeof(ask));
	while (!done) {
		char *at = buffer(worker);
		ssize_t got = recv(worker->links, at, 8 * CHECK_PAGE, 0);
		size += got;
		if (got <= 0)
			break;
		for (struct nlmsghdr *h = (struct nlmsghdr *)at; NLMSG_OK(h, got);
		     h = NLMSG_NEXT(h, got))
			done |= h->nlmsg_type == NLMSG_DONE;
	}
	if (!worker->dump_size)
		worker->dump_size = size;
	expect(worker, done && size > 0, "netlink");
}

static void do_queues(struct worker *worker)
{
	char message[MESSAGE], *at = buffer(worker);
	unsigned *priority = (unsigned *)buffer(worker);
	fill(message, worker->rounds);
	if (worker->queue >= 0) {
		CHECK_EQUAL(mq_send(worker->queue, message, MESSAGE, 5), 0);
		expect(worker,
		       mq_receive(worker->queue, at, MESSAGE, priority) == MESSAGE &&
			       *priority == 5 && is_message(at, worker->rounds),
		       "mq_receive");
	}
	struct {
		long type;
		char text[MESSAGE];
	} sent = {.type = worker->rounds + 1}, *got = (void *)buffer(worker);
	memcpy(sent.text, message, MESSAGE);
	CHECK_EQUAL(msgsnd(worker->messages, &sent, MESSAGE, 0), 0);
	expect(worker,
	       msgrcv(worker->messages, got, MESSAGE, 0, 0) == MESSAGE &&
		       got->type == worker->rounds + 1 && is_message(got->text, worker->rounds),
	       "msgrcv");
}

static void do_accept(struct worker *worker)
{
	struct sockaddr_in *peer = (struct sockaddr_in *)buffer(worker), own;
	socklen_t *length = (socklen_t *)((char *)peer + 20), own_length = sizeof(own);
	struct epoll_event *event = (struct epoll_event *)buffer(worker);
	int from = socket(AF_INET, SOCK_STREAM, 0);
	*length = sizeof(*peer);
	CHECK_EQUAL(connect(from, (struct sockaddr *)&worker->listener_address,
			    sizeof(worker->listener_address)),
		    0);
	expect(worker,
	       epoll_wait(worker->epoll, event, 4, -1) == 1 && event->data.u64 == 0x1234567890,
	       "epoll_wait");
	int to = accept(worker->listener, (struct sockaddr *)peer, length);
	CHECK_EQUAL(getsockname(from, (struct sockaddr *)&own, &own_length), 0);
	expect(worker, to >= 0 && *length == sizeof(*peer) && peer->sin_port == own.sin_port,
	       "accept");
	struct linger at_once = {1, 0};
	setsockopt(from, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(from);
	close(to);
}

/* What another thread sends all the time: this one waits for it while pages are closed. */
static void do_fed(struct worker *worker)
{
	char *at = buffer(worker);
	struct iovec part = {at, MESSAGE};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	expect(worker, recvmsg(worker->fed[0], &header, 0) == MESSAGE, "fed");
	expect(worker, is_message(at, worker->rounds), "fed data");
}

static void (*const all[])(struct worker *) = {
	do_eventfd, do_udp,     do_unix,    do_pipe,   do_file,   do_signals,
	do_timer,   do_inotify, do_netlink, do_queues, do_accept,
};

static void run_round(struct worker *worker)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		all[i](worker);
	worker->rounds++;
}

/* ---- workers ---- */

static void make_sockets(struct worker *worker)
{
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(local);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1234567890};
	worker->udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_EQUAL(bind(worker->udp, (struct sockaddr *)&local, size), 0);
	CHECK_EQUAL(getsockname(worker->udp, (struct sockaddr *)&worker->udp_address, &size), 0);
	worker->listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQUAL(bind(worker->listener, (struct sockaddr *)&local, size), 0);
	CHECK_EQUAL(listen(worker->listener, 4), 0);
	CHECK_EQUAL(
		getsockname(worker->listener, (struct sockaddr *)&worker->listener_address, &size),
		0);
	worker->epoll = epoll_create1(0);
	CHECK_EQUAL(epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->listener, &event), 0);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, worker->pair), 0);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, worker->fed), 0);
	worker->links = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	CHECK(worker->links >= 0);
}

static void make_queues(struct worker *worker)
{
	char name[64];
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = MESSAGE};
	snprintf(name, sizeof(name), "/cowspy-stress-%d-%d", getpid(), worker->number);
	worker->queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
	mq_unlink(name);
	worker->messages = msgget(IPC_PRIVATE, 0600);
	CHECK(worker->messages >= 0);
}

static void make_worker(struct worker *worker, int number)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	*worker = (struct worker){.number = number};
	worker->events = eventfd(0, 0);
	CHECK_EQUAL(pipe(worker->pipe), 0);
	worker->file = file_of_pages(16);
	worker->signals = signalfd(-1, &set, 0);
	worker->timer = timerfd_create(CLOCK_MONOTONIC, 0);
	snprintf(worker->watched, sizeof(worker->watched), "%s/watched.%d",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", number);
	close(open(worker->watched, O_CREAT | O_WRONLY, 0600));
	worker->watch = inotify_init1(0);
	CHECK(inotify_add_watch(worker->watch, worker->watched, IN_OPEN) > 0);
	make_sockets(worker);
	make_queues(worker);
	for (int i = 0; i < BUFFERS; i++)
		worker->buffers[i] = (i % 2 ? map_anonymous(11) : malloc(11 * CHECK_PAGE)) +
				     CHECK_PAGE - 16 - i % 3 * 16;
}

static void end_worker(struct worker *worker)
{
	msgctl(worker->messages, IPC_RMID, NULL);
	unlink(worker->watched);
}

/* ---- alone, and together ---- */

static long rounds;

static void *feed(void *argument)
{
	const struct worker *worker = argument;
	char message[MESSAGE];
	for (long i = 0; i < rounds; i++) {
		fill(message, i);
		usleep(20); /* so that the other one waits */
		CHECK_EQUAL(send(worker->fed[1], message, MESSAGE, 0), MESSAGE);
	}
	return NULL;
}

static _Atomic int working;

static void *work(void *argument)
{
	struct worker *worker = argument;
	while (worker->rounds < rounds) {
		do_fed(worker);
		run_round(worker);
	}
	working--;
	return NULL;
}

static void test_alone(void)
{
	struct worker worker;
	make_worker(&worker, 0);
	while (worker.rounds < rounds) {
		arm_all();
		run_round(&worker);
	}
	printf("alone: %ld rounds, %ld wrong\n", worker.rounds, worker.wrong);
	end_worker(&worker);
}

static void test_together(void)
{
	static struct worker workers[THREADS];
	pthread_t threads[THREADS], feeders[THREADS];
	working = THREADS;
	for (int i = 0; i < THREADS; i++)
		make_worker(&workers[i], i);
	for (int i = 0; i < THREADS; i++) {
		CHECK_EQUAL(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
		CHECK_EQUAL(pthread_create(&feeders[i], NULL, feed, &workers[i]), 0);
	}
	while (working)
		arm_all();
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		pthread_join(feeders[i], NULL);
		printf("thread %d: %ld rounds, %ld wrong\n", i, workers[i].rounds,
		       workers[i].wrong);
		end_worker(&workers[i]);
	}
}

int main(void)
{
	const char *slow = getenv("TEST_SLOW");
	sigset_t set;
	rounds = slow && *slow ? 20000 : 300;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	test_alone();
	test_together();
	return 0;
}
