#include "scope.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "base/options.h"

#define RANGES_MOST 16

struct range {
	uintptr_t start, end;
};

static struct range libc_ranges[RANGES_MOST];
static unsigned libc_range_count;

static bool is_libc(const char *path)
{
	static const char *const names[] = {"libc.so.6", "ld-linux", "libpthread.so"};
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(base, names[i], strlen(names[i])))
			return true;
	return false;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	if (!is_libc(info->dlpi_name))
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum && libc_range_count < RANGES_MOST; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD)
			continue;
		uintptr_t start = info->dlpi_addr + header->p_vaddr;
		libc_ranges[libc_range_count++] = (struct range){start, start + header->p_memsz};
	}
	return 0;
}

void scope_start(void)
{
	dl_iterate_phdr(add_library, NULL);
}

bool scope_in_libc(uintptr_t address)
{
	for (unsigned i = 0; i < libc_range_count; i++)
		if (address >= libc_ranges[i].start && address < libc_ranges[i].end)
			return true;
	return false;
}

/*
 * Stacks are never tracked: the kernel writes signal frames, thread blocks and rseq areas there.
 * In `auto` and `mmap`, what libc maps for itself (big mallocs, arenas) is not the program's own.
 */
bool scope_tracks(int flags, uintptr_t caller)
{
	if (flags & (MAP_STACK | MAP_GROWSDOWN))
		return false;
	return options.scope == SCOPE_ALL || !scope_in_libc(caller);
}
