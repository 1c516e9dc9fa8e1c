/*
 * Text, formatted without libc into a buffer of the caller and written out when the buffer is full.
 *
 * Any function here may be called in any thread and in the signal handlers: no lock, no
 * allocation, no errno, integer arithmetic only. A struct text belongs to one caller at a time.
 * After a failed write, or when a text kept in memory is full, `error` holds -errno and every
 * later call does nothing.
 */
#ifndef COWSPY_BASE_TEXT_H
#define COWSPY_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	int fd;          /* -1: keep the text in memory */
	int error;       /* 0 or -errno of the first failure */
	size_t length;   /* bytes now in data */
	size_t capacity; /* size of data */
	size_t column;   /* characters since the last newline */
	char *data;      /* of the caller, not terminated by a zero */
};

/* Begin. With fd -1 the text stays in data[0..length), and overflow is error -ENOSPC. */
void text_start(struct text *text, int fd, char *data, size_t capacity);

/* Write out what is buffered. Returns text->error. */
int text_flush(struct text *text);

void text_bytes(struct text *text, const void *bytes, size_t length);
void text_string(struct text *text, const char *string);
void text_character(struct text *text, char character);

/* Spaces up to a column of the line, counted from 0; at least one when the line is not empty. */
void text_pad(struct text *text, size_t column);

/* A string right-aligned in width. */
void text_right(struct text *text, const char *bytes, size_t length, size_t width);

void text_decimal(struct text *text, uint64_t value);
void text_decimal_right(struct text *text, uint64_t value, size_t width);

/* Lower-case hexadecimal without a prefix, zeros in front up to `digits`. */
void text_hex(struct text *text, uint64_t value, unsigned digits);

/*
 * "512 B", "100.0 MiB": the largest unit of which there is at least one, one decimal, rounded half
 * up; what rounds up to 1024.0 of a unit is shown as 1.0 of the next.
 */
void text_size(struct text *text, uint64_t bytes);
void text_size_right(struct text *text, uint64_t bytes, size_t width);

/*
 * "71.3 %", rounded half up, but never up to 100.0 while something is missing nor down to 0.0
 * while there is something. "-" when the whole is 0.
 */
void text_percent(struct text *text, uint64_t part, uint64_t whole);
void text_percent_right(struct text *text, uint64_t part, uint64_t whole, size_t width);

/* "850 ns", "4.5 us", "12.3 ms", "1.234 s", rounded half up. */
void text_duration(struct text *text, uint64_t nanoseconds);

/*
 * Bytes that came from the traced program, safe for a terminal and for one line of a report:
 * control characters, newlines, invalid UTF-8, characters that turn the writing direction, and the
 * backslash itself are shown as \xNN.
 */
void text_untrusted(struct text *text, const char *bytes, size_t length);

#endif
