/*
 * Names of code addresses: module and function, read from the modules' ELF files.
 *
 * May be called in any thread and in the signal handlers: raw system calls, own memory, no lock,
 * about 10 KiB of stack. A struct symbols belongs to its caller. Files are only ever read by pread
 * into our memory: one that is cut short or hostile gives no names, never a fault. The 64-bit ELF
 * of this machine only; C++ names stay mangled.
 */
#ifndef COWSPY_OBSERVE_SYMBOLS_H
#define COWSPY_OBSERVE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbol {
	uintptr_t address;
	const char *module;    /* base name of its file, or "[vdso]", "[anonymous]", "[unknown]" */
	uintptr_t module_base; /* address - module_base is what the file itself calls it */
	const char *function;  /* NULL where no function covers the address */
	uintptr_t function_start;
};

struct symbols {
	struct symbol *list; /* sorted by address, each once */
	size_t count;
	size_t capacity;
	struct symbol_block *names;
};

/*
 * Resolve these addresses in one go: each module's table is scanned once. Give return addresses
 * less one. 0, or -ENOMEM; then, as before any call, all look-ups give NULL.
 */
int symbols_resolve(struct symbols *symbols, const uintptr_t *addresses, size_t count);

const struct symbol *symbols_find(const struct symbols *symbols, uintptr_t address);

/* Give the memory back; names are gone then. */
void symbols_release(struct symbols *symbols);

#endif
