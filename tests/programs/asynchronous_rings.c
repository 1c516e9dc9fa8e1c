/*
 * io_uring: requests that are done after a fork has protected their memory anew, and what they read
 * arrives. Prints a transcript: plain and watched must be equal. Without liburing, for each request
 * is put into the queue by hand; tests/real has programs that use it.
 */
#include "check.h"

#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#define ENTRIES 16
#define WANTED 600

struct ring {
	int fd;
	unsigned *head, *tail, *mask, *array;
	unsigned *done_head, *done_tail, *done_mask;
	struct io_uring_sqe *requests;
	struct io_uring_cqe *results;
};

static struct ring ring_make(unsigned flags)
{
	struct io_uring_params p = {.flags = flags};
	struct ring ring = {.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p)};
	CHECK(ring.fd >= 0);
	size_t size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	char *queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			   IORING_OFF_SQ_RING);
	ring.requests = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
			     PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	CHECK(queue != MAP_FAILED && ring.requests != MAP_FAILED);
	ring.head = (unsigned *)(queue + p.sq_off.head);
	ring.tail = (unsigned *)(queue + p.sq_off.tail);
	ring.mask = (unsigned *)(queue + p.sq_off.ring_mask);
	ring.array = (unsigned *)(queue + p.sq_off.array);
	ring.done_head = (unsigned *)(queue + p.cq_off.head);
	ring.done_tail = (unsigned *)(queue + p.cq_off.tail);
	ring.done_mask = (unsigned *)(queue + p.cq_off.ring_mask);
	ring.results = (struct io_uring_cqe *)(queue + p.cq_off.cqes);
	return ring;
}

static struct io_uring_sqe *request(struct ring *ring, int operation, int fd, const void *address,
				    unsigned length)
{
	unsigned at = *ring->tail & *ring->mask;
	struct io_uring_sqe *sqe = &ring->requests[at];
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = (uint8_t)operation;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)address;
	sqe->len = length;
	ring->array[at] = at;
	__atomic_store_n(ring->tail, *ring->tail + 1, __ATOMIC_RELEASE);
	return sqe;
}

static void submit(struct ring *ring, unsigned count)
{
	CHECK_EQUAL(syscall(SYS_io_uring_enter, ring->fd, count, 0, 0, NULL, 0), count);
}

static int result(struct ring *ring)
{
	while (__atomic_load_n(ring->done_tail, __ATOMIC_ACQUIRE) == *ring->done_head)
		CHECK_EQUAL(syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS,
				    NULL, 0),
			    0);
	int value = ring->results[*ring->done_head & *ring->done_mask].res;
	__atomic_store_n(ring->done_head, *ring->done_head + 1, __ATOMIC_RELEASE);
	return value;
}

static void fork_and_wait(void)
{
	pid_t child = fork();
	if (!child)
		_exit(0);
	CHECK_EQUAL(wait_for(child), 0);
}

/* ---- requests that wait for data over a fork ---- */

static char data[WANTED];

static char *fresh(void)
{
	return map_anonymous(3) + CHECK_PAGE - 300;
}

static char *heap(void)
{
	return malloc(3 * CHECK_PAGE);
}

/* What the child of a fork would see is of no interest; what the parent gets is. */
static void finish(struct ring *ring, const char *name, int writer, const char *at)
{
	fork_and_wait();
	memset(data, name[0], sizeof(data));
	CHECK_EQUAL(write(writer, data, WANTED), WANTED);
	int got = result(ring);
	printf("%s: %d, data %s\n", name, got, memcmp(at, data, WANTED) ? "wrong" : "right");
}

static void test_waiting(const char *name, struct ring *ring, char *(*memory)(void))
{
	int ends[2];
	char *at = memory();
	printf("%s:\n", name);
	CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	request(ring, IORING_OP_READ, ends[0], at, WANTED)->off = (uint64_t)-1;
	submit(ring, 1);
	finish(ring, "read", ends[1], at);

	at = memory();
	struct iovec *parts = calloc(2, sizeof(*parts));
	parts[0] = (struct iovec){at, 100};
	parts[1] = (struct iovec){at + 100, WANTED - 100};
	request(ring, IORING_OP_READV, ends[0], parts, 2)->off = (uint64_t)-1;
	submit(ring, 1);
	finish(ring, "vector", ends[1], at);

	at = memory();
	request(ring, IORING_OP_RECV, ends[0], at, WANTED);
	submit(ring, 1);
	finish(ring, "recv", ends[1], at);

	at = memory();
	struct msghdr *message = (struct msghdr *)(memory() + 280);
	parts[0] = (struct iovec){at, WANTED};
	*message = (struct msghdr){.msg_iov = parts, .msg_iovlen = 1, .msg_flags = -1};
	request(ring, IORING_OP_RECVMSG, ends[0], message, 1);
	submit(ring, 1);
	finish(ring, "message", ends[1], at);
	printf("flags %d\n", message->msg_flags);

	char *pool = memory();
	request(ring, IORING_OP_PROVIDE_BUFFERS, 1, pool, WANTED)->buf_group = 7;
	submit(ring, 1);
	printf("provide: %d\n", result(ring));
	struct io_uring_sqe *sqe = request(ring, IORING_OP_RECV, ends[0], NULL, WANTED);
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 7;
	submit(ring, 1);
	finish(ring, "pool", ends[1], pool);
	close(ends[0]);
	close(ends[1]);
}

static void test_accept(struct ring *ring)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX}, *peer = (void *)fresh();
	socklen_t *length = (socklen_t *)(fresh() + 298);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), from = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	CHECK_EQUAL(bind(from, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	socklen_t size = sizeof(address);
	CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	CHECK_EQUAL(listen(listener, 1), 0);
	*length = sizeof(*peer);
	request(ring, IORING_OP_ACCEPT, listener, peer, 0)->addr2 = (uintptr_t)length;
	submit(ring, 1);
	fork_and_wait();
	CHECK_EQUAL(connect(from, (struct sockaddr *)&address, size), 0);
	printf("accept: %d", result(ring) >= 0);
	printf(", family %d, length %u\n", peer->sun_family, *length);
}

/* Done at once, or by a worker of the kernel's. */
static void test_files(struct ring *ring)
{
	int fd = file_of_pages(8);
	char *at[8];
	for (int i = 0; i < 8; i++) {
		at[i] = fresh();
		struct io_uring_sqe *sqe = request(ring, IORING_OP_READ, fd, at[i], WANTED);
		sqe->off = (uint64_t)i * CHECK_PAGE;
		sqe->flags = i % 2 ? IOSQE_ASYNC : 0;
	}
	submit(ring, 8);
	for (int i = 0; i < 8; i++)
		printf("file: %d\n", result(ring));
	for (int i = 0; i < 8; i++)
		printf("%c%c", at[i][0], at[i][WANTED - 1]);
	struct statx *status = (struct statx *)fresh();
	struct io_uring_sqe *sqe = request(ring, IORING_OP_STATX, fd, "", STATX_SIZE);
	sqe->off = (uintptr_t)status;
	sqe->statx_flags = AT_EMPTY_PATH;
	submit(ring, 1);
	printf("\nstatx: %d", result(ring));
	printf(", size %llu\n", (unsigned long long)status->stx_size);
	request(ring, IORING_OP_READ, fd, (void *)16, WANTED);
	submit(ring, 1);
	printf("bad address: %d\n", result(ring));
}

static void test_registered(struct ring *ring)
{
	int ends[2];
	char *at = fresh();
	struct iovec buffer = {at, WANTED};
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &buffer, 1),
		    0);
	fork_and_wait();
	request(ring, IORING_OP_READ_FIXED, ends[0], at, WANTED);
	submit(ring, 1);
	finish(ring, "registered", ends[1], at);
	CHECK_EQUAL(syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0),
		    0);
}

/* Threads that submit to one ring, and forks meanwhile. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct ring *shared;
static int files;

static void *submit_many(void *argument)
{
	long wrong = 0;
	for (int i = 0; i < 100; i++) {
		char *pages = map_anonymous(1);
		pthread_mutex_lock(&turn);
		request(shared, IORING_OP_READ, files, pages, WANTED)->off = (uint64_t)(i % 4) *
									     CHECK_PAGE;
		submit(shared, 1);
		wrong += result(shared) != WANTED || pages[WANTED - 1] != 'a' + i % 4;
		pthread_mutex_unlock(&turn);
		munmap(pages, CHECK_PAGE);
	}
	(void)argument;
	return (void *)wrong;
}

static void test_threads(struct ring *ring)
{
	pthread_t threads[4];
	long wrong = 0;
	shared = ring;
	files = file_of_pages(4);
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, submit_many, NULL), 0);
	for (int i = 0; i < 10; i++)
		fork_and_wait();
	for (int i = 0; i < 4; i++) {
		void *count;
		pthread_join(threads[i], &count);
		wrong += (long)count;
	}
	printf("threads: %ld wrong\n", wrong);
}

static __attribute__((noinline)) void write_one(char *page)
{
	*(volatile char *)page = 1;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct io_uring_params none = {0};
	if (syscall(SYS_io_uring_setup, 0, &none) == -1 && (errno == ENOSYS || errno == EPERM)) {
		puts("no io_uring here");
		return 0;
	}
	struct ring ring = ring_make(0);
	test_waiting("memory that nothing watches yet", &ring, heap);
	test_waiting("heap", &ring, heap);
	test_waiting("mapping", &ring, fresh);
	test_accept(&ring);
	test_files(&ring);
	test_registered(&ring);
	test_threads(&ring);
	/* All else is still watched. */
	char *pages = map_anonymous(3);
	write_one(pages + CHECK_PAGE);
	expect_pages(pages, ".C.");
	expect_stack("write_one", "fill", 1);
	return 0;
}
