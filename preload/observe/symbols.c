#include "observe/symbols.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "observe/elf_file.h"
#include "observe/maps.h"

#define BLOCK_SIZE ((size_t)64 << 10)
#define FUNCTION_SIZE_MOST 1024

/* Names are copied into blocks that are given back together. */
struct symbol_block {
	struct symbol_block *next;
	size_t used;
	char bytes[];
};

/* The module being collected: neighbouring lines of one file that hold addresses of ours. */
struct module {
	char path[PATH_MAX];
	uint64_t inode;
	size_t first, end; /* of the symbols in it */
};

struct resolver {
	struct symbols *symbols;
	struct elf_match *matches; /* beside symbols->list, `address` first a file offset */
	char *buffer;
	struct module *module;
	size_t next; /* symbols below it lie below the current line */
};

static const char *keep_name(struct symbols *symbols, const char *name, size_t length)
{
	struct symbol_block *block = symbols->names;
	char *kept;

	if (!block || BLOCK_SIZE - sizeof(*block) - block->used < length + 1) {
		block = memory_map(BLOCK_SIZE);
		if (!block)
			return NULL;
		block->next = symbols->names;
		symbols->names = block;
	}
	kept = block->bytes + block->used;
	memcpy(kept, name, length);
	kept[length] = 0;
	block->used += length + 1;
	return kept;
}

static const char *keep_module_name(struct symbols *symbols, const struct module *module)
{
	const char *slash = strrchr(module->path, '/');
	const char *base = slash && slash[1] ? slash + 1 : module->path;
	return keep_name(symbols, *base ? base : "[anonymous]",
			 strlen(*base ? base : "[anonymous]"));
}

static size_t leading_underscores(const char *name)
{
	size_t count = 0;
	while (name[count] == '_')
		count++;
	return count;
}

/* The name of a match with the fewest underscores in front: "write" rather than "__write". */
static const char *best_name(struct symbols *symbols, const struct elf_file *file,
			     const struct elf_match *match, uint64_t strings, uint64_t size)
{
	char best[FUNCTION_SIZE_MOST], name[FUNCTION_SIZE_MOST];

	*best = 0;
	for (unsigned i = 0; i < match->name_count; i++) {
		size_t got, room = FUNCTION_SIZE_MOST - 1;
		if (match->names[i] >= size)
			continue;
		if (size - match->names[i] < room)
			room = size - match->names[i];
		got = elf_read(file, name, room, strings + match->names[i]);
		name[got] = 0;
		if (*name && (!*best || leading_underscores(name) < leading_underscores(best)))
			memcpy(best, name, sizeof(best));
	}
	return *best ? keep_name(symbols, best, strlen(best)) : NULL;
}

static void name_functions(struct resolver *resolver, const struct elf_file *file)
{
	struct symbols *symbols = resolver->symbols;
	const struct module *module = resolver->module;
	struct elf_match *matches = resolver->matches;
	uint64_t strings, strings_size;

	if (!elf_match(file, matches + module->first, module->end - module->first, resolver->buffer,
		       &strings, &strings_size))
		return;
	for (size_t i = module->first; i < module->end; i++) {
		struct symbol *symbol = &symbols->list[i];
		if (!matches[i].size)
			continue;
		symbol->function = best_name(symbols, file, &matches[i], strings, strings_size);
		symbol->function_start = symbol->module_base + matches[i].start;
	}
}

/* From file offsets to the file's own addresses. False when it does not load them at one bias. */
static bool place_in_file(struct resolver *resolver, const struct elf_file *file)
{
	const struct module *module = resolver->module;
	struct symbol *list = resolver->symbols->list;
	uintptr_t bias = 0;

	for (size_t i = module->first; i < module->end; i++) {
		uint64_t *address = &resolver->matches[i].address;
		if (!elf_address(file, *address, address))
			return false;
		if (i > module->first && list[i].address - *address != bias)
			return false;
		bias = list[i].address - *address;
	}
	if (!elf_is_loaded(file, bias))
		return false;
	for (size_t i = module->first; i < module->end; i++)
		list[i].module_base = bias;
	return true;
}

static void module_finish(struct resolver *resolver)
{
	struct module *module = resolver->module;
	struct elf_file file;
	const char *name;

	if (module->first == module->end)
		return;
	name = keep_module_name(resolver->symbols, module);
	for (size_t i = module->first; i < module->end && name; i++)
		resolver->symbols->list[i].module = name;
	if (module->path[0] == '/' && elf_open(&file, module->path) == 0) {
		if (place_in_file(resolver, &file))
			name_functions(resolver, &file);
		elf_close(&file);
	}
	module->first = module->end;
}

static void module_begin(struct resolver *resolver, const struct maps_line *line)
{
	struct module *module = resolver->module;
	size_t length = line->path_length < PATH_MAX - 1 ? line->path_length : PATH_MAX - 1;

	memcpy(module->path, line->path, length);
	module->path[length] = 0;
	module->inode = line->inode;
	module->first = module->end = resolver->next;
}

static bool module_goes_on(const struct module *module, const struct maps_line *line)
{
	return line->inode && module->inode == line->inode &&
	       strlen(module->path) == line->path_length &&
	       memcmp(module->path, line->path, line->path_length) == 0;
}

static int take_line(const struct maps_line *line, void *context)
{
	struct resolver *resolver = context;
	struct symbols *symbols = resolver->symbols;

	while (resolver->next < symbols->count &&
	       symbols->list[resolver->next].address < line->start)
		resolver->next++;
	if (resolver->next == symbols->count)
		return 1;
	if (symbols->list[resolver->next].address >= line->end)
		return 0;
	if (resolver->next != resolver->module->end || !module_goes_on(resolver->module, line)) {
		module_finish(resolver);
		module_begin(resolver, line);
	}
	for (; resolver->next < symbols->count; resolver->next++) {
		struct symbol *symbol = &symbols->list[resolver->next];
		if (symbol->address >= line->end)
			break;
		symbol->module_base = line->start - line->offset;
		resolver->matches[resolver->next].address = symbol->address - symbol->module_base;
	}
	resolver->module->end = resolver->next;
	return 0;
}

static int compare_addresses(const void *left, const void *right)
{
	uintptr_t a = ((const struct symbol *)left)->address;
	uintptr_t b = ((const struct symbol *)right)->address;
	return a < b ? -1 : a > b;
}

static int list_make(struct symbols *symbols, const uintptr_t *addresses, size_t count)
{
	*symbols = (struct symbols){.capacity = count};
	symbols->list = memory_map((count ? count : 1) * sizeof(*symbols->list));
	if (!symbols->list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		symbols->list[i] = (struct symbol){.address = addresses[i], .module = "[unknown]"};
	sort_heap(symbols->list, count, sizeof(*symbols->list), compare_addresses);
	for (size_t i = 0; i < count; i++) {
		if (!i || symbols->list[i].address != symbols->list[symbols->count - 1].address)
			symbols->list[symbols->count++] = symbols->list[i];
	}
	return 0;
}

int symbols_resolve(struct symbols *symbols, const uintptr_t *addresses, size_t count)
{
	struct resolver resolver = {.symbols = symbols};
	size_t matches_size, size;
	char *scratch;
	int error = list_make(symbols, addresses, count);

	if (error || !symbols->count)
		return error;
	matches_size = (symbols->count * sizeof(*resolver.matches) + 15) & ~(size_t)15;
	size = ELF_BUFFER_SIZE + sizeof(*resolver.module) + matches_size;
	scratch = memory_map(size);
	if (!scratch) {
		symbols_release(symbols);
		return -ENOMEM;
	}
	resolver.buffer = scratch;
	resolver.matches = (struct elf_match *)(scratch + ELF_BUFFER_SIZE);
	resolver.module = (struct module *)(scratch + ELF_BUFFER_SIZE + matches_size);
	maps_walk_self(take_line, &resolver);
	module_finish(&resolver);
	memory_unmap(scratch, size);
	return 0;
}

const struct symbol *symbols_find(const struct symbols *symbols, uintptr_t address)
{
	size_t low = 0, high = symbols->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (symbols->list[middle].address == address)
			return &symbols->list[middle];
		if (symbols->list[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void symbols_release(struct symbols *symbols)
{
	struct symbol_block *next;

	for (struct symbol_block *block = symbols->names; block; block = next) {
		next = block->next;
		memory_unmap(block, BLOCK_SIZE);
	}
	if (symbols->list)
		memory_unmap(symbols->list,
			     (symbols->capacity ? symbols->capacity : 1) * sizeof(*symbols->list));
	*symbols = (struct symbols){0};
}
