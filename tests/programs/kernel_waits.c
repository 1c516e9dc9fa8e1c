/*
 * Calls that wait, with closed pages to write into: interrupted by signals, cancelled, left by a
 * jump, made by four threads at once, and waiting while another thread forks.
 */
#include "check.h"

#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#define HALF (CHECK_PAGE / 2)

static char *fresh(void)
{
	return map_anonymous(2) + CHECK_PAGE - HALF;
}

static void pause_ms(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

/* ---- calls that wait for ever ---- */

static int silent[2], silent_socket[2], silent_epoll, silent_queue, listening;
static FILE *silent_stream;
static pid_t silent_child;

static long wait_read(void)
{
	return read(silent[0], fresh(), CHECK_PAGE);
}

static long wait_readv(void)
{
	struct iovec part = {fresh(), CHECK_PAGE};
	return readv(silent[0], &part, 1);
}

static long wait_recv(void)
{
	return recv(silent_socket[0], fresh(), CHECK_PAGE, 0);
}

static long wait_recvfrom(void)
{
	return recvfrom(silent_socket[0], fresh(), CHECK_PAGE, 0, NULL, NULL);
}

static long wait_recvmsg(void)
{
	struct iovec part = {fresh(), CHECK_PAGE};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	return recvmsg(silent_socket[0], &message, 0);
}

static long wait_accept(void)
{
	return accept(listening, NULL, NULL);
}

static long wait_poll(void)
{
	struct pollfd *polled = (struct pollfd *)(fresh() + HALF - 4);
	*(int *)polled = silent[0];
	polled->events = POLLIN;
	return poll(polled, 1, -1);
}

static long wait_ppoll(void)
{
	struct pollfd *polled = (struct pollfd *)(fresh() + HALF - 4);
	*(int *)polled = silent[0];
	polled->events = POLLIN;
	return ppoll(polled, 1, NULL, NULL);
}

static long wait_select(void)
{
	fd_set *set = (fd_set *)(fresh() + HALF - 8);
	FD_SET(silent[0], set);
	return select(silent[0] + 1, set, NULL, NULL, NULL);
}

static long wait_epoll(void)
{
	return epoll_wait(silent_epoll, (struct epoll_event *)fresh(), 300, -1);
}

static long wait_sleep(void)
{
	struct timespec long_time = {100, 0}, *left = (struct timespec *)(fresh() + HALF - 8);
	long result = nanosleep(&long_time, left);
	return result && errno == EINTR && left->tv_sec == 99 ? -1 : result + 10;
}

static long wait_child(void)
{
	return waitpid(silent_child, (int *)fresh(), 0);
}

static long wait_accept4(void)
{
	socklen_t *length = (socklen_t *)fresh();
	*length = 100;
	return accept4(listening, (struct sockaddr *)fresh(), length, SOCK_CLOEXEC);
}

static long wait_recvmmsg(void)
{
	struct iovec part = {fresh(), CHECK_PAGE};
	struct mmsghdr *messages = (struct mmsghdr *)(fresh() + HALF - 8);
	messages[0].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	return recvmmsg(silent_socket[0], messages, 1, 0, NULL);
}

static long wait_epoll_mask(void)
{
	sigset_t none;
	sigemptyset(&none);
	return epoll_pwait(silent_epoll, (struct epoll_event *)fresh(), 300, -1, &none);
}

static long wait_pselect(void)
{
	fd_set *set = (fd_set *)(fresh() + HALF - 8);
	FD_SET(silent[0], set);
	return pselect(silent[0] + 1, set, NULL, NULL, NULL, NULL);
}

static long wait_signal(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX);
	return sigwaitinfo(&set, (siginfo_t *)fresh());
}

static long wait_waitid(void)
{
	return waitid(P_PID, (id_t)silent_child, (siginfo_t *)fresh(), WEXITED);
}

static long wait_message(void)
{
	return msgrcv(silent_queue, fresh(), HALF, 0, 0);
}

static long wait_clock(void)
{
	struct timespec long_time = {100, 0}, *left = (struct timespec *)(fresh() + HALF - 8);
	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &long_time, left);
	return errno == EINTR && left->tv_sec == 99 ? -1 : 10;
}

static long wait_eventfd(void)
{
	static int events = -1;
	if (events < 0)
		events = eventfd(0, EFD_CLOEXEC);
	return read(events, fresh() + HALF - 4, 8);
}

static long wait_timer(void)
{
	static int timer = -1;
	if (timer < 0)
		timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return read(timer, fresh() + HALF - 4, 8);
}

static long wait_inotify(void)
{
	static int watch = -1;
	if (watch < 0)
		watch = inotify_init1(IN_CLOEXEC);
	return read(watch, fresh(), CHECK_PAGE);
}

static long wait_stream(void)
{
	return (long)fread(fresh(), 1, CHECK_PAGE, silent_stream);
}

static const struct {
	const char *name;
	long (*call)(void);
	bool restarts; /* with SA_RESTART */
} waits[] = {
	{"read", wait_read, true},
	{"readv", wait_readv, true},
	{"recv", wait_recv, true},
	{"recvfrom", wait_recvfrom, true},
	{"recvmsg", wait_recvmsg, true},
	{"accept", wait_accept, true},
	{"poll", wait_poll, false},
	{"ppoll", wait_ppoll, false},
	{"select", wait_select, false},
	{"epoll_wait", wait_epoll, false},
	{"nanosleep", wait_sleep, false},
	{"waitpid", wait_child, true},
	{"accept4", wait_accept4, true},
	{"recvmmsg", wait_recvmmsg, true},
	{"epoll_pwait", wait_epoll_mask, false},
	{"pselect", wait_pselect, false},
	{"sigwaitinfo", wait_signal, false},
	{"waitid", wait_waitid, true},
	{"clock_nanosleep", wait_clock, false},
	{"eventfd", wait_eventfd, true},
	{"timerfd", wait_timer, true},
	{"inotify", wait_inotify, true},
	{"msgrcv", wait_message, false},
	{"fread", wait_stream, true},
};

#define WAITS (sizeof(waits) / sizeof(waits[0]))

static void prepare(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	CHECK_EQUAL(pipe(silent), 0);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, silent_socket), 0);
	silent_epoll = epoll_create1(0);
	silent_queue = msgget(IPC_PRIVATE, 0600);
	CHECK(silent_queue >= 0);
	struct epoll_event event = {.events = EPOLLIN};
	CHECK_EQUAL(epoll_ctl(silent_epoll, EPOLL_CTL_ADD, silent[0], &event), 0);
	listening = socket(AF_INET, SOCK_STREAM, 0);
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_EQUAL(bind(listening, (struct sockaddr *)&any, sizeof(any)), 0);
	CHECK_EQUAL(listen(listening, 1), 0);
	silent_stream = fdopen(silent[0], "r");
	CHECK(silent_stream);
	silent_child = fork();
	CHECK(silent_child >= 0);
	if (!silent_child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

/* ---- signals ---- */

static void fork_and_wait(void)
{
	pid_t child = fork();
	if (!child)
		_exit(0);
	CHECK_EQUAL(wait_for(child), 0);
}

static volatile sig_atomic_t handled;
static sigjmp_buf out;

static void count_signal(int signal)
{
	(void)signal;
	handled++;
}

static void jump_out(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	CHECK_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
}

static void alarm_ms(long first, long again)
{
	struct itimerspec times = {{again / 1000, again % 1000 * 1000000},
				   {first / 1000, first % 1000 * 1000000}};
	static timer_t timer;
	static bool made;
	if (!made) {
		struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
		event._sigev_un._tid = (int)syscall(SYS_gettid);
		CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
		made = true;
	}
	CHECK_EQUAL(timer_settime(timer, 0, &times, NULL), 0);
}

static void test_interrupted(void)
{
	handle(count_signal, 0);
	for (size_t i = 0; i < WAITS; i++) {
		handled = 0;
		errno = 0;
		/* Again and again: on a busy machine the first may come before the call. */
		alarm_ms(20, 20);
		long result = waits[i].call();
		int error = errno;
		alarm_ms(0, 0);
		printf("interrupted %s: %ld %s, %s\n", waits[i].name, result, strerror(error),
		       handled ? "handled" : "not handled");
		clearerr(silent_stream);
	}
}

/* The first signal restarts the call, the second jumps out of it. */
static void jump_out_second(int signal)
{
	if (++handled == 2)
		jump_out(signal);
}

static void test_restarted(void)
{
	handle(jump_out_second, SA_RESTART);
	for (size_t i = 0; i < WAITS; i++) {
		if (!waits[i].restarts || waits[i].call == wait_stream) /* whose lock stays */
			continue;
		handled = 0;
		if (!sigsetjmp(out, 1)) {
			alarm_ms(10, 10);
			long result = waits[i].call();
			printf("restarted %s: came back, %ld\n", waits[i].name, result);
		} else {
			printf("restarted %s: left by a jump\n", waits[i].name);
		}
		alarm_ms(0, 0);
	}
}

/* So often that whatever is left behind each time would be felt. */
static void test_jumps(void)
{
	char *volatile buffer = fresh();
	handle(jump_out, 0);
	for (volatile int i = 0; i < 300; i++) {
		if (sigsetjmp(out, 1))
			continue;
		alarm_ms(1, 0);
		(void)!(i % 2 ? wait_readv() : read(silent[0], buffer, CHECK_PAGE));
	}
	CHECK_EQUAL(write(silent_socket[1], "after the jumps", 15), 15);
	CHECK_EQUAL(recv(silent_socket[0], buffer, CHECK_PAGE, 0), 15);
	struct stat *status = (struct stat *)(fresh() + HALF - 8);
	CHECK_EQUAL(fstat(silent[0], status), 0);
	CHECK(S_ISFIFO(status->st_mode));
	fork_and_wait();
	fork_and_wait();
	CHECK_EQUAL(fstat(silent[0], status), 0);
	printf("%.15s\n", buffer);
}

/* ---- cancellation ---- */

static sem_t begun;

static void cleaned_up(void *text)
{
	*(const char **)text = "cleaned up";
}

struct victim {
	long (*call)(void);
	const char *text;
	long result;
};

static void *be_cancelled(void *argument)
{
	struct victim *victim = argument;
	pthread_cleanup_push(cleaned_up, &victim->text);
	sem_post(&begun);
	victim->result = victim->call();
	pthread_cleanup_pop(0);
	return NULL;
}

static void *be_cancelled_before(void *argument)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&begun);
	pause_ms(30);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	return be_cancelled(argument);
}

static void *refuse_cancel(void *argument)
{
	struct victim *victim = argument;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&begun);
	victim->result = victim->call();
	return (void *)1;
}

static const char *run_cancelled(void *(*routine)(void *), long (*call)(void), long wait)
{
	static char text[100];
	struct victim victim = {call, "nothing cleaned up", 0};
	pthread_t thread;
	void *result;
	sem_init(&begun, 0, 0);
	CHECK_EQUAL(pthread_create(&thread, NULL, routine, &victim), 0);
	sem_wait(&begun);
	pause_ms(wait);
	CHECK_EQUAL(pthread_cancel(thread), 0);
	CHECK_EQUAL(pthread_join(thread, &result), 0);
	snprintf(text, sizeof(text), "%s, %s, %ld",
		 result == PTHREAD_CANCELED ? "cancelled" : "ended", victim.text, victim.result);
	return text;
}

static long short_poll(void)
{
	struct pollfd *polled = (struct pollfd *)(fresh() + HALF - 4);
	*(int *)polled = silent[0];
	polled->events = POLLIN;
	return poll(polled, 1, 60) + 5;
}

/* No cancellation point lies in there. */
static long never_cancelled(void)
{
	for (int i = 0; i < 2000; i++) {
		lseek(silent[0], 0, SEEK_CUR);
		getpid();
		sched_yield();
	}
	return 3;
}

static void test_cancelled(void)
{
	for (size_t i = 0; i < WAITS; i++) {
		printf("cancel in %s: %s\n", waits[i].name,
		       run_cancelled(be_cancelled, waits[i].call, 20));
		if (waits[i].call == wait_stream) /* its lock stays with the thread */
			break;
	}
	printf("cancel before read: %s\n", run_cancelled(be_cancelled_before, wait_read, 0));
	printf("cancel refused: %s\n", run_cancelled(refuse_cancel, short_poll, 10));
	printf("no cancellation point: %s\n", run_cancelled(refuse_cancel, never_cancelled, 0));
}

/* ---- four threads at once ---- */

#define ROUNDS 400

static void *talk(void *argument)
{
	long seed = (long)argument, wrong = 0;
	int ends[2];
	char data[HALF];
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int round = 0; round < ROUNDS; round++) {
		char *pages = map_anonymous(3),
		     *at = pages + (seed * 911 + round * 37) % CHECK_PAGE;
		size_t size = 1 + (size_t)(round * 53 % HALF);
		memset(data, (int)(seed + round) & 127, size);
		wrong += write(ends[1], data, size) != (ssize_t)size;
		if (round % 3 == 0)
			wrong += read(ends[0], at, 2 * CHECK_PAGE - 1) != (ssize_t)size;
		else if (round % 3 == 1)
			wrong += recv(ends[0], at, size, MSG_WAITALL) != (ssize_t)size;
		else
			wrong += syscall(SYS_read, ends[0], at, size) != (ssize_t)size;
		wrong += memcmp(at, data, size) != 0;
		munmap(pages, 3 * CHECK_PAGE);
	}
	close(ends[0]);
	close(ends[1]);
	return (void *)wrong;
}

static void test_threads(bool forking)
{
	pthread_t threads[4];
	long wrong = 0;
	for (long i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, talk, (void *)i), 0);
	for (int i = 0; forking && i < 20; i++) {
		pid_t child = fork();
		if (!child)
			_exit(0);
		CHECK_EQUAL(wait_for(child), 0);
	}
	for (int i = 0; i < 4; i++) {
		void *result;
		pthread_join(threads[i], &result);
		wrong += (long)result;
	}
	printf("four threads%s: %ld of %d wrong\n", forking ? " and forks" : "", wrong, 4 * ROUNDS);
}

/* ---- waiting while another thread forks ---- */

struct waiter {
	const char *name;
	void *(*routine)(void *);
	int ends[2];
	char *buffer;
	size_t wanted;
	long result;
	int error;
};

static void *waiter_read(void *argument)
{
	struct waiter *waiter = argument;
	waiter->result = read(waiter->ends[0], waiter->buffer, waiter->wanted);
	waiter->error = errno;
	return NULL;
}

static void *waiter_recvmsg(void *argument)
{
	struct waiter *waiter = argument;
	struct iovec parts[2] = {{waiter->buffer, 100},
				 {waiter->buffer + 100, waiter->wanted - 100}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	waiter->result = recvmsg(waiter->ends[0], &message, 0);
	waiter->error = errno;
	return NULL;
}

static void *waiter_fread(void *argument)
{
	struct waiter *waiter = argument;
	FILE *stream = fdopen(dup(waiter->ends[0]), "r");
	setvbuf(stream, NULL, _IONBF, 0);
	waiter->result = (long)fread(waiter->buffer, 1, waiter->wanted, stream);
	waiter->error = errno;
	fclose(stream);
	return NULL;
}

static void test_forks(const char *when, char *(*memory)(void), size_t wanted)
{
	struct waiter waiters[] = {{.name = "read", .routine = waiter_read},
				   {.name = "recvmsg", .routine = waiter_recvmsg},
				   {.name = "fread", .routine = waiter_fread}};
	enum { COUNT = sizeof(waiters) / sizeof(waiters[0]) };
	pthread_t threads[COUNT];
	char *data = malloc(wanted);
	for (int i = 0; i < COUNT; i++) {
		struct waiter *waiter = &waiters[i];
		waiter->buffer = memory();
		waiter->wanted = wanted;
		CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, waiter->ends), 0);
		CHECK_EQUAL(pthread_create(&threads[i], NULL, waiter->routine, waiter), 0);
	}
	pause_ms(60);
	fork_and_wait();
	fork_and_wait();
	for (int i = 0; i < COUNT; i++) {
		struct waiter *waiter = &waiters[i];
		memset(data, 'A' + i, wanted);
		CHECK_EQUAL(write(waiter->ends[1], data, wanted), wanted);
		pthread_join(threads[i], NULL);
		printf("%s while forking, %s: %ld%s%s, data %s\n", waiter->name, when,
		       waiter->result, waiter->result < 0 ? " " : "",
		       waiter->result < 0 ? strerror(waiter->error) : "",
		       memcmp(waiter->buffer, data, wanted) ? "wrong" : "right");
		close(waiter->ends[0]);
		close(waiter->ends[1]);
	}
	free(data);
}

/* ---- memory that goes away meanwhile ---- */

static void test_unmapped(void)
{
	struct waiter waiters[] = {{.name = "read", .routine = waiter_read},
				   {.name = "recvmsg", .routine = waiter_recvmsg}};
	for (int i = 0; i < 2; i++) {
		struct waiter *waiter = &waiters[i];
		pthread_t thread;
		char data[CHECK_PAGE] = {0};
		waiter->buffer = fresh();
		waiter->wanted = CHECK_PAGE;
		CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, waiter->ends), 0);
		CHECK_EQUAL(pthread_create(&thread, NULL, waiter->routine, waiter), 0);
		pause_ms(60);
		CHECK_EQUAL(munmap(waiter->buffer + HALF, CHECK_PAGE), 0);
		CHECK_EQUAL(send(waiter->ends[1], data, sizeof(data), 0), CHECK_PAGE);
		CHECK_EQUAL(send(waiter->ends[1], "next", 4, 0), 4);
		pthread_join(thread, NULL);
		printf("%s into a page that went away: %ld %s", waiter->name, waiter->result,
		       waiter->result < 0 ? strerror(waiter->error) : "");
		printf(", then %zd\n", recv(waiter->ends[0], data, sizeof(data), 0));
	}
}

static char *heap(void)
{
	return malloc(3 * CHECK_PAGE);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Before anything else was forked, and from memory that is not watched until then. */
	test_forks("the first time, heap", heap, CHECK_PAGE);
	test_forks("heap", heap, CHECK_PAGE);
	test_forks("mapping", fresh, CHECK_PAGE);
	test_unmapped();
	prepare();
	test_threads(false);
	test_threads(true);
	test_interrupted();
	test_restarted();
	test_jumps();
	test_cancelled();
	kill(silent_child, SIGKILL);
	msgctl(silent_queue, IPC_RMID, NULL);
	return 0;
}
