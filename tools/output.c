#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "cowspy.h"

void output_start(struct text *text)
{
	static char buffer[1 << 16];
	text_start(text, STDOUT_FILENO, buffer, sizeof(buffer));
}

int output_finish(struct text *text, const char *verb, int status)
{
	int error = text_flush(text);
	if (!error)
		return status;
	complain(verb, "standard output: %s", strerror(-error));
	return STATUS_FAILED;
}

void output_string(struct text *text, const char *untrusted)
{
	text_untrusted(text, untrusted, strlen(untrusted));
}

int output_json(struct json_object *object, const char *verb)
{
	const char *line = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int error = line ? sys_write_all(STDOUT_FILENO, line, strlen(line)) : -ENOMEM;
	if (!error)
		error = sys_write_all(STDOUT_FILENO, "\n", 1);
	json_object_put(object);
	if (!error)
		return STATUS_OK;
	complain(verb, "standard output: %s", strerror(-error));
	return STATUS_FAILED;
}

void json_add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void json_add_address(struct json_object *object, const char *key, uintptr_t address)
{
	char text[32];
	snprintf(text, sizeof(text), "0x%jx", (uintmax_t)address);
	json_object_object_add(object, key, json_object_new_string(text));
}

void json_add_string(struct json_object *object, const char *key, const char *untrusted)
{
	size_t size = strlen(untrusted) * 4 + 1;
	char *shown = malloc(size);
	struct text text;
	if (!shown)
		return;
	text_start(&text, -1, shown, size);
	output_string(&text, untrusted);
	json_object_object_add(object, key, json_object_new_string_len(shown, (int)text.length));
	free(shown);
}

void json_add_bool(struct json_object *object, const char *key, int value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}
