#include "syscall_table.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/sys.h"
#include "syscall_outputs.h"

/* clang-format off */
#define NOTHING(nr, text) [nr] = {.name = (text)},
#define WRITES(nr, text, ...) [nr] = {.name = (text), .outputs = {__VA_ARGS__}},
#define COMPUTED(nr, text, function) [nr] = {.name = (text), .compute = (function)},

#define FIXED(pointer, bytes) {.kind = OUTPUT_FIXED, .argument = (pointer), .size = (bytes)}
#define ARRAY(pointer, n, bytes) \
	{.kind = OUTPUT_ARRAY, .argument = (pointer), .count = (n), .size = (bytes)}
#define INTS(pointer, n, bytes) \
	{.kind = OUTPUT_INTS, .argument = (pointer), .count = (n), .size = (bytes)}
#define BYTES(pointer, n) ARRAY(pointer, n, 1)
#define BYTES_MOST(pointer, n, most) \
	{.kind = OUTPUT_ARRAY, .argument = (pointer), .count = (n), .size = 1, .limit = (most)}
#define INT_BYTES(pointer, n) INTS(pointer, n, 1)
#define BITS(pointer, n) {.kind = OUTPUT_BITS, .argument = (pointer), .count = (n)}
#define PAGES(pointer, n) {.kind = OUTPUT_PAGES, .argument = (pointer), .count = (n)}
#define VALUE(pointer, n) {.kind = OUTPUT_VALUE, .argument = (pointer), .count = (n)}
#define IOVEC(pointer, n) {.kind = OUTPUT_IOVEC, .argument = (pointer), .count = (n)}
#define MSGHDR(pointer) {.kind = OUTPUT_MSGHDR, .argument = (pointer)}
#define MMSGHDR(pointer, n) {.kind = OUTPUT_MMSGHDR, .argument = (pointer), .count = (n)}
/* clang-format on */

static const struct syscall_entry entries[] = {
#include "syscall_table_arch.h"
};

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

#define ADDRESS_LOWEST KIB(64)
#define ADDRESS_END ((uintptr_t)1 << 56) /* user addresses with five page-table levels */
#define UNKNOWN_CALL_SPAN KIB(64)

/* So many of the latest ranges are tried for joining: a call may have thousands. */
#define JOIN_BACK 8

/* Read at a time: the program's stack may be small. */
#define IOVEC_PIECE 4

const struct syscall_entry *syscall_entry(long nr)
{
	/* The kernel, too, looks at the lower half of the register only. */
	uint32_t index = (uint32_t)nr;
	return index < ENTRIES && entries[index].name ? &entries[index] : NULL;
}

static bool output_join(struct output_range *range, uintptr_t start, uintptr_t end)
{
	uintptr_t range_end = range->start + range->length;
	if (start > range_end || end < range->start)
		return false;
	start = start < range->start ? start : range->start;
	end = end > range_end ? end : range_end;
	*range = (struct output_range){start, end - start};
	return true;
}

void output_add(struct output_list *list, uintptr_t start, uintptr_t length)
{
	if (!start || !length)
		return;
	if (length > OUTPUT_TRANSFER_MOST)
		length = OUTPUT_TRANSFER_MOST;
	if (start + length < start)
		length = UINTPTR_MAX - start;
	unsigned last = list->count < list->most ? list->count : list->most;
	for (unsigned i = last > JOIN_BACK ? last - JOIN_BACK : 0; i < last; i++) {
		if (output_join(&list->ranges[i], start, start + length))
			return;
	}
	if (list->count < list->most)
		list->ranges[list->count] = (struct output_range){start, length};
	if (list->count <= list->most)
		list->count++;
}

bool output_read(const struct output_list *list, void *to, uintptr_t from, uintptr_t size)
{
	return from && from + size > from && list->read(to, from, size) == 0;
}

void output_add_iovecs(struct output_list *list, uintptr_t array, uintptr_t count)
{
	unsigned before = list->count;
	struct iovec piece[IOVEC_PIECE];
	while (count && list->count <= list->most) {
		uintptr_t some = count < IOVEC_PIECE ? count : IOVEC_PIECE;
		if (!output_read(list, piece, array, some * sizeof(piece[0]))) {
			list->count = before;
			return;
		}
		for (uintptr_t i = 0; i < some; i++)
			output_add(list, (uintptr_t)piece[i].iov_base, piece[i].iov_len);
		array += some * sizeof(piece[0]);
		count -= some;
	}
}

bool output_is_address(uintptr_t value)
{
	return value >= ADDRESS_LOWEST && value < ADDRESS_END;
}

void output_add_pointed(struct output_list *list, uintptr_t address, uintptr_t size, uintptr_t span,
			unsigned depth)
{
	uintptr_t word;
	/* Word by word: memory may end inside what is only guessed to be the structure. */
	for (uintptr_t at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
		if (!output_read(list, &word, address + at, sizeof(word)))
			return;
		if (!output_is_address(word))
			continue;
		output_add(list, word, span);
		if (depth > 1)
			output_add_pointed(list, word, 64, span, depth - 1);
	}
}

static void add_counted(struct output_list *list, const struct output *output, const long *args,
			uintptr_t count)
{
	uintptr_t limit = output->limit ? output->limit : OUTPUT_TRANSFER_MOST;
	uintptr_t length = count > limit / output->size ? limit : count * output->size;
	output_add(list, (uintptr_t)args[output->argument], length);
}

void output_add_value(struct output_list *list, uintptr_t address, uintptr_t length_at)
{
	int32_t length;
	if (!address || !output_read(list, &length, length_at, sizeof(length)))
		return;
	output_add(list, length_at, sizeof(length));
	if (length > 0)
		output_add(list, address, (uintptr_t)length);
}

static void add_mmsghdrs(struct output_list *list, uintptr_t array, uint32_t count)
{
	count = count < OUTPUT_IOVECS_MOST ? count : OUTPUT_IOVECS_MOST;
	output_add(list, array, count * sizeof(struct mmsghdr));
	for (uint32_t i = 0; i < count && list->count <= list->most; i++)
		output_add_msghdr(list, array + i * sizeof(struct mmsghdr));
}

static void add_output(struct output_list *list, const struct output *output, const long *args)
{
	uintptr_t address = (uintptr_t)args[output->argument];
	uintptr_t count = (uintptr_t)args[output->count];
	int32_t small = (int32_t)count;
	if (!address)
		return;
	switch ((enum output_kind)output->kind) {
	case OUTPUT_NONE: return;
	case OUTPUT_FIXED: output_add(list, address, output->size); return;
	case OUTPUT_ARRAY: add_counted(list, output, args, count); return;
	case OUTPUT_INTS: add_counted(list, output, args, small > 0 ? (uintptr_t)small : 0); return;
	case OUTPUT_BITS:
		output_add(list, address, small > 0 ? ((uintptr_t)small + 63) / 64 * 8 : 0);
		return;
	case OUTPUT_PAGES: output_add(list, address, (count + PAGE_SIZE - 1) / PAGE_SIZE); return;
	case OUTPUT_VALUE: output_add_value(list, address, count); return;
	case OUTPUT_IOVEC:
		if (count <= OUTPUT_IOVECS_MOST)
			output_add_iovecs(list, address, count);
		return;
	case OUTPUT_MSGHDR: output_add_msghdr(list, address); return;
	case OUTPUT_MMSGHDR: add_mmsghdrs(list, address, (uint32_t)count); return;
	}
}

static void add_unknown(struct output_list *list, const long *args)
{
	for (int i = 0; i < 6; i++) {
		if (output_is_address((uintptr_t)args[i]))
			output_add(list, (uintptr_t)args[i], UNKNOWN_CALL_SPAN);
	}
}

unsigned syscall_outputs(long nr, const long args[6], struct output_range *ranges, unsigned most,
			 syscall_read_memory read)
{
	struct output_list list = {.ranges = ranges, .most = most, .read = read};
	const struct syscall_entry *entry = syscall_entry(nr);
	if (!entry)
		add_unknown(&list, args);
	else if (entry->compute)
		entry->compute(&list, args);
	else
		for (int i = 0; i < SYSCALL_OUTPUTS && entry->outputs[i].kind; i++)
			add_output(&list, &entry->outputs[i], args);
	return list.count;
}
