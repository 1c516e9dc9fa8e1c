#include "observe/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"

#define SECTIONS_MOST 65536u
#define PROGRAM_HEADERS_MOST 256u
#define TABLE_SIZE_MOST ((uint64_t)1 << 30)
#define NOTE_SIZE_MOST 1024u

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#endif

size_t elf_read(const struct elf_file *file, void *to, size_t length, uint64_t offset)
{
	size_t done = 0;

	if (offset >= file->size)
		return 0;
	while (done < length) {
		long n = sys_call4(SYS_pread64, file->fd, (char *)to + done, length - done,
				   offset + done);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static bool elf_read_all(const struct elf_file *file, void *to, size_t length, uint64_t offset)
{
	return elf_read(file, to, length, offset) == length;
}

static bool header_fits(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_machine == MACHINE && header->e_phentsize == sizeof(Elf64_Phdr);
}

static void read_segments(struct elf_file *file, const Elf64_Ehdr *header)
{
	for (unsigned i = 0; i < header->e_phnum && i < PROGRAM_HEADERS_MOST; i++) {
		Elf64_Phdr segment;
		if (!elf_read_all(file, &segment, sizeof(segment),
				  header->e_phoff + i * sizeof(segment)))
			return;
		if (segment.p_type == PT_LOAD && file->load_count < ELF_LOADS_MOST) {
			file->loads[file->load_count++] = (struct elf_load){
				segment.p_offset, segment.p_filesz, segment.p_vaddr,
				segment.p_memsz};
		}
		if (segment.p_type == PT_NOTE && !file->note_size) {
			file->note_offset = segment.p_offset;
			file->note_address = segment.p_vaddr;
			file->note_size = segment.p_filesz;
		}
	}
}

/* More than 65,279 sections: the first header holds their number. */
static void read_section_count(struct elf_file *file, const Elf64_Ehdr *header)
{
	Elf64_Shdr first;

	if (!header->e_shoff || header->e_shentsize != sizeof(Elf64_Shdr))
		return;
	file->sections = header->e_shoff;
	file->section_count = header->e_shnum;
	if (!header->e_shnum && elf_read_all(file, &first, sizeof(first), header->e_shoff))
		file->section_count = first.sh_size < SECTIONS_MOST ? (unsigned)first.sh_size : 0;
}

int elf_open(struct elf_file *file, const char *path)
{
	Elf64_Ehdr header;
	struct stat status;
	long fd = sys_call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	if (sys_failed(fd))
		return (int)fd;
	*file = (struct elf_file){.fd = (int)fd};
	if (!sys_failed(sys_call2(SYS_fstat, fd, &status)) && S_ISREG(status.st_mode))
		file->size = (uint64_t)status.st_size;
	if (!elf_read_all(file, &header, sizeof(header), 0) || !header_fits(&header)) {
		elf_close(file);
		return -ENOEXEC;
	}
	read_segments(file, &header);
	read_section_count(file, &header);
	return 0;
}

void elf_close(struct elf_file *file)
{
	sys_call1(SYS_close, file->fd);
	file->fd = -1;
}

bool elf_address(const struct elf_file *file, uint64_t offset, uint64_t *address)
{
	for (unsigned i = 0; i < file->load_count; i++) {
		const struct elf_load *load = &file->loads[i];
		if (offset >= load->offset && offset - load->offset < load->file_size) {
			*address = offset - load->offset + load->address;
			return true;
		}
	}
	return false;
}

uint64_t elf_data_end(const struct elf_file *file, uint64_t start, uint64_t offset)
{
	for (unsigned i = 0; i < file->load_count; i++) {
		const struct elf_load *load = &file->loads[i];
		uint64_t first = load->offset & ~(PAGE_SIZE - 1);
		if (load->memory_size > load->file_size && offset >= first &&
		    offset < load->offset + load->file_size)
			return start + (load->offset - offset) + load->memory_size;
	}
	return 0;
}

/* Through a file, since a module could be unloaded while we read it. */
static bool memory_read(void *to, size_t length, uintptr_t from)
{
	long n, fd = sys_call4(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0);

	if (sys_failed(fd))
		return false;
	n = sys_call4(SYS_pread64, fd, to, length, from);
	sys_call1(SYS_close, fd);
	return n == (long)length;
}

bool elf_is_loaded(const struct elf_file *file, uintptr_t bias)
{
	char on_disk[NOTE_SIZE_MOST], in_memory[NOTE_SIZE_MOST];
	size_t size = file->note_size < NOTE_SIZE_MOST ? file->note_size : NOTE_SIZE_MOST;

	if (!size || !elf_read_all(file, on_disk, size, file->note_offset) ||
	    !memory_read(in_memory, size, bias + file->note_address))
		return true;
	return memcmp(on_disk, in_memory, size) == 0;
}

/* The table that names most: .symtab, which strip removes, else .dynsym. */
static bool find_table(const struct elf_file *file, Elf64_Shdr *table)
{
	bool found = false;

	for (unsigned i = 0; i < file->section_count; i++) {
		Elf64_Shdr section;
		if (!elf_read_all(file, &section, sizeof(section),
				  file->sections + i * sizeof(section)))
			break;
		if (section.sh_type != SHT_SYMTAB && (section.sh_type != SHT_DYNSYM || found))
			continue;
		*table = section;
		found = true;
		if (section.sh_type == SHT_SYMTAB)
			break;
	}
	return found && table->sh_entsize == sizeof(Elf64_Sym) &&
	       table->sh_size < TABLE_SIZE_MOST && table->sh_link < file->section_count;
}

static size_t first_from(const struct elf_match *matches, size_t count, uint64_t address)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (matches[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The smallest function around an address names it best; of equal ones, those not local. */
static void match_update(struct elf_match *match, const Elf64_Sym *symbol)
{
	bool local = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL;
	bool better = !match->size || symbol->st_size < match->size ||
		      (symbol->st_size == match->size && match->local && !local);

	if (better) {
		match->start = symbol->st_value;
		match->size = symbol->st_size;
		match->local = local;
		match->name_count = 0;
	}
	if (better || (symbol->st_size == match->size && symbol->st_value == match->start &&
		       match->local == local)) {
		if (match->name_count < ELF_NAMES_MOST)
			match->names[match->name_count++] = symbol->st_name;
	}
}

static void match_symbol(struct elf_match *matches, size_t count, const Elf64_Sym *symbol)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = first_from(matches, count, symbol->st_value);
	     i < count && matches[i].address - symbol->st_value < symbol->st_size; i++)
		match_update(&matches[i], symbol);
}

bool elf_match(const struct elf_file *file, struct elf_match *matches, size_t count, char *buffer,
	       uint64_t *strings, uint64_t *strings_size)
{
	Elf64_Shdr table, names;

	if (!find_table(file, &table) ||
	    !elf_read_all(file, &names, sizeof(names),
			  file->sections + table.sh_link * sizeof(names)))
		return false;
	*strings = names.sh_offset;
	*strings_size = names.sh_size;
	for (uint64_t done = 0; done < table.sh_size;) {
		uint64_t rest = table.sh_size - done;
		size_t whole = ELF_BUFFER_SIZE - ELF_BUFFER_SIZE % sizeof(Elf64_Sym);
		size_t want = rest < whole ? rest : whole;
		size_t got = elf_read(file, buffer, want, table.sh_offset + done);
		for (size_t at = 0; at + sizeof(Elf64_Sym) <= got; at += sizeof(Elf64_Sym)) {
			Elf64_Sym symbol;
			memcpy(&symbol, buffer + at, sizeof(symbol));
			match_symbol(matches, count, &symbol);
		}
		if (got < want)
			break;
		done += got;
	}
	return true;
}
