/*
 * One ELF file, read by pread: which address of it lies where, and the functions around addresses.
 *
 * Signal-safe like symbols.h. Nothing in the file is believed: every offset and count is checked
 * against its size, and what cannot be read is as if it were not there.
 */
#ifndef COWSPY_OBSERVE_ELF_FILE_H
#define COWSPY_OBSERVE_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_LOADS_MOST 16
#define ELF_NAMES_MOST 4
#define ELF_BUFFER_SIZE ((size_t)64 << 10)

struct elf_load {
	uint64_t offset, file_size, address, memory_size;
};

struct elf_file {
	int fd;
	uint64_t size;
	struct elf_load loads[ELF_LOADS_MOST];
	unsigned load_count;
	uint64_t note_offset, note_size, note_address;
	uint64_t sections; /* file offset of the section headers */
	unsigned section_count;
};

/* What was found for one address. `address` is the file's own, set by the caller. */
struct elf_match {
	uint64_t address;
	uint64_t start, size; /* of the function; size 0: none covers the address */
	bool local;
	uint32_t names[ELF_NAMES_MOST]; /* in the string table: equal covers */
	unsigned name_count;
};

/* Open a path, zero-terminated. 0, or -errno: -ENOEXEC when it is no ELF file of this machine. */
int elf_open(struct elf_file *file, const char *path);
void elf_close(struct elf_file *file);

/* The file's own address for a file offset. False when no segment loads it. */
bool elf_address(const struct elf_file *file, uint64_t offset, uint64_t *address);

/*
 * Where the segment ends in memory that is mapped at `start` from this file offset on, with what
 * follows its file part (.bss). 0 when nothing follows.
 */
uint64_t elf_data_end(const struct elf_file *file, uint64_t start, uint64_t offset);

/*
 * Whether memory holds this very file at `bias`: compares its notes, the build id among them.
 * Where there are none or memory cannot be read, true.
 */
bool elf_is_loaded(const struct elf_file *file, uintptr_t bias);

/*
 * Fill matches[count], sorted by address, from the symbol table; *strings receives the file offset
 * and *strings_size the size of its names. buffer has ELF_BUFFER_SIZE bytes. False when there is
 * no table.
 */
bool elf_match(const struct elf_file *file, struct elf_match *matches, size_t count, char *buffer,
	       uint64_t *strings, uint64_t *strings_size);

/* Read at most length bytes at offset; returns how many, 0 on any failure. */
size_t elf_read(const struct elf_file *file, void *to, size_t length, uint64_t offset);

#endif
