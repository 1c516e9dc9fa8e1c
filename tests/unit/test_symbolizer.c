/* sources: tools/symbolizer.c tools/symbolizer_module.c tools/dwarf_units.c tools/intern.c */
/* libraries: -ldw -lelf */
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/symbolizer.h"

#define NOINLINE __attribute__((noinline))

static struct intern strings;
static struct symbolizer *symbolizer;
static char self[4096], folder[] = "/tmp/cowspy-symbolizer.XXXXXX";
static struct build_id self_id;

/* ---- code to be found ---- */

NOINLINE uintptr_t where_from(void);
NOINLINE uintptr_t where_from(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) uintptr_t inner_inlined(void)
{
	uintptr_t here = where_from(); /* the line that INNER_LINE names */
	__asm__ volatile("" : "+r"(here));
	return here;
}
enum { INNER_LINE = __LINE__ - 4 };

static inline __attribute__((always_inline)) uintptr_t outer_inlined(void)
{
	uintptr_t here = inner_inlined();
	__asm__ volatile("" : "+r"(here));
	return here;
}
enum { OUTER_LINE = __LINE__ - 4 };

NOINLINE uintptr_t not_inlined(void);
NOINLINE uintptr_t not_inlined(void)
{
	uintptr_t here = outer_inlined();
	__asm__ volatile("" : "+r"(here));
	return here;
}
enum { NOT_INLINED_LINE = __LINE__ - 4 };

/* A function of two bytes in a place with 16, without debugging information. */
__asm__(".text\n.balign 16\n.globl short_function\n.type short_function, %function\n"
	"short_function:\n.byte 0x90, 0x90\n.size short_function, 2\n.zero 30, 0x90\n"
	".globl _ZN5space8functionEi\n.type _ZN5space8functionEi, %function\n"
	"_ZN5space8functionEi:\n.zero 8, 0x90\n.size _ZN5space8functionEi, 8\n");
extern char short_function[], cxx_function[] __asm__("_ZN5space8functionEi");

/* ---- the test program's own file ---- */

struct search {
	uintptr_t address;
	uint64_t offset, segment; /* in the file: of the address, of what is mapped with it */
};

static int search_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t inside = search->address - info->dlpi_addr - segment->p_vaddr;
		if (segment->p_type != PT_LOAD || inside >= segment->p_filesz)
			continue;
		search->offset = inside + segment->p_offset;
		search->segment = segment->p_offset & ~4095ul;
	}
	return 1; /* the first object is the program */
}

static struct search search_self(uintptr_t address)
{
	struct search search = {.address = address};
	dl_iterate_phdr(search_object, &search);
	assert_true(search.offset > 0);
	return search;
}

static int find_id(struct dl_phdr_info *info, size_t size, void *data)
{
	struct build_id *id = data;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const char *note = (const char *)(info->dlpi_addr + segment->p_vaddr);
		const char *end = note + segment->p_memsz;
		while (segment->p_type == PT_NOTE && note + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *header = (const ElfW(Nhdr) *)note;
			const char *name = note + sizeof(*header);
			const char *bytes = name + ((header->n_namesz + 3) & ~3u);
			if (header->n_type == NT_GNU_BUILD_ID && strcmp(name, "GNU") == 0) {
				id->length = (uint8_t)header->n_descsz;
				memcpy(id->bytes, bytes, id->length);
			}
			note = bytes + ((header->n_descsz + 3) & ~3u);
		}
	}
	return 1;
}

static int start(void **state)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	(void)state;
	symbolizer = symbolizer_new(&strings);
	dl_iterate_phdr(find_id, &self_id);
	return length > 0 && symbolizer && self_id.length && mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];
	(void)state;
	symbolizer_free(symbolizer);
	intern_free(&strings);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static const struct code_place *find_in(const char *path, const struct build_id *id,
					uintptr_t address)
{
	struct search found = search_self(address);
	return symbolizer_find(symbolizer_module(symbolizer, path, id, found.segment),
			       found.offset);
}

/* ---- tests ---- */

static void inlined_functions_have_lines_of_their_own(void **state)
{
	const struct code_place *place = find_in(self, &self_id, not_inlined() - 1);
	(void)state;
	assert_int_equal(place->count, 3);
	assert_string_equal(place->lines[0].function, "inner_inlined");
	assert_int_equal(place->lines[0].line, INNER_LINE);
	assert_string_equal(place->lines[1].function, "outer_inlined");
	assert_int_equal(place->lines[1].line, OUTER_LINE);
	assert_string_equal(place->lines[2].function, "not_inlined");
	assert_int_equal(place->lines[2].line, NOT_INLINED_LINE);
	for (int i = 0; i < 3; i++)
		assert_non_null(strstr(place->lines[i].file, "test_symbolizer.c"));
}

static void the_same_address_gives_the_same_place(void **state)
{
	uintptr_t address = (uintptr_t)where_from;
	const struct code_place *place = find_in(self, &self_id, address);
	(void)state;
	assert_string_equal(place->lines[0].function, "where_from");
	for (unsigned i = 1; i < 200; i++)
		find_in(self, &self_id, address + i);
	assert_ptr_equal(find_in(self, &self_id, address), place);
}

static void a_name_holds_only_as_far_as_its_function_reaches(void **state)
{
	uintptr_t address = (uintptr_t)short_function;
	(void)state;
	assert_string_equal(find_in(self, &self_id, address + 1)->lines[0].function,
			    "short_function");
	assert_null(find_in(self, &self_id, address + 2)->lines[0].function);
}

static void names_of_cxx_are_readable(void **state)
{
	struct symbolizer_module *module = symbolizer_module(symbolizer, self, &self_id, 0);
	const char *name = find_in(self, &self_id, (uintptr_t)cxx_function)->lines[0].function;
	(void)state;
	assert_true(symbolizer_has_functions(module) && symbolizer_has_lines(module));
	assert_string_equal(name, "space::function(int)");
}

static void another_file_at_the_path_gives_no_names(void **state)
{
	struct build_id id = self_id;
	struct symbolizer_module *module;
	(void)state;
	id.bytes[3] ^= 1;
	module = symbolizer_module(symbolizer, self, &id, 0);
	assert_null(find_in(self, &id, (uintptr_t)where_from)->lines[0].function);
	assert_int_equal(symbolizer_state(module), MODULE_REPLACED);
}

static enum module_state state_of(const char *path, const struct build_id *id)
{
	return symbolizer_state(symbolizer_module(symbolizer, path, id, 0));
}

static void files_that_are_missing_or_none_are_said_to_be(void **state)
{
	static const struct build_id none;
	char fifo[64];
	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(state_of("/nonexistent/file", &self_id), MODULE_MISSING);
	assert_int_equal(state_of("/nonexistent/file", &none), MODULE_MISSING);
	assert_int_equal(state_of(fifo, &self_id), MODULE_MISSING);
	assert_int_equal(state_of("/dev/zero", &self_id), MODULE_MISSING);
	assert_int_equal(state_of(folder, &self_id), MODULE_MISSING);
	assert_int_equal(state_of("relative", &self_id), MODULE_MISSING);
	assert_int_equal(state_of("", &self_id), MODULE_MISSING);
	assert_int_equal(state_of(self, &none), MODULE_UNPROVEN);
	assert_int_equal(state_of(self, &self_id), MODULE_FOUND);
}

static void a_deleted_file_that_is_still_there_is_found(void **state)
{
	char path[sizeof(self) + 16];
	(void)state;
	snprintf(path, sizeof(path), "%s (deleted)", self);
	assert_int_equal(state_of(path, &self_id), MODULE_FOUND);
}

static void separate_files_are_found_by_debuglink(void **state)
{
	char command[3 * sizeof(self)], path[64];
	const struct code_place *place;
	(void)state;
	snprintf(command, sizeof(command),
		 "cd %s && objcopy --only-keep-debug %s moved.debug && strip -o moved %s && "
		 "objcopy --add-gnu-debuglink=moved.debug moved",
		 folder, self, self);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/moved", folder);
	place = find_in(path, &self_id, not_inlined() - 1);
	assert_int_equal(place->count, 3);
	assert_string_equal(place->lines[0].function, "inner_inlined");
}

static void a_stripped_file_has_places_without_names(void **state)
{
	char command[2 * sizeof(self)], path[64];
	struct symbolizer_module *module;
	(void)state;
	snprintf(command, sizeof(command), "cd %s && strip -o stripped %s", folder, self);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/stripped", folder);
	module = symbolizer_module(symbolizer, path, &self_id, 0);
	assert_int_equal(symbolizer_state(module), MODULE_FOUND);
	assert_null(find_in(path, &self_id, not_inlined() - 1)->lines[0].function);
	assert_false(symbolizer_has_lines(module));
}

static void debugging_information_alone_has_the_same_addresses(void **state)
{
	char command[2 * sizeof(self)], path[64];
	struct search search = search_self((uintptr_t)where_from);
	struct symbolizer_module *module, *alone;
	(void)state;
	snprintf(command, sizeof(command), "objcopy --only-keep-debug %s %s/alone", self, folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/alone", folder);
	module = symbolizer_module(symbolizer, self, &self_id, 0);
	alone = symbolizer_module(symbolizer, path, &self_id, search.segment);
	assert_string_equal(find_in(path, &self_id, (uintptr_t)where_from)->lines[0].function,
			    "where_from");
	assert_int_equal(symbolizer_address(alone, search.offset),
			 symbolizer_address(module, search.offset));
}

static void a_damaged_file_gives_no_names(void **state)
{
	char command[2 * sizeof(self)], path[64];
	(void)state;
	snprintf(command, sizeof(command), "head -c 5000 %s >%s/damaged", self, folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/damaged", folder);
	assert_null(find_in(path, &self_id, (uintptr_t)where_from)->lines[0].function);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_functions_have_lines_of_their_own),
		cmocka_unit_test(the_same_address_gives_the_same_place),
		cmocka_unit_test(a_name_holds_only_as_far_as_its_function_reaches),
		cmocka_unit_test(names_of_cxx_are_readable),
		cmocka_unit_test(another_file_at_the_path_gives_no_names),
		cmocka_unit_test(files_that_are_missing_or_none_are_said_to_be),
		cmocka_unit_test(a_deleted_file_that_is_still_there_is_found),
		cmocka_unit_test(separate_files_are_found_by_debuglink),
		cmocka_unit_test(a_stripped_file_has_places_without_names),
		cmocka_unit_test(debugging_information_alone_has_the_same_addresses),
		cmocka_unit_test(a_damaged_file_gives_no_names),
	};
	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, start, end);
}
