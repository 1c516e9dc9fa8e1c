/*
 * ioctl requests. A request number says direction and size of its structure, and three things
 * break that: numbers older than the scheme, structures with arrays behind them or pointers
 * inside, and definitions that are plainly wrong (TUNSETIFF claims to read an int and writes a
 * struct ifreq). So: at least LEAST bytes, and rules by the type byte of the request.
 */
#include <linux/fiemap.h>
#include <linux/ioctl.h>
#include <stddef.h>

#include "syscall_outputs.h"

#define LEAST 256
#define POINTERS_SPAN MIB(1)
#define SCAN_MOST 512

#define REQUEST_FIEMAP 0xc020660bU
#define REQUEST_PAGEMAP_SCAN 0xc0606610U
#define REQUEST_BTRFS_SEARCH_V2 0xc0709411U
#define REQUEST_BLOCK_ZONES 0xc0101282U
#define REQUEST_VFIO_MAP_DMA 0x3b71U
#define REQUEST_SG_IO 0x2285U
#define REQUEST_INTERFACES 0x8912U /* SIOCGIFCONF */
#define TYPE_KVM 0xae
#define NUMBER_KVM_MEMORY_REGION 0x46
#define NUMBER_KVM_MEMORY_REGION2 0x49
#define TYPE_DEVICE_MAPPER 0xfd
#define TYPE_TERMINAL 'T'
#define TYPE_SOCKET 0x89
#define TYPE_VFIO ';'

/* Families whose structures reach further than their size says. */
static const struct ioctl_family {
	uint8_t type;
	uint8_t depth;   /* levels of pointers to follow; even where it claims to write only */
	uint32_t length; /* arrays may follow the structure for so long */
	uint32_t span;   /* bytes behind a pointer */
} families[] = {
	{'d', 2, LEAST, KIB(64)},       /* graphics */
	{'A', 2, LEAST, MIB(1)},        /* sound */
	{'U', 1, LEAST, MIB(1)},        /* USB */
	{'V', 1, LEAST, MIB(32)},       /* video frames */
	{'N', 1, LEAST, MIB(16)},       /* NVMe */
	{'X', 1, MIB(1), MIB(1)},       /* XFS; file system maps */
	{'H', 0, KIB(64), 0},           /* Bluetooth lists */
	{'$', 0, KIB(4), 0},            /* perf */
	{0x1b, 1, KIB(4), MIB(1)},      /* RDMA */
	{0x94, 2, KIB(64), KIB(64)},    /* btrfs; file ranges to compare */
	{TYPE_KVM, 1, KIB(64), MIB(1)}, /* arrays of registers and features */
	{TYPE_DEVICE_MAPPER, 0, LEAST, 0},
};

static const struct ioctl_family family_default = {
	.depth = 1,
	.length = LEAST,
	.span = POINTERS_SPAN,
};

static const struct ioctl_family *ioctl_family(uint32_t type)
{
	for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].type == type)
			return &families[i];
	}
	return &family_default;
}

static uint64_t word_at(const struct output_list *list, uintptr_t address, uintptr_t bytes)
{
	uint64_t word = 0;
	return output_read(list, &word, address, bytes) ? word : 0;
}

/* Structures that say themselves how much memory they lead to. */
static void ioctl_by_content(struct output_list *list, uint32_t request, uintptr_t arg)
{
	uint32_t type = _IOC_TYPE(request), number = _IOC_NR(request);
	uintptr_t length;
	switch (request) {
	case REQUEST_FIEMAP: /* fm_extent_count */
		length = word_at(list, arg + 24, 4) * sizeof(struct fiemap_extent);
		output_add(list, arg, sizeof(struct fiemap) + length);
		return;
	case REQUEST_PAGEMAP_SCAN: /* vec, vec_len in entries of 24 bytes */
		output_add(list, word_at(list, arg + 40, 8), word_at(list, arg + 48, 8) * 24);
		return;
	case REQUEST_BTRFS_SEARCH_V2:
		output_add(list, arg, 112 + word_at(list, arg + 104, 8));
		return;
	case REQUEST_BLOCK_ZONES:
		output_add(list, arg, 16 + word_at(list, arg + 8, 4) * 64);
		return;
	case REQUEST_INTERFACES: /* ifc_len, ifc_buf */
		output_add(list, word_at(list, arg + 8, 8), word_at(list, arg, 4));
		return;
	case REQUEST_VFIO_MAP_DMA: /* pinned for writing by a device */
		output_add(list, word_at(list, arg + 8, 8), word_at(list, arg + 24, 8));
		return;
	}
	if (type == TYPE_DEVICE_MAPPER)
		output_add(list, arg, word_at(list, arg + 12, 4));
	if (type == TYPE_KVM &&
	    (number == NUMBER_KVM_MEMORY_REGION || number == NUMBER_KVM_MEMORY_REGION2))
		output_add(list, word_at(list, arg + 24, 8), word_at(list, arg + 16, 8));
}

static void ioctl_sized(struct output_list *list, uint32_t request, uintptr_t arg)
{
	const struct ioctl_family *family = ioctl_family(_IOC_TYPE(request));
	uint32_t size = _IOC_SIZE(request);
	uint32_t scan = size < SCAN_MOST ? size : SCAN_MOST;
	output_add(list, arg, size > family->length ? size : family->length);
	/* Where nothing is read, the structure still holds what was on the stack before. */
	if (family != &family_default || (_IOC_DIR(request) & _IOC_WRITE))
		output_add_pointed(list, arg, family->depth ? scan : 0, family->span,
				   family->depth);
}

/* struct sg_io_hdr: iovec_count, dxfer_len, dxferp. */
static void add_scsi(struct output_list *list, uintptr_t arg)
{
	uint64_t iovecs = word_at(list, arg + 10, 2);
	uint64_t data = word_at(list, arg + 16, 8);
	if (iovecs)
		output_add_iovecs(list, data, iovecs);
	else
		output_add(list, data, word_at(list, arg + 12, 4));
	output_add_pointed(list, arg, 160, KIB(64), 1);
}

/* Questions to a socket that are asked often and answered inside the structure. */
static bool socket_request_plain(uint32_t number)
{
	return (number >= 0x01 && number <= 0x07) || /* owner, mark, time stamps */
	       (number >= 0x12 && number <= 0x27) || /* SIOCGIFCONF to SIOCSIFHWADDR */
	       number == 0x33 ||                     /* SIOCGIFINDEX */
	       (number >= 0x53 && number <= 0x55);   /* ARP */
}

/* Numbers without direction and size: nothing tells whether the argument is a pointer at all. */
static void ioctl_legacy(struct output_list *list, uint32_t request, uintptr_t arg)
{
	uint32_t type = _IOC_TYPE(request), number = _IOC_NR(request);
	if (type == TYPE_TERMINAL) {
		output_add(list, arg, LEAST);
	} else if (type == TYPE_SOCKET) {
		output_add(list, arg, LEAST);
		if (!socket_request_plain(number))
			output_add_pointed(list, arg, 40, POINTERS_SPAN, 1);
	} else if (request == REQUEST_SG_IO) {
		output_add(list, arg, LEAST);
		add_scsi(list, arg);
	} else {
		/* VFIO and IOMMUFD begin with the size; consoles and drives have up to some KiB. */
		uintptr_t length = type == TYPE_VFIO ? word_at(list, arg, 4) : KIB(16);
		output_add(list, arg, length > LEAST ? length : LEAST);
		output_add_pointed(list, arg, 128, POINTERS_SPAN, 2);
	}
}

void outputs_ioctl(struct output_list *list, const long *args)
{
	uint32_t request = (uint32_t)args[1];
	uintptr_t arg = (uintptr_t)args[2];
	if (!output_is_address(arg))
		return;
	ioctl_by_content(list, request, arg);
	if (request == REQUEST_PAGEMAP_SCAN) /* its other addresses are only looked at */
		output_add(list, arg, _IOC_SIZE(request));
	else if (_IOC_DIR(request) != _IOC_NONE && _IOC_SIZE(request))
		ioctl_sized(list, request, arg);
	else
		ioctl_legacy(list, request, arg);
}
