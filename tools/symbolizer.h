/*
 * Functions, files and lines of code addresses, from ELF and DWARF files by elfutils' libdw.
 *
 * Single-threaded. A module is named by the path that it was loaded from and proven by its
 * build-id: a file that was replaced since gives no names, and separate files are searched by
 * build-id (and by debuginfod, when DEBUGINFOD_URLS is set). Files are opened on first need, and
 * answers are kept. All strings live until symbolizer_free and are not safe for a terminal.
 */
#ifndef COWSPY_TOOLS_SYMBOLIZER_H
#define COWSPY_TOOLS_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intern.h"

#define BUILD_ID_MOST 64

struct build_id {
	uint8_t length; /* 0: unknown */
	uint8_t bytes[BUILD_ID_MOST];
};

/* One level of the source: a function, and the line in it. */
struct source_line {
	const char *function; /* NULL: unknown */
	const char *file;     /* NULL: unknown */
	unsigned line;        /* 0: unknown */
};

/* lines[0] is the innermost inlined function, the last one the function whose code it is. */
struct code_place {
	unsigned count; /* at least 1 */
	struct source_line lines[];
};

enum module_state {
	MODULE_UNTRIED,
	MODULE_FOUND,    /* the same file as when it was recorded, by build-id */
	MODULE_UNPROVEN, /* a file at this path, without a build-id to compare */
	MODULE_SEPARATE, /* found by build-id elsewhere */
	MODULE_REPLACED, /* another file is at this path now */
	MODULE_MISSING,  /* no file at this path */
};

struct symbolizer;
struct symbolizer_module;

/* Strings are kept in `strings`. NULL without memory. */
struct symbolizer *symbolizer_new(struct intern *strings);
void symbolizer_free(struct symbolizer *symbolizer);

/*
 * The module with this path and build-id, made on first call; its code was mapped from this offset
 * in the file on. NULL without memory.
 */
struct symbolizer_module *symbolizer_module(struct symbolizer *symbolizer, const char *path,
					    const struct build_id *id, uint64_t code_offset);

/*
 * What is at an offset in the file. Give return addresses less one. NULL without memory.
 */
const struct code_place *symbolizer_find(struct symbolizer_module *module, uint64_t offset);

/* What the file itself calls that place: its address without load bias; the offset if unknown. */
uint64_t symbolizer_address(struct symbolizer_module *module, uint64_t offset);

/* Where code of the module was mapped: [start, end) from this offset in the file on. */
struct code_extent {
	uint64_t start, end, offset;
};

/*
 * The next range of memory that holds the module's writable data (.data, .bss and the like);
 * *next is 0 at first. False when there is none, or the file is not known.
 */
bool symbolizer_next_data(struct symbolizer_module *module, const struct code_extent *code,
			  size_t *next, uint64_t *start, uint64_t *end);

/* What the symbol table calls a place in data. */
struct data_object {
	const char *name;      /* NULL: no symbol covers it */
	uint64_t offset, size; /* in the object; of the object */
	const char *section;   /* ".data"; NULL: unknown */
};

struct data_object symbolizer_object(struct symbolizer_module *module,
				     const struct code_extent *code, uint64_t address);

enum module_state symbolizer_state(struct symbolizer_module *module);

/* Whether the file has functions with names of its own, or lines: else it was stripped. */
bool symbolizer_has_functions(struct symbolizer_module *module);
bool symbolizer_has_lines(struct symbolizer_module *module);

#endif
