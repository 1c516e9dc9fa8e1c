/*
 * Standard output of the verbs: text through struct text, or JSON by json-c.
 * Whatever comes from the process looked at (paths, names) goes through text_untrusted.
 */
#ifndef COWSPY_TOOLS_OUTPUT_H
#define COWSPY_TOOLS_OUTPUT_H

#include <stdint.h>

#include <json-c/json.h>

#include "base/text.h"

void output_start(struct text *text);

/* Flush; returns status, or STATUS_FAILED with a message when standard output failed. */
int output_finish(struct text *text, const char *verb, int status);

void output_string(struct text *text, const char *untrusted);

/* One line of JSON; frees the object. Returns a status. */
int output_json(struct json_object *object, const char *verb);

void json_add_number(struct json_object *object, const char *key, uint64_t value);
void json_add_address(struct json_object *object, const char *key, uintptr_t address);
void json_add_string(struct json_object *object, const char *key, const char *untrusted);
void json_add_bool(struct json_object *object, const char *key, int value);

#endif
