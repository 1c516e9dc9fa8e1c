/* Asynchronous input and output: calls that hand the kernel memory to write later. */
#include <linux/aio_abi.h>
#include <stddef.h>

#include "rings.h"
#include "syscall_outputs.h"

#define REGISTERED_BUFFERS_MOST (1U << 14)
#define REGISTER_USES_REGISTERED_RING (1U << 31)

/* Operations that the oldest supported headers do not name. */
enum {
	REGISTER_BUFFERS = 0,
	REGISTER_PROBE = 8,
	REGISTER_BUFFERS2 = 15,
	REGISTER_BUFFERS_UPDATE = 16,
	REGISTER_RING_FDS = 20,
	REGISTER_PBUF_RING = 22
};

struct register_buffers {
	uint32_t count;
	uint32_t flags;
	uint64_t reserved;
	uint64_t iovecs;
	uint64_t tags;
};

struct update_buffers {
	uint32_t offset;
	uint32_t reserved;
	uint64_t iovecs;
	uint64_t tags;
	uint32_t count;
	uint32_t reserved2;
};

struct buffer_ring {
	uint64_t address;
	uint32_t entries;
	uint16_t group;
	uint16_t flags;
};

static void add_request(struct output_list *list, uintptr_t address)
{
	struct iocb request;
	if (!output_read(list, &request, address, sizeof(request)))
		return;
	output_add(list, address, sizeof(request)); /* the kernel fills in aio_key */
	if (request.aio_lio_opcode == IOCB_CMD_PREAD)
		output_add(list, request.aio_buf, request.aio_nbytes);
	else if (request.aio_lio_opcode == IOCB_CMD_PREADV &&
		 request.aio_nbytes <= OUTPUT_IOVECS_MOST)
		output_add_iovecs(list, request.aio_buf, request.aio_nbytes);
}

/* Data of direct requests arrives later; their pages are pinned here, so they must be open here. */
void outputs_io_submit(struct output_list *list, const long *args)
{
	uint64_t request;
	for (long i = 0; i < args[1] && list->count <= list->most; i++) {
		uintptr_t slot = (uintptr_t)args[2] + (uintptr_t)i * sizeof(request);
		if (!output_read(list, &request, slot, sizeof(request)))
			return;
		add_request(list, request);
	}
}

/*
 * Rings in memory of the program are pinned at set-up. Sizes: powers of two, a completion ring
 * of twice the submissions unless the program names its size; entries of double size.
 */
void outputs_io_uring_setup(struct output_list *list, const long *args)
{
	struct ring_parameters ring;
	uintptr_t address = (uintptr_t)args[1];
	output_add(list, address, sizeof(ring));
	if (!output_read(list, &ring, address, sizeof(ring)) || !(ring.flags & RING_NO_MMAP))
		return;
	uintptr_t submissions = 2 * (uintptr_t)(uint32_t)args[0];
	uintptr_t completions = 2 * (submissions + ring.completions);
	output_add(list, ring.submission_offsets.address, KIB(4) + submissions * 128);
	output_add(list, ring.completion_offsets.address,
		   KIB(4) + completions * 32 + submissions * 4);
}

static void add_registered(struct output_list *list, uintptr_t iovecs, uint32_t count)
{
	if (count <= REGISTERED_BUFFERS_MOST)
		output_add_iovecs(list, iovecs, count);
}

/* Registered memory is pinned for writing, whatever it will serve for. */
void outputs_io_uring_register(struct output_list *list, const long *args)
{
	uint32_t operation = (uint32_t)args[1] & ~REGISTER_USES_REGISTERED_RING;
	uint32_t count = (uint32_t)args[3];
	uintptr_t address = (uintptr_t)args[2];
	struct register_buffers buffers;
	struct update_buffers update;
	struct buffer_ring ring;
	switch (operation) {
	case REGISTER_BUFFERS: add_registered(list, address, count); return;
	case REGISTER_BUFFERS2:
		if (output_read(list, &buffers, address, sizeof(buffers)))
			add_registered(list, buffers.iovecs, buffers.count);
		return;
	case REGISTER_BUFFERS_UPDATE:
		if (output_read(list, &update, address, sizeof(update)))
			add_registered(list, update.iovecs, update.count);
		return;
	case REGISTER_PROBE: output_add(list, address, 16 + (uintptr_t)count * 8); return;
	case REGISTER_RING_FDS: output_add(list, address, (uintptr_t)count * 16); return;
	case REGISTER_PBUF_RING:
		if (output_read(list, &ring, address, sizeof(ring)))
			output_add(list, ring.address, (uintptr_t)ring.entries * 16);
		output_add(list, address, 64);
		return;
	}
	/* Settings that are read and answered in place, the newer ones with pointers to memory. */
	if (!output_is_address(address))
		return;
	output_add(list, address, 256);
	output_add_pointed(list, address, 64, MIB(1), 2);
}
