/* sources: preload/observe/symbols.c preload/observe/elf_file.c preload/observe/maps.c preload/base/sort.c preload/base/memory.c preload/base/sys.c */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/sort.h"
#include "observe/elf_file.h"
#include "observe/symbols.h"

#define NOINLINE __attribute__((noinline))

NOINLINE int known_function(int n);
NOINLINE int known_function(int n)
{
	return n * 3 + 1;
}

static NOINLINE int local_function(int n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

/* A symbol of 2 bytes in a place with 16: what follows belongs to nobody. */
__asm__(".text\n.balign 16\n.globl short_function\n.type short_function, %function\n"
	"short_function:\n.byte 0x90, 0x90\n.size short_function, 2\n.zero 30, 0x90\n"
	/* One function inside another, and two names for one. */
	".globl outer_function, inner_function, __same_function, same_function\n"
	".type outer_function, %function\n.type inner_function, %function\n"
	".type same_function, %function\n.type __same_function, %function\n"
	"outer_function:\n.zero 8, 0x90\ninner_function:\n.zero 4, 0x90\n"
	".size inner_function, 4\n.zero 4, 0x90\n.size outer_function, 16\n"
	"__same_function:\nsame_function:\n.zero 8, 0x90\n"
	".size same_function, 8\n.size __same_function, 8\n");
extern char short_function[], outer_function[], same_function[];

static struct symbol resolve_one(uintptr_t address)
{
	static char function[256], module[256];
	struct symbols symbols;
	struct symbol result;

	assert_int_equal(symbols_resolve(&symbols, &address, 1), 0);
	assert_non_null(symbols_find(&symbols, address));
	result = *symbols_find(&symbols, address);
	if (result.function)
		result.function = strcpy(function, result.function);
	result.module = strcpy(module, result.module);
	symbols_release(&symbols);
	return result;
}

static void a_function_of_the_program_has_its_name(void **state)
{
	struct symbol symbol = resolve_one((uintptr_t)known_function + 1);
	(void)state;
	assert_string_equal(symbol.function, "known_function");
	assert_int_equal(symbol.function_start, (uintptr_t)known_function);
	assert_true(strncmp(symbol.module, "test_symbols", 12) == 0 ||
		    strncmp(symbol.module, "ut_symbols", 10) == 0);
	symbol = resolve_one((uintptr_t)local_function);
	assert_string_equal(symbol.function, "local_function");
	local_function(1);
}

static void a_library_function_is_found_in_its_dynamic_table(void **state)
{
	Dl_info info;
	void *address = dlsym(RTLD_DEFAULT, "lfind");
	struct symbol symbol = resolve_one((uintptr_t)address + 4);
	(void)state;
	assert_string_equal(symbol.function, "lfind");
	assert_int_equal(symbol.function_start, (uintptr_t)address);
	assert_int_not_equal(dladdr(address, &info), 0);
	assert_int_equal(symbol.module_base, (uintptr_t)info.dli_fbase);
	assert_string_equal(symbol.module, "libc.so.6");
}

static void an_address_behind_a_function_has_no_name(void **state)
{
	struct symbol symbol = resolve_one((uintptr_t)short_function + 1);
	(void)state;
	assert_string_equal(symbol.function, "short_function");
	symbol = resolve_one((uintptr_t)short_function + 2);
	assert_null(symbol.function);
	assert_int_not_equal(symbol.module_base, 0);
}

static void the_smallest_cover_and_the_plainest_name_win(void **state)
{
	(void)state;
	assert_string_equal(resolve_one((uintptr_t)outer_function + 7).function, "outer_function");
	assert_string_equal(resolve_one((uintptr_t)outer_function + 8).function, "inner_function");
	assert_string_equal(resolve_one((uintptr_t)outer_function + 12).function, "outer_function");
	assert_string_equal(resolve_one((uintptr_t)same_function).function, "same_function");
}

static void places_without_a_file_have_a_name_in_brackets(void **state)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct symbol symbol = resolve_one((uintptr_t)page + 16);
	(void)state;
	assert_string_equal(symbol.module, "[anonymous]");
	assert_null(symbol.function);
	munmap(page, 4096);
	assert_string_equal(resolve_one(16).module, "[unknown]");
	assert_string_equal(resolve_one(getauxval(AT_SYSINFO_EHDR) + 4096).module, "[vdso]");
}

static void many_addresses_are_resolved_at_once_in_any_order(void **state)
{
	uintptr_t addresses[1000];
	struct symbols symbols;
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		static char *const places[] = {"lfind", "strtol", "fopen", "regcomp"};
		addresses[i] = i % 5 == 4 ? (uintptr_t)known_function
					  : (uintptr_t)dlsym(RTLD_DEFAULT, places[i % 5]) + 3;
	}
	assert_int_equal(symbols_resolve(&symbols, addresses, 1000), 0);
	assert_int_equal(symbols.count, 5);
	assert_string_equal(symbols_find(&symbols, addresses[4])->function, "known_function");
	assert_string_equal(symbols_find(&symbols, addresses[3])->function, "regcomp");
	assert_null(symbols_find(&symbols, 1));
	symbols_release(&symbols);
	assert_int_equal(symbols_resolve(&symbols, addresses, 0), 0);
	assert_null(symbols_find(&symbols, addresses[0]));
	symbols_release(&symbols);
}

static void all_memory_is_given_back(void **state)
{
	size_t before = memory_used();
	(void)state;
	for (unsigned i = 0; i < 10; i++)
		resolve_one((uintptr_t)known_function);
	assert_int_equal(memory_used(), before);
}

/* A file that has changed on disk since it was loaded names nothing. */
static void a_file_with_other_notes_is_not_the_one_in_memory(void **state)
{
	struct elf_file file;
	Dl_info info;
	(void)state;
	assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "lfind"), &info), 0);
	assert_int_equal(elf_open(&file, info.dli_fname), 0);
	assert_true(file.note_size > 0);
	assert_true(elf_is_loaded(&file, (uintptr_t)info.dli_fbase));
	file.note_offset += 64;
	assert_false(elf_is_loaded(&file, (uintptr_t)info.dli_fbase));
	elf_close(&file);
}

static char *read_self(size_t *size)
{
	FILE *self = fopen("/proc/self/exe", "r");
	char *bytes = malloc(64 << 20);
	*size = fread(bytes, 1, 64 << 20, self);
	fclose(self);
	return bytes;
}

static void read_damaged(const char *path)
{
	static char buffer[ELF_BUFFER_SIZE];
	struct elf_match matches[16];
	struct elf_file file;
	uint64_t strings, strings_size, address;

	if (elf_open(&file, path))
		return;
	memset(matches, 0, sizeof(matches));
	for (unsigned i = 0; i < 16; i++)
		matches[i].address = i * 0x200 + 0x1000;
	elf_address(&file, 0x1234, &address);
	elf_is_loaded(&file, 0);
	elf_match(&file, matches, 16, buffer, &strings, &strings_size);
	for (unsigned i = 0; i < 16; i++)
		assert_true(matches[i].name_count <= ELF_NAMES_MOST);
	elf_close(&file);
}

/* Damage the parts that hold offsets and counts: file header, program and section headers. */
static void damaged_files_give_no_names_but_no_crash(void **state)
{
	size_t size;
	char *bytes = read_self(&size), path[] = "/tmp/cowspy-test-XXXXXX";
	int fd = mkstemp(path);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	size_t sections = header->e_shoff, sections_size = header->e_shnum * sizeof(Elf64_Shdr);

	(void)state;
	srandom(1);
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	read_damaged(path);
	for (unsigned round = 0; round < 2000; round++) {
		size_t places[8];
		for (unsigned i = 0; i < 8; i++) {
			char damage = (char)random();
			places[i] = random() % 3 ? sections + (size_t)random() % sections_size
						 : 16 + (size_t)random() % 600;
			assert_int_equal(pwrite(fd, &damage, 1, (off_t)places[i]), 1);
		}
		read_damaged(path);
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(pwrite(fd, bytes + places[i], 1, (off_t)places[i]), 1);
	}
	for (size_t length = size; length > 0; length = length * 3 / 4) {
		assert_int_equal(ftruncate(fd, (off_t)length), 0);
		read_damaged(path);
	}
	close(fd);
	unlink(path);
	free(bytes);
}

static void what_is_no_elf_file_is_refused(void **state)
{
	struct elf_file file;
	(void)state;
	assert_int_not_equal(elf_open(&file, "/proc/self/maps"), 0);
	assert_int_not_equal(elf_open(&file, "/dev/null"), 0);
	assert_int_not_equal(elf_open(&file, "/"), 0);
	assert_int_not_equal(elf_open(&file, "/no/such/file"), 0);
}

static int compare_numbers(const void *left, const void *right)
{
	unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;
	return a < b ? -1 : a > b;
}

static void sorting_orders_arrays_of_every_size(void **state)
{
	(void)state;
	for (size_t count = 0; count < 300; count++) {
		unsigned numbers[300], expected[300];
		for (size_t i = 0; i < count; i++)
			expected[i] = numbers[i] = (unsigned)random() % 100;
		qsort(expected, count, sizeof(*expected), compare_numbers);
		sort_heap(numbers, count, sizeof(*numbers), compare_numbers);
		assert_memory_equal(numbers, expected, count * sizeof(*numbers));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_function_of_the_program_has_its_name),
		cmocka_unit_test(a_library_function_is_found_in_its_dynamic_table),
		cmocka_unit_test(an_address_behind_a_function_has_no_name),
		cmocka_unit_test(the_smallest_cover_and_the_plainest_name_win),
		cmocka_unit_test(places_without_a_file_have_a_name_in_brackets),
		cmocka_unit_test(many_addresses_are_resolved_at_once_in_any_order),
		cmocka_unit_test(all_memory_is_given_back),
		cmocka_unit_test(a_file_with_other_notes_is_not_the_one_in_memory),
		cmocka_unit_test(damaged_files_give_no_names_but_no_crash),
		cmocka_unit_test(what_is_no_elf_file_is_refused),
		cmocka_unit_test(sorting_orders_arrays_of_every_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
