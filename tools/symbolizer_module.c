/* Finding the right file of a module, and its table of functions. */
#include "symbolizer_module.h"

#include <elf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELETED " (deleted)" /* as the kernel marks paths in /proc/PID/maps */

static char *debuginfo_path; /* NULL: the library's own default */

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

/* ---- files ---- */

/* Paths come from a trace: anything but a regular file would hang or act. */
static int open_regular(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The kernel maps it into every process; this one's serves when the build-id is the same. */
static int open_vdso(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	size_t size;
	int fd;

	if (!header)
		return -1;
	size = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, header, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_recorded(const char *path)
{
	char shortened[4096];
	size_t length = strlen(path), tail = strlen(DELETED);

	if (strcmp(path, "[vdso]") == 0)
		return open_vdso();
	if (path[0] != '/')
		return -1;
	if (length <= tail || length >= sizeof(shortened) ||
	    strcmp(path + length - tail, DELETED) != 0)
		return open_regular(path);
	memcpy(shortened, path, length - tail);
	shortened[length - tail] = 0;
	return open_regular(shortened);
}

/* ---- the library's view ---- */

/* Begin with the file behind fd, which is taken over; addresses stay those of the file. */
static bool begin_with(struct symbolizer_module *module, int fd)
{
	module->dwfl = dwfl_begin(&callbacks);
	if (!module->dwfl) {
		close(fd);
		return false;
	}
	dwfl_report_begin(module->dwfl);
	module->module = dwfl_report_elf(module->dwfl, module->path, module->path, fd, 0, true);
	if (!module->module)
		close(fd);
	dwfl_report_end(module->dwfl, NULL, NULL);
	return module->module && dwfl_module_getelf(module->module, &module->bias);
}

/* Begin with nothing but the build-id: the library searches. */
static bool begin_by_id(struct symbolizer_module *module)
{
	const struct build_id *id = &module->id;
	module->dwfl = dwfl_begin(&callbacks);
	if (!module->dwfl)
		return false;
	dwfl_report_begin(module->dwfl);
	module->module = dwfl_report_module(module->dwfl, module->path, 0, INT64_MAX);
	if (module->module)
		dwfl_module_report_build_id(module->module, id->bytes, id->length, 0);
	dwfl_report_end(module->dwfl, NULL, NULL);
	return module->module && dwfl_module_getelf(module->module, &module->bias);
}

static void end(struct symbolizer_module *module)
{
	if (module->dwfl)
		dwfl_end(module->dwfl);
	module->dwfl = NULL;
	module->module = NULL;
}

/* A file with debugging information alone: it has the functions and lines too. */
static bool begin_with_debug_file(struct symbolizer_module *module)
{
	char path[64 + 2 * BUILD_ID_MOST], *end_of_path = path;
	int fd;

	end_of_path += sprintf(path, "/usr/lib/debug/.build-id/%02x/", module->id.bytes[0]);
	for (unsigned i = 1; i < module->id.length; i++)
		end_of_path += sprintf(end_of_path, "%02x", module->id.bytes[i]);
	strcpy(end_of_path, ".debug");
	fd = open_regular(path);
	return fd >= 0 && begin_with(module, fd);
}

static bool same_id(const struct symbolizer_module *module)
{
	const void *bits;
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(module->module, &bias);
	ssize_t length = elf ? dwelf_elf_gnu_build_id(elf, &bits) : 0;
	return length == module->id.length && memcmp(bits, module->id.bytes, (size_t)length) == 0;
}

static enum module_state find_file(struct symbolizer_module *module)
{
	enum module_state state = MODULE_MISSING;
	int fd = open_recorded(module->path);

	if (fd >= 0) {
		state = MODULE_REPLACED;
		if (begin_with(module, fd)) {
			if (!module->id.length)
				return MODULE_UNPROVEN;
			if (same_id(module))
				return MODULE_FOUND;
		}
		end(module);
	}
	if (!module->id.length)
		return state;
	if (begin_by_id(module))
		return MODULE_SEPARATE;
	end(module);
	if (begin_with_debug_file(module) && same_id(module))
		return MODULE_SEPARATE;
	end(module);
	return state;
}

/* ---- symbols ---- */

static unsigned underscores(const char *name)
{
	return (unsigned)strspn(name, "_");
}

/* By start; of those that start together the longest first; then the plainest name last. */
static int by_start(const void *left, const void *right)
{
	const struct module_symbol *a = left, *b = right;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	if (underscores(a->name) != underscores(b->name))
		return underscores(a->name) > underscores(b->name) ? -1 : 1;
	return -strcmp(a->name, b->name);
}

static bool is_function(const GElf_Sym *symbol)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

static bool is_object(const GElf_Sym *symbol)
{
	return GELF_ST_TYPE(symbol->st_info) == STT_OBJECT;
}

static void sort_symbols(struct module_symbols *symbols)
{
	uint64_t reach = 0;

	if (symbols->count)
		qsort(symbols->list, symbols->count, sizeof(*symbols->list), by_start);
	for (size_t i = 0; i < symbols->count; i++) {
		if (reach < symbols->list[i].end)
			reach = symbols->list[i].end;
		symbols->list[i].reach = reach;
	}
}

static void read_symbols(struct symbolizer_module *module, bool (*takes)(const GElf_Sym *symbol),
			 struct module_symbols *symbols)
{
	int count = dwfl_module_getsymtab(module->module);

	if (count <= 0)
		return;
	symbols->list = malloc((size_t)count * sizeof(*symbols->list));
	for (int i = 0; symbols->list && i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		const char *name = dwfl_module_getsym_info(module->module, i, &symbol, &address,
							   NULL, NULL, NULL);
		struct module_symbol *next = &symbols->list[symbols->count];
		if (!name || !*name || !symbol.st_size || symbol.st_shndx == SHN_UNDEF ||
		    !takes(&symbol))
			continue;
		next->name = name;
		next->start = address - module->bias;
		next->end = next->start + symbol.st_size;
		if (next->end > next->start)
			symbols->count++;
	}
	sort_symbols(symbols);
}

const struct module_symbol *module_symbol_at(const struct module_symbols *symbols, uint64_t address)
{
	const struct module_symbol *list = symbols->list;
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && list[low].reach > address)
		if (list[low].end > address)
			return &list[low];
	return NULL;
}

const char *module_section_at(const struct symbolizer_module *module, uint64_t address)
{
	GElf_Addr bias;
	Elf *elf = module->module ? dwfl_module_getelf(module->module, &bias) : NULL;
	Elf_Scn *section = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && (header.sh_flags & SHF_ALLOC) &&
		    !(header.sh_flags & SHF_TLS) && address >= header.sh_addr &&
		    address - header.sh_addr < header.sh_size)
			return elf_strptr(elf, names, header.sh_name);
	}
	return NULL;
}

/*
 * A file with debugging information alone has no bytes at the offsets, and may not even keep them:
 * then its only executable segment is the one that was mapped.
 */
uint64_t module_address_of(const struct symbolizer_module *module, uint64_t offset)
{
	GElf_Addr bias;
	Elf *elf = module->module ? dwfl_module_getelf(module->module, &bias) : NULL;
	uint64_t executable = 0;
	size_t count, executables = 0;

	if (!elf || elf_getphdrnum(elf, &count) != 0)
		return offset;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD)
			continue;
		if (offset >= segment.p_offset && offset - segment.p_offset < segment.p_filesz)
			return offset - segment.p_offset + segment.p_vaddr;
		if (segment.p_flags & PF_X) {
			executable = segment.p_vaddr & ~(uint64_t)4095;
			executables++;
		}
	}
	return executables == 1 ? offset - module->code_offset + executable : offset;
}

void module_open(struct symbolizer_module *module)
{
	module->state = find_file(module);
	if (!module->module)
		return;
	read_symbols(module, is_function, &module->functions);
	read_symbols(module, is_object, &module->objects);
	module->units.dwarf = dwfl_module_getdwarf(module->module, &module->dwarf_bias);
}

void module_close(struct symbolizer_module *module)
{
	dwarf_units_free(&module->units);
	free(module->functions.list);
	free(module->objects.list);
	end(module);
}
