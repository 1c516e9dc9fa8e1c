/*
 * Columns of numbers for the page's script: variable-length numbers, 7 bits a byte with the low ones
 * first, deflated as they come (zlib's format), in base64. Single-threaded.
 */
#ifndef COWSPY_TOOLS_HTML_PACK_H
#define COWSPY_TOOLS_HTML_PACK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

struct pack {
	FILE *stream;
	z_stream deflate;
	bool failed; /* without memory */
	unsigned pending;
	unsigned char bytes[1 << 15], packed[3 * 8192];
};

/* False without memory. */
bool pack_start(struct pack *pack, FILE *stream);
void pack_number(struct pack *pack, uint64_t number);
/* Of either sign, small ones in few bytes. */
void pack_signed(struct pack *pack, int64_t number);
/* Write the rest. False when something had failed. */
bool pack_end(struct pack *pack);

#endif
