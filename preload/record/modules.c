#include "record/modules.h"

#include <elf.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "base/sys.h"
#include "observe/maps.h"
#include "record/trace.h"
#include "record/trace_file.h"

#define MODULES_MOST 4096u
#define NOTES_MOST 1024u
#define SEGMENTS_MOST 64u
#define PATH_MOST 4096u

struct module {
	uintptr_t start, end;
	uint64_t offset, inode;
	unsigned device_major, device_minor;
	uint32_t build_id_length;
	uint8_t build_id[TRACE_BUILD_ID_MOST];
	bool seen;     /* in this scan */
	bool recorded; /* in this trace */
};

static struct module modules[MODULES_MOST];
static _Atomic unsigned module_count; /* slots ever used; free ones have end 0 */
static _Atomic int scanning;

/* --- build ids --- */

static bool read_memory(int memory, void *to, size_t size, uintptr_t from)
{
	return sys_call4(SYS_pread64, memory, to, size, from) == (long)size;
}

static uint32_t build_id_of_notes(const char *notes, size_t size, uint8_t *build_id)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		memcpy(&note, notes, sizeof(note));
		size_t name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		size_t length = sizeof(note) + name + (((size_t)note.n_descsz + 3) & ~(size_t)3);
		if (length > size)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + sizeof(note), "GNU", 4) == 0 &&
		    note.n_descsz <= TRACE_BUILD_ID_MOST) {
			memcpy(build_id, notes + sizeof(note) + name, note.n_descsz);
			return note.n_descsz;
		}
		notes += length;
		size -= length;
	}
	return 0;
}

static uint32_t build_id_in(int memory, uintptr_t base, uint8_t *build_id)
{
	char notes[NOTES_MOST];
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uintptr_t bias = base;
	if (!read_memory(memory, &header, sizeof(header), base) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_phentsize != sizeof(segment))
		return 0;
	for (unsigned i = 0; i < header.e_phnum && i < SEGMENTS_MOST; i++) {
		uintptr_t at = base + header.e_phoff + i * sizeof(segment);
		if (!read_memory(memory, &segment, sizeof(segment), at))
			return 0;
		if (segment.p_type == PT_LOAD && segment.p_offset == 0)
			bias = base - segment.p_vaddr;
		size_t size = segment.p_memsz < NOTES_MOST ? segment.p_memsz : NOTES_MOST;
		if (segment.p_type != PT_NOTE ||
		    !read_memory(memory, notes, size, bias + segment.p_vaddr))
			continue;
		uint32_t length = build_id_of_notes(notes, size, build_id);
		if (length)
			return length;
	}
	return 0;
}

/* Through a file, since a module could be unloaded while we read it. */
uint32_t modules_build_id(uintptr_t base, uint8_t *build_id)
{
	long memory = sys_call4(SYS_openat, AT_FDCWD, "/proc/thread-self/mem", O_RDONLY | O_CLOEXEC,
				0);
	if (sys_failed(memory))
		return 0;
	uint32_t length = build_id_in((int)memory, base, build_id);
	sys_call1(SYS_close, memory);
	return length;
}

/* --- records --- */

static void record(enum trace_action action, const struct module *module, const char *path,
		   size_t path_length)
{
	struct trace_module fixed = {
		.head = sizeof(fixed),
		.action = action,
		.time = sys_now(),
		.start = module->start,
		.end = module->end,
		.offset = module->offset,
		.inode = module->inode,
		.device_major = module->device_major,
		.device_minor = module->device_minor,
		.build_id_length = module->build_id_length,
		.path_length = (uint32_t)path_length,
	};
	const struct trace_part parts[] = {{module->build_id, module->build_id_length},
					   {path, path_length}};
	trace_file_append(TRACE_MODULE, &fixed, sizeof(fixed), parts, 2);
}

/* --- the scan --- */

struct scan {
	bool names;
	uint64_t inode; /* of the file whose first page was met last */
	unsigned device_major, device_minor;
	uintptr_t base;
};

static struct module *find(const struct maps_line *line)
{
	unsigned count = atomic_load(&module_count);
	for (unsigned i = 0; i < count; i++) {
		struct module *module = &modules[i];
		if (module->end == line->end && module->start == line->start &&
		    module->offset == line->offset && module->inode == line->inode &&
		    module->device_major == line->device_major &&
		    module->device_minor == line->device_minor)
			return module;
	}
	return NULL;
}

static struct module *free_slot(void)
{
	unsigned count = atomic_load(&module_count);
	for (unsigned i = 0; i < count; i++)
		if (!modules[i].end)
			return &modules[i];
	if (count == MODULES_MOST)
		return NULL;
	atomic_store(&module_count, count + 1);
	return &modules[count];
}

static struct module *add(const struct maps_line *line, const struct scan *scan)
{
	struct module *module = free_slot();
	if (!module)
		return NULL;
	*module = (struct module){
		.start = line->start,
		.end = line->end,
		.offset = line->offset,
		.inode = line->inode,
		.device_major = line->device_major,
		.device_minor = line->device_minor,
	};
	if (scan->base && scan->inode == line->inode && scan->device_major == line->device_major &&
	    scan->device_minor == line->device_minor)
		module->build_id_length = modules_build_id(scan->base, module->build_id);
	return module;
}

static bool is_vdso(const struct maps_line *line)
{
	return line->path_length == 6 && memcmp(line->path, "[vdso]", 6) == 0;
}

static void visit_code(const struct maps_line *line, const struct scan *scan)
{
	struct module *module = find(line);
	if (!module)
		module = add(line, scan);
	if (!module)
		return;
	module->seen = true;
	if (module->recorded)
		return;
	record(TRACE_ADD, module, line->path, line->path_length);
	module->recorded = true;
}

static int visit(const struct maps_line *line, void *context)
{
	struct scan *scan = context;
	if (line->offset == 0 && (line->inode || is_vdso(line))) {
		scan->base = line->start;
		scan->inode = line->inode;
		scan->device_major = line->device_major;
		scan->device_minor = line->device_minor;
	}
	if (line->executable && (line->inode || is_vdso(line)))
		visit_code(line, scan);
	else if (scan->names && !line->shared && line->path_length)
		trace_mapping_name(line);
	return 0;
}

static void forget_unseen(void)
{
	unsigned count = atomic_load(&module_count);
	for (unsigned i = 0; i < count; i++) {
		struct module *module = &modules[i];
		if (!module->seen && module->end) {
			if (module->recorded)
				record(TRACE_REMOVE, module, NULL, 0);
			module->start = module->end = 0;
		}
		module->seen = false;
	}
}

void modules_scan(bool names)
{
	struct scan scan = {.names = names};
	if (atomic_exchange(&scanning, 1))
		return;
	if (maps_walk_self(visit, &scan) >= 0)
		forget_unseen();
	atomic_store(&scanning, 0);
}

bool modules_cover(uintptr_t address)
{
	unsigned count = atomic_load_explicit(&module_count, memory_order_relaxed);
	for (unsigned i = 0; i < count; i++)
		if (address >= modules[i].start && address < modules[i].end)
			return true;
	return false;
}

void modules_begin(void)
{
	unsigned count = atomic_load(&module_count);
	for (unsigned i = 0; i < count; i++)
		modules[i].recorded = false;
	atomic_store(&scanning, 0);
}
