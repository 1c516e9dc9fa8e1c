/*
 * Strings kept once, so that equal ones have equal addresses. Single-threaded; they live until
 * intern_free.
 */
#ifndef COWSPY_TOOLS_INTERN_H
#define COWSPY_TOOLS_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern {
	const char **slots; /* open addressing; NULL: free */
	size_t capacity, count;
	struct intern_block *blocks;
};

/* The kept copy of bytes, which may hold zeros and get one behind; NULL without memory. */
const char *intern_bytes(struct intern *intern, const char *bytes, size_t length);
const char *intern_string(struct intern *intern, const char *string);
void intern_free(struct intern *intern);

/*
 * For tables of a power of two. Seeded anew in each run: whoever made the bytes cannot make them
 * collide.
 */
uint64_t intern_hash(const void *bytes, size_t length);

#endif
