/* Inside of the symbolizer: one module's files and tables. Single-threaded. */
#ifndef COWSPY_TOOLS_SYMBOLIZER_MODULE_H
#define COWSPY_TOOLS_SYMBOLIZER_MODULE_H

#include <elfutils/libdwfl.h>

#include "dwarf_units.h"
#include "symbolizer.h"

struct module_symbol {
	uint64_t start, end, reach; /* reach: highest end of this and all before it */
	const char *name;
};

struct module_symbols {
	struct module_symbol *list; /* by start */
	size_t count;
};

struct symbolizer_module {
	const char *path;
	struct build_id id;
	uint64_t code_offset; /* in the file, where its code was mapped from */
	enum module_state state;
	struct symbolizer *symbolizer;

	Dwfl *dwfl;
	Dwfl_Module *module;
	Dwarf_Addr bias; /* the library's addresses less the file's */
	struct dwarf_units units;
	Dwarf_Addr dwarf_bias;
	struct module_symbols functions, objects;

	struct place_slot *places; /* answers, open addressing */
	size_t place_capacity, place_count;
};

/* The address in the file's own terms of an offset in it. */
uint64_t module_address_of(const struct symbolizer_module *module, uint64_t offset);

/* Open the module's file or one with its build-id, and set its state. */
void module_open(struct symbolizer_module *module);
void module_close(struct symbolizer_module *module);

/* The symbol that covers an address; of several the innermost. NULL: none. */
const struct module_symbol *module_symbol_at(const struct module_symbols *symbols,
					     uint64_t address);

/* The name of the section of data around an address, NULL: none. */
const char *module_section_at(const struct symbolizer_module *module, uint64_t address);

#endif
