#include "symbolizer.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "symbolizer_module.h"

typedef char *(*demangle_function)(const char *name, char *buffer, size_t *length, int *status);

struct place_slot {
	uint64_t offset;
	struct code_place *place; /* NULL: free */
};

struct symbolizer {
	struct intern *strings;
	struct symbolizer_module **modules;
	size_t count, capacity;
	demangle_function demangle; /* NULL: C++ names stay as they are */
	void *demangler;
};

/* Each module keeps one or two files open. */
static void allow_open_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

struct symbolizer *symbolizer_new(struct intern *strings)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
	if (!symbolizer)
		return NULL;
	allow_open_files();
	symbolizer->strings = strings;
	symbolizer->demangler = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
	if (symbolizer->demangler)
		symbolizer->demangle = (demangle_function)dlsym(symbolizer->demangler,
								"__cxa_demangle");
	return symbolizer;
}

void symbolizer_free(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	for (size_t i = 0; i < symbolizer->count; i++) {
		struct symbolizer_module *module = symbolizer->modules[i];
		for (size_t j = 0; j < module->place_capacity; j++)
			free(module->places[j].place);
		free(module->places);
		module_close(module);
		free(module);
	}
	free(symbolizer->modules);
	if (symbolizer->demangler)
		dlclose(symbolizer->demangler);
	free(symbolizer);
}

static bool is_module(const struct symbolizer_module *module, const char *path,
		      const struct build_id *id)
{
	return strcmp(module->path, path) == 0 && module->id.length == id->length &&
	       memcmp(module->id.bytes, id->bytes, id->length) == 0;
}

struct symbolizer_module *symbolizer_module(struct symbolizer *symbolizer, const char *path,
					    const struct build_id *id, uint64_t code_offset)
{
	struct symbolizer_module *module;

	for (size_t i = 0; i < symbolizer->count; i++)
		if (is_module(symbolizer->modules[i], path, id))
			return symbolizer->modules[i];
	if (symbolizer->count == symbolizer->capacity) {
		size_t capacity = symbolizer->capacity ? symbolizer->capacity * 2 : 16;
		void *grown = realloc(symbolizer->modules, capacity * sizeof(module));
		if (!grown)
			return NULL;
		symbolizer->modules = grown;
		symbolizer->capacity = capacity;
	}
	module = calloc(1, sizeof(*module));
	if (!module)
		return NULL;
	module->path = intern_string(symbolizer->strings, path);
	module->id = *id;
	module->code_offset = code_offset;
	module->symbolizer = symbolizer;
	if (!module->path) {
		free(module);
		return NULL;
	}
	symbolizer->modules[symbolizer->count++] = module;
	return module;
}

/* ---- names ---- */

static const char *shown_name(struct symbolizer *symbolizer, const char *name)
{
	char *demangled = NULL;
	const char *kept;

	if (!name)
		return NULL;
	if (symbolizer->demangle && strncmp(name, "_Z", 2) == 0)
		demangled = symbolizer->demangle(name, NULL, NULL, NULL);
	kept = intern_string(symbolizer->strings, demangled ? demangled : name);
	free(demangled);
	return kept;
}

/* The linkage name says which overload in which namespace; only C++ and the like have one. */
static const char *name_of_die(Dwarf_Die *die)
{
	static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
	for (unsigned i = 0; i < 2; i++) {
		Dwarf_Attribute attribute;
		const char *name = dwarf_formstring(
			dwarf_attr_integrate(die, names[i], &attribute));
		if (name)
			return name;
	}
	return dwarf_diename(die);
}

/* ---- lines ---- */

static void set_line(struct symbolizer_module *module, Dwarf_Die *unit, uint64_t address,
		     struct source_line *line)
{
	Dwarf_Line *found = dwarf_getsrc_die(unit, address);
	const char *file = found ? dwarf_linesrc(found, NULL, NULL) : NULL;
	int number = 0;

	if (!file)
		return;
	dwarf_lineno(found, &number);
	line->file = intern_string(module->symbolizer->strings, file);
	line->line = number > 0 ? (unsigned)number : 0;
}

/* Where an inlined function was called. */
static void set_call(struct symbolizer_module *module, Dwarf_Die *unit, Dwarf_Die *inlined,
		     struct source_line *line)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;
	Dwarf_Files *files;
	const char *file;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) != 0 ||
	    dwarf_getsrcfiles(unit, &files, NULL) != 0)
		return;
	file = dwarf_filesrc(files, number, NULL, NULL);
	if (!file)
		return;
	line->file = intern_string(module->symbolizer->strings, file);
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) == 0)
		line->line = (unsigned)number;
}

/* ---- places ---- */

static struct code_place *new_place(unsigned count)
{
	struct code_place *place = calloc(1, sizeof(*place) + count * sizeof(place->lines[0]));
	if (place)
		place->count = count;
	return place;
}

static struct code_place *find_place(struct symbolizer_module *module, uint64_t address)
{
	struct symbolizer *symbolizer = module->symbolizer;
	Dwarf_Addr inside = address + module->bias - module->dwarf_bias;
	Dwarf_Die unit, chain[DWARF_CHAIN_MOST];
	struct code_place *place;
	int count = 0;
	bool has_unit = module->units.dwarf && dwarf_units_find(&module->units, inside, &unit);

	if (has_unit)
		count = dwarf_units_chain(&module->units, &unit, inside, chain);
	place = new_place(count ? (unsigned)count : 1);
	if (!place)
		return NULL;
	for (int i = 0; i < count; i++)
		place->lines[i].function = shown_name(symbolizer, name_of_die(&chain[i]));
	if (has_unit)
		set_line(module, &unit, inside, &place->lines[0]);
	for (int i = 1; i < count; i++)
		set_call(module, &unit, &chain[i - 1], &place->lines[i]);
	if (!place->lines[place->count - 1].function) {
		const struct module_symbol *symbol = module_symbol_at(&module->functions, address);
		place->lines[place->count - 1].function = shown_name(symbolizer,
								     symbol ? symbol->name : NULL);
	}
	return place;
}

static struct place_slot *slot_of(const struct symbolizer_module *module, uint64_t offset)
{
	size_t slot = intern_hash(&offset, sizeof(offset)) & (module->place_capacity - 1);
	while (module->places[slot].place && module->places[slot].offset != offset)
		slot = (slot + 1) & (module->place_capacity - 1);
	return &module->places[slot];
}

static bool make_room(struct symbolizer_module *module)
{
	struct symbolizer_module old = *module;
	if (module->place_count * 2 < module->place_capacity)
		return true;
	module->place_capacity = old.place_capacity ? old.place_capacity * 2 : 64;
	module->places = calloc(module->place_capacity, sizeof(*module->places));
	if (!module->places) {
		module->places = old.places;
		module->place_capacity = old.place_capacity;
		return false;
	}
	for (size_t i = 0; i < old.place_capacity; i++)
		if (old.places[i].place)
			*slot_of(module, old.places[i].offset) = old.places[i];
	free(old.places);
	return true;
}

static void open_once(struct symbolizer_module *module)
{
	if (module->state == MODULE_UNTRIED)
		module_open(module);
}

const struct code_place *symbolizer_find(struct symbolizer_module *module, uint64_t offset)
{
	struct place_slot *slot;

	open_once(module);
	if (!make_room(module))
		return NULL;
	slot = slot_of(module, offset);
	if (!slot->place) {
		slot->place = find_place(module, module_address_of(module, offset));
		slot->offset = offset;
		module->place_count += slot->place != NULL;
	}
	return slot->place;
}

uint64_t symbolizer_address(struct symbolizer_module *module, uint64_t offset)
{
	open_once(module);
	return module_address_of(module, offset);
}

enum module_state symbolizer_state(struct symbolizer_module *module)
{
	open_once(module);
	return module->state;
}

bool symbolizer_has_functions(struct symbolizer_module *module)
{
	open_once(module);
	return module->functions.count > 0 || module->units.dwarf;
}

bool symbolizer_has_lines(struct symbolizer_module *module)
{
	open_once(module);
	return module->units.dwarf != NULL;
}

/* ---- data ---- */

/* Any address inside of the mapped code tells how far the file was moved. */
static uint64_t bias_of(struct symbolizer_module *module, const struct code_extent *code)
{
	uint64_t middle = (code->end - code->start) / 2;
	return code->start + middle - module_address_of(module, code->offset + middle);
}

bool symbolizer_next_data(struct symbolizer_module *module, const struct code_extent *code,
			  size_t *next, uint64_t *start, uint64_t *end)
{
	GElf_Addr bias;
	GElf_Phdr segment;
	size_t count;
	Elf *elf;

	open_once(module);
	elf = module->module ? dwfl_module_getelf(module->module, &bias) : NULL;
	if (!elf || elf_getphdrnum(elf, &count) != 0)
		return false;
	while (*next < count) {
		if (!gelf_getphdr(elf, (int)(*next)++, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_W) || !segment.p_memsz)
			continue;
		*start = segment.p_vaddr + bias_of(module, code);
		*end = *start + segment.p_memsz;
		if (*end > *start)
			return true;
	}
	return false;
}

struct data_object symbolizer_object(struct symbolizer_module *module,
				     const struct code_extent *code, uint64_t address)
{
	struct data_object object = {0};
	const struct module_symbol *symbol;

	open_once(module);
	address -= bias_of(module, code);
	symbol = module_symbol_at(&module->objects, address);
	if (symbol) {
		object.name = shown_name(module->symbolizer, symbol->name);
		object.offset = address - symbol->start;
		object.size = symbol->end - symbol->start;
	}
	object.section = shown_name(module->symbolizer, module_section_at(module, address));
	return object;
}
