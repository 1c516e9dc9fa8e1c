/*
 * Who owns a place in memory: the variable of a program or library, by its symbol table, or the
 * mapping. Single-threaded; files are opened on first need. Names are not safe for a terminal.
 */
#ifndef COWSPY_TOOLS_OWNERS_H
#define COWSPY_TOOLS_OWNERS_H

#include "base/text.h"
#include "model.h"

struct owner {
	const struct model_mapping *mapping;
	uint32_t module;     /* whose data the place is in; 0: in no data of a module */
	const char *section; /* in its file; NULL: unknown */
	const char *object;  /* NULL: no symbol covers it, or it is not known where in the page */
	uint64_t offset;     /* in the object */
	uint64_t size;       /* of the object */
};

/* Likewise of a mapping: its name, else its range. */
uint64_t mapping_key(struct model *model, const struct model_mapping *mapping);

/* The owner of what a first write wrote. */
struct owner owner_of(struct model *model, struct model_process *process,
		      const struct model_write *write);

/* A number that is the same for the same owner; 0 without memory. */
uint64_t owner_key(struct model *model, const struct owner *owner);

/* "main_arena (libc.so.6), 2.1 KiB", "[heap]", "[anonymous] 7f...-7f..., 8.0 MiB". */
void owner_print(const struct model *model, const struct owner *owner, struct text *text);

/* "main_arena+0x40 (libc.so.6)", or as above. */
void owner_print_place(const struct model *model, const struct owner *owner, struct text *text);

void owner_print_mapping(const struct model_mapping *mapping, struct text *text);

#endif
