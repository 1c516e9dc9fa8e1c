/*
 * String functions as plain loops: libc's use vector registers, which belong to the program (see
 * bytes_x86_64.S), and which of libc's it is the loader decides at a time that we do not know.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memchr(const void *bytes, int wanted, size_t length)
{
	const unsigned char *at = bytes;
	for (; length; at++, length--)
		if (*at == (unsigned char)wanted)
			return (void *)at;
	return NULL;
}

char *strchr(const char *string, int wanted)
{
	for (;; string++) {
		if (*string == (char)wanted)
			return (char *)string;
		if (!*string)
			return NULL;
	}
}

char *strrchr(const char *string, int wanted)
{
	const char *last = NULL;
	do {
		if (*string == (char)wanted)
			last = string;
	} while (*string++);
	return (char *)last;
}

int strncmp(const char *left, const char *right, size_t length)
{
	for (; length; left++, right++, length--) {
		if (*left != *right)
			return (unsigned char)*left < (unsigned char)*right ? -1 : 1;
		if (!*left)
			return 0;
	}
	return 0;
}

int strcmp(const char *left, const char *right)
{
	return strncmp(left, right, PTRDIFF_MAX);
}

char *strstr(const char *string, const char *wanted)
{
	size_t length = strlen(wanted);
	for (;; string++) {
		if (!strncmp(string, wanted, length))
			return (char *)string;
		if (!*string)
			return NULL;
	}
}
