#include "html_pack.h"

#include <string.h>

static void print_base64(FILE *stream, const unsigned char *bytes, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		unsigned three = (unsigned)bytes[i] << 16 |
				 (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? bytes[i + 2] : 0);
		putc(digits[three >> 18], stream);
		putc(digits[three >> 12 & 63], stream);
		putc(left > 1 ? digits[three >> 6 & 63] : '=', stream);
		putc(left > 2 ? digits[three & 63] : '=', stream);
	}
}

/* Deflate what is pending. Output is printed by whole buffers, which are multiples of three. */
static void flush(struct pack *pack, int how)
{
	pack->deflate.next_in = pack->bytes;
	pack->deflate.avail_in = pack->pending;
	pack->pending = 0;
	do {
		if (!pack->deflate.avail_out) {
			print_base64(pack->stream, pack->packed, sizeof(pack->packed));
			pack->deflate.next_out = pack->packed;
			pack->deflate.avail_out = sizeof(pack->packed);
		}
		if (deflate(&pack->deflate, how) == Z_STREAM_ERROR)
			pack->failed = true;
	} while (!pack->failed && !pack->deflate.avail_out);
}

bool pack_start(struct pack *pack, FILE *stream)
{
	memset(&pack->deflate, 0, sizeof(pack->deflate));
	pack->stream = stream;
	pack->pending = 0;
	pack->deflate.next_out = pack->packed;
	pack->deflate.avail_out = sizeof(pack->packed);
	pack->failed = deflateInit(&pack->deflate, 6) != Z_OK;
	return !pack->failed;
}

void pack_number(struct pack *pack, uint64_t number)
{
	if (sizeof(pack->bytes) - pack->pending < 10)
		flush(pack, Z_NO_FLUSH);
	while (number > 127) {
		pack->bytes[pack->pending++] = (unsigned char)(number | 128);
		number >>= 7;
	}
	pack->bytes[pack->pending++] = (unsigned char)number;
}

void pack_signed(struct pack *pack, int64_t number)
{
	pack_number(pack, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

bool pack_end(struct pack *pack)
{
	flush(pack, Z_FINISH);
	print_base64(pack->stream, pack->packed, sizeof(pack->packed) - pack->deflate.avail_out);
	deflateEnd(&pack->deflate);
	return !pack->failed;
}
