#include "scope.h"

#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "adopt.h"
#include "base/options.h"
#include "track/in_flight.h"

#define RANGES_MOST 32

struct range {
	uintptr_t start, end;
	bool libc;
};

/* What the segments of libc, the loader, our unwinder and we cover. */
static struct range library_ranges[RANGES_MOST];
static unsigned library_range_count;
static _Atomic bool everything;
static bool makes_rings; /* liburing is there, whose system calls no wrapper sees */

static bool named(const char *path, const char *const *names)
{
	const char *base = strrchr(path, '/');
	base = base ? base + 1 : path;
	for (; *names; names++)
		if (!strncmp(base, *names, strlen(*names)))
			return true;
	return false;
}

/* Whatever name our file has, or a link to it. */
static bool is_us(const struct dl_phdr_info *info)
{
	uintptr_t here = (uintptr_t)&library_ranges - info->dlpi_addr;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    here - info->dlpi_phdr[i].p_vaddr < info->dlpi_phdr[i].p_memsz)
			return true;
	return false;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *context)
{
	static const char *const libc_names[] = {"libc.so.6", "ld-linux", "libpthread.so", NULL};
	static const char *const own_names[] = {"libunwind.so", "libunwind-", "liblzma.so", NULL};
	static const char *const ring_names[] = {"liburing.so", "liburing-ffi.so", NULL};
	bool libc = named(info->dlpi_name, libc_names);
	makes_rings |= named(info->dlpi_name, ring_names);
	(void)size;
	(void)context;
	if (!libc && !is_us(info) && !named(info->dlpi_name, own_names))
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum && library_range_count < RANGES_MOST; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD)
			continue;
		uintptr_t start = info->dlpi_addr + header->p_vaddr;
		library_ranges[library_range_count++] = (struct range){
			.start = start & ~(uintptr_t)4095,
			.end = (start + header->p_memsz + 4095) & ~(uintptr_t)4095,
			.libc = libc,
		};
	}
	return 0;
}

void scope_start(void)
{
	dl_iterate_phdr(add_library, NULL);
}

bool scope_makes_rings(void)
{
	return makes_rings;
}

static const struct range *library_around(uintptr_t address)
{
	for (unsigned i = 0; i < library_range_count; i++)
		if (address >= library_ranges[i].start && address < library_ranges[i].end)
			return &library_ranges[i];
	return NULL;
}

bool scope_in_libc(uintptr_t address)
{
	const struct range *range = library_around(address);
	return range && range->libc;
}

bool scope_never(uintptr_t address, uintptr_t *end)
{
	const struct range *range = library_around(address);
	if (range)
		*end = range->end;
	return range;
}

uintptr_t scope_next_never(uintptr_t address)
{
	uintptr_t next = ~(uintptr_t)0;
	for (unsigned i = 0; i < library_range_count; i++)
		if (library_ranges[i].start > address && library_ranges[i].start < next)
			next = library_ranges[i].start;
	return next;
}

bool scope_is_all(void)
{
	return atomic_load(&everything);
}

void scope_adopt_all(void)
{
	atomic_store(&everything, true);
	in_flight_find();
	adopt_everything();
}

void scope_first_fork(void)
{
	if (options.scope == SCOPE_AUTO && !scope_is_all())
		scope_adopt_all();
}

/*
 * In `auto` before the first fork and in `mmap`, what libc maps for itself (big mallocs, arenas) is
 * not the program's own.
 */
bool scope_tracks(uintptr_t caller)
{
	return scope_is_all() || !scope_in_libc(caller);
}
