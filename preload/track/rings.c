#include "rings.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/sys.h"

#define RINGS_MOST 1024

enum { /* setup flags, up to the last one that is known to change nothing here */
       SETUP_SQPOLL = 1 << 1,
       SETUP_SQE128 = 1 << 10,
       SETUP_REGISTERED_FD_ONLY = 1 << 15,
       SETUP_NO_SQARRAY = 1 << 16,
       SETUP_NEWEST = 1 << 18
};

/* What the offset of a mapping of the descriptor names. */
#define OFFSET_SUBMISSION_RING 0
#define OFFSET_ENTRIES 0x10000000UL

struct ring {
	int fd;
	struct ring_parameters parameters;
	uintptr_t queue;   /* the submission ring as the program maps it; 0: not known */
	uintptr_t entries; /* the submission entries */
};

/* Never removed: a descriptor that is closed is no ring for the kernel either. */
static struct ring rings[RINGS_MOST];
static unsigned ring_count;
static bool too_many;

bool rings_can_see(uint32_t flags)
{
	return !(flags & (SETUP_SQPOLL | SETUP_REGISTERED_FD_ONLY)) && flags < SETUP_NEWEST << 1;
}

static struct ring *ring_find(int fd)
{
	for (unsigned i = 0; i < ring_count; i++)
		if (rings[i].fd == fd)
			return &rings[i];
	return NULL;
}

void rings_add(int fd, const struct ring_parameters *parameters)
{
	struct ring *ring = ring_find(fd);
	if (!ring && ring_count == RINGS_MOST) {
		too_many = true;
		return;
	}
	if (!ring)
		ring = &rings[ring_count++];
	*ring = (struct ring){.fd = fd, .parameters = *parameters};
	if (parameters->flags & RING_NO_MMAP) {
		ring->queue = parameters->completion_offsets.address;
		ring->entries = parameters->submission_offsets.address;
	}
}

void rings_mapped(int fd, uint64_t offset, uintptr_t address)
{
	struct ring *ring = ring_find(fd);
	if (ring && offset == OFFSET_SUBMISSION_RING)
		ring->queue = address;
	else if (ring && offset == OFFSET_ENTRIES)
		ring->entries = address;
}

bool rings_any(void)
{
	return ring_count;
}

bool rings_known(int fd)
{
	return !too_many && ring_find(fd);
}

/* --- the requests --- */

/* struct io_uring_sqe */
struct request {
	uint8_t operation;
	uint8_t flags;
	uint16_t priority;
	int32_t fd;
	uint64_t address2; /* or an offset */
	uint64_t address;
	uint32_t length;
	uint32_t more[9];
};

/* IORING_OP_, where the kernel writes memory that the request names, or it cannot be said. */
enum {
	REQUEST_READV = 1,
	REQUEST_RECVMSG = 10,
	REQUEST_ACCEPT = 13,
	REQUEST_FILES_UPDATE = 20,
	REQUEST_STATX = 21,
	REQUEST_READ = 22,
	REQUEST_RECV = 27,
	REQUEST_PROVIDE_BUFFERS = 31,
	REQUEST_FGETXATTR = 43,
	REQUEST_GETXATTR = 44,
	REQUEST_URING_CMD = 46,
	REQUEST_WAITID = 50,
	REQUEST_FUTEX_WAIT = 51,
	REQUEST_FUTEX_WAKE = 52,
	REQUEST_FUTEX_WAITV = 53,
	REQUEST_EPOLL_WAIT = 59,
	REQUEST_PIPE = 62,
	REQUEST_NEWEST = 62
};

#define STATX_SIZE 256
#define SIGINFO_SIZE 128
#define FUTEX_WORD 16

static void add_waitv(struct output_list *list, const struct request *request)
{
	const long args[6] = {(long)request->address, request->length};
	outputs_futex_waitv(list, args);
}

static bool add_request(struct output_list *list, const struct request *request)
{
	uintptr_t address = request->address, length = request->length;
	switch (request->operation) {
	case REQUEST_READ:
	case REQUEST_RECV: output_add(list, address, length); return true;
	case REQUEST_READV:
		if (length <= OUTPUT_IOVECS_MOST)
			output_add_iovecs(list, address, length);
		return true;
	case REQUEST_RECVMSG: output_add_msghdr(list, address); return true;
	case REQUEST_ACCEPT: output_add_value(list, address, request->address2); return true;
	case REQUEST_FILES_UPDATE: output_add(list, address, length * sizeof(int)); return true;
	case REQUEST_STATX: output_add(list, request->address2, STATX_SIZE); return true;
	case REQUEST_PROVIDE_BUFFERS: /* fd is their number */
		output_add(list, address, length * (uint32_t)request->fd);
		return true;
	case REQUEST_FGETXATTR:
	case REQUEST_GETXATTR: output_add(list, request->address2, length); return true;
	case REQUEST_WAITID: output_add(list, request->address2, SIGINFO_SIZE); return true;
	case REQUEST_FUTEX_WAIT:
	case REQUEST_FUTEX_WAKE: output_add(list, address, FUTEX_WORD); return true;
	case REQUEST_FUTEX_WAITV: add_waitv(list, request); return true;
	case REQUEST_EPOLL_WAIT:
		output_add(list, address, length * sizeof(struct epoll_event));
		return true;
	case REQUEST_PIPE: output_add(list, address, 2 * sizeof(int)); return true;
	default:
		return request->operation != REQUEST_URING_CMD &&
		       request->operation <= REQUEST_NEWEST;
	}
}

/* --- the queue --- */

static bool read_word(const struct output_list *list, uintptr_t address, uint32_t *word)
{
	return output_read(list, word, address, sizeof(*word));
}

/* Entry number `at` of the queue: its place among the entries lies in the ring, or is just that. */
static bool add_entry(struct output_list *list, const struct ring *ring, uint32_t mask, uint32_t at)
{
	uint32_t flags = ring->parameters.flags, index = at & mask;
	struct request request;
	if (!(flags & SETUP_NO_SQARRAY) &&
	    !read_word(list, ring->queue + ring->parameters.submission_offsets.array + index * 4UL,
		       &index))
		return false;
	if (index > mask) /* the kernel drops it */
		return true;
	uintptr_t size = flags & SETUP_SQE128 ? 2 * sizeof(request) : sizeof(request);
	return output_read(list, &request, ring->entries + index * size, sizeof(request)) &&
	       add_request(list, &request);
}

struct queue {
	uint32_t head, tail, mask;
};

static bool read_queue(const struct output_list *list, const struct ring *ring, struct queue *queue)
{
	const struct ring_parameters *parameters = &ring->parameters;
	if (!ring->queue || !ring->entries ||
	    !read_word(list, ring->queue + parameters->submission_offsets.head, &queue->head) ||
	    !read_word(list, ring->queue + parameters->submission_offsets.tail, &queue->tail) ||
	    !read_word(list, ring->queue + parameters->submission_offsets.mask, &queue->mask))
		return false;
	if (queue->tail - queue->head > parameters->submissions)
		queue->tail = queue->head + parameters->submissions; /* what the kernel takes */
	return true;
}

/*
 * All that wait, not only those that this call will take: of several threads that submit at a time
 * nobody can say which one takes which.
 */
static bool add_ring(struct output_list *list, const struct ring *ring, const struct queue *queue)
{
	for (uint32_t at = queue->head; at != queue->tail; at++)
		if (!add_entry(list, ring, queue->mask, at))
			return false;
	return true;
}

/* Of all rings, some were closed and unmapped. */
static bool add_all(struct output_list *list)
{
	struct queue queue;
	for (unsigned i = 0; i < ring_count; i++)
		if (read_queue(list, &rings[i], &queue) && !add_ring(list, &rings[i], &queue))
			return false;
	return !too_many;
}

bool rings_outputs(struct output_list *list, int fd)
{
	struct queue queue;
	const struct ring *ring = fd < 0 ? NULL : ring_find(fd);
	if (fd < 0)
		return add_all(list);
	return ring && read_queue(list, ring, &queue) && add_ring(list, ring, &queue);
}

#define ENTER_REGISTERED_RING (1U << 4)

int rings_entered(const long *args)
{
	return args[3] & ENTER_REGISTERED_RING ? -1 : (int)args[0];
}

void outputs_io_uring_enter(struct output_list *list, const long *args)
{
	if ((uint32_t)args[1])
		rings_outputs(list, rings_entered(args));
}
