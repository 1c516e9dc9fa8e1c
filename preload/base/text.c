#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/sys.h"

/* Longest number with its unit: 20 digits, point, decimals, unit. */
#define NUMBER_SIZE 40

void text_start(struct text *text, int fd, char *data, size_t capacity)
{
	text->fd = fd;
	text->error = 0;
	text->length = 0;
	text->capacity = capacity;
	text->column = 0;
	text->data = data;
}

int text_flush(struct text *text)
{
	if (text->fd < 0 || text->error || !text->length)
		return text->error;
	text->error = sys_write_all(text->fd, text->data, text->length);
	text->length = 0;
	return text->error;
}

static void count_columns(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			text->column = 0;
		else if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			text->column++;
	}
}

void text_bytes(struct text *text, const void *bytes, size_t length)
{
	const char *next = bytes;
	while (length && !text->error) {
		size_t room = text->capacity - text->length;
		size_t piece = length < room ? length : room;
		memcpy(text->data + text->length, next, piece);
		count_columns(text, next, piece);
		text->length += piece;
		next += piece;
		length -= piece;
		if (!length)
			break;
		if (text->fd < 0 || !text->capacity)
			text->error = -ENOSPC;
		else
			text_flush(text);
	}
}

void text_string(struct text *text, const char *string)
{
	text_bytes(text, string, strlen(string));
}

void text_character(struct text *text, char character)
{
	text_bytes(text, &character, 1);
}

static void text_spaces(struct text *text, size_t count)
{
	static const char spaces[] = "                                ";
	while (count && !text->error) {
		size_t piece = count < sizeof(spaces) - 1 ? count : sizeof(spaces) - 1;
		text_bytes(text, spaces, piece);
		count -= piece;
	}
}

void text_pad(struct text *text, size_t column)
{
	if (text->column < column)
		text_spaces(text, column - text->column);
	else if (text->column)
		text_character(text, ' ');
}

void text_right(struct text *text, const char *bytes, size_t length, size_t width)
{
	if (length < width)
		text_spaces(text, width - length);
	text_bytes(text, bytes, length);
}

static void text_number(struct text *text, uint64_t value, unsigned base, unsigned digits)
{
	char reversed[64];
	unsigned count = 0;
	do {
		reversed[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || (count < digits && count < sizeof(reversed)));
	while (count)
		text_character(text, reversed[--count]);
}

void text_decimal(struct text *text, uint64_t value)
{
	text_number(text, value, 10, 1);
}

void text_hex(struct text *text, uint64_t value, unsigned digits)
{
	text_number(text, value, 16, digits);
}

void text_size(struct text *text, uint64_t bytes)
{
	static const char units[][4] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0, shift = 10;
	uint64_t tenths;

	if (bytes < 1024) {
		text_decimal(text, bytes);
		text_string(text, " B");
		return;
	}
	while (shift < 60 && bytes >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	tenths = (bytes >> shift) * 10;
	tenths += ((bytes & ((1ull << shift) - 1)) * 10 + (1ull << (shift - 1))) >> shift;
	if (tenths == 10240 && shift < 60) {
		tenths = 10;
		unit++;
	}
	text_decimal(text, tenths / 10);
	text_character(text, '.');
	text_decimal(text, tenths % 10);
	text_character(text, ' ');
	text_string(text, units[unit]);
}

void text_percent(struct text *text, uint64_t part, uint64_t whole)
{
	uint64_t numerator = part, denominator = whole, tenths;

	if (!whole) {
		text_character(text, '-');
		return;
	}
	/* The product below must fit in 64 bits; what is shifted out is far below one tenth. */
	while (numerator >> 52 || denominator >> 52) {
		numerator >>= 1;
		denominator >>= 1;
	}
	if (!denominator)
		denominator = 1;
	tenths = (numerator * 1000 + denominator / 2) / denominator;
	if (part && !tenths)
		tenths = 1;
	if (part < whole && tenths >= 1000)
		tenths = 999;
	text_decimal(text, tenths / 10);
	text_character(text, '.');
	text_decimal(text, tenths % 10);
	text_string(text, " %");
}

static void text_tenths(struct text *text, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t tenths = (value + unit / 20) / (unit / 10);
	text_decimal(text, tenths / 10);
	text_character(text, '.');
	text_decimal(text, tenths % 10);
	text_string(text, name);
}

/* The limits lie where rounding would reach 1000.0 of the smaller unit. */
void text_duration(struct text *text, uint64_t nanoseconds)
{
	if (nanoseconds < 1000) {
		text_decimal(text, nanoseconds);
		text_string(text, " ns");
	} else if (nanoseconds < 999950) {
		text_tenths(text, nanoseconds, 1000, " us");
	} else if (nanoseconds < 999950000) {
		text_tenths(text, nanoseconds, 1000000, " ms");
	} else {
		uint64_t rest = nanoseconds % 1000000, milliseconds = nanoseconds / 1000000;
		milliseconds += rest >= 500000;
		text_decimal(text, milliseconds / 1000);
		text_character(text, '.');
		text_number(text, milliseconds % 1000, 10, 3);
		text_string(text, " s");
	}
}

/* The aligned forms format into memory first, since the width is known only then. */
#define RIGHT_ALIGNED(call) \
	do { \
		char number[NUMBER_SIZE]; \
		struct text memory; \
		text_start(&memory, -1, number, sizeof(number)); \
		call; \
		text_right(text, memory.data, memory.length, width); \
	} while (0)

void text_decimal_right(struct text *text, uint64_t value, size_t width)
{
	RIGHT_ALIGNED(text_decimal(&memory, value));
}

void text_size_right(struct text *text, uint64_t bytes, size_t width)
{
	RIGHT_ALIGNED(text_size(&memory, bytes));
}

void text_percent_right(struct text *text, uint64_t part, uint64_t whole, size_t width)
{
	RIGHT_ALIGNED(text_percent(&memory, part, whole));
}

/* How many bytes of a sequence follow this lead byte; -1 for no lead byte. */
static int utf8_following(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

/* Length of the valid UTF-8 sequence at bytes, its code point in *code; 0 when invalid. */
static size_t utf8_decode(const unsigned char *bytes, size_t length, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	int following = utf8_following(bytes[0]);

	if (following < 0 || (size_t)following >= length)
		return 0;
	*code = following ? bytes[0] & (0x3fu >> following) : bytes[0];
	for (int i = 1; i <= following; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	if (*code < smallest[following] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return (size_t)following + 1;
}

static bool is_printable(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == '\\')
		return false;
	if (code == 0x061c || code == 0x200e || code == 0x200f || code == 0xfeff)
		return false;
	return !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

void text_untrusted(struct text *text, const char *bytes, size_t length)
{
	const unsigned char *next = (const unsigned char *)bytes;
	while (length && !text->error) {
		uint32_t code;
		size_t size = utf8_decode(next, length, &code);
		bool shown = size && is_printable(code);
		if (!size)
			size = 1;
		for (size_t i = 0; i < size && !shown; i++) {
			text_string(text, "\\x");
			text_hex(text, next[i], 2);
		}
		if (shown)
			text_bytes(text, next, size);
		next += size;
		length -= size;
	}
}
