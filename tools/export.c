/* What the formats of export share. */
#include "export.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model_names.h"
#include "output.h"
#include "report.h"

/* Longer ones are cut: names of C++ templates know no end. */
#define NAME_MOST 16384

static char name_buffer[NAME_MOST], escaped_buffer[NAME_MOST];

static const char *ended(struct text *text, char *buffer)
{
	buffer[text->length < NAME_MOST ? text->length : NAME_MOST - 1] = 0;
	return buffer;
}

unsigned export_levels(struct model *model, uint32_t frame)
{
	unsigned count = model_place(model, frame)->count;
	return count ? count : 1;
}

const struct source_line *export_level_line(struct model *model, uint32_t frame, unsigned level)
{
	static const struct source_line unknown;
	const struct code_place *place = model_place(model, frame);
	return level < place->count ? &place->lines[level] : &unknown;
}

const char *export_level_name(struct model *model, uint32_t frame, unsigned level)
{
	const struct source_line *line = export_level_line(model, frame, level);
	struct text text;

	text_start(&text, -1, name_buffer, NAME_MOST - 1);
	if (line->function) {
		output_string(&text, line->function);
	} else if (!frame) {
		text_string(&text, "[no stack]");
	} else {
		output_string(&text, model_module_name(model, model->frames[frame].module));
		text_string(&text, "+0x");
		text_hex(&text, model_address(model, frame), 1);
	}
	return ended(&text, name_buffer);
}

const char *export_process_name(const struct model_process *process)
{
	struct text text;
	text_start(&text, -1, name_buffer, NAME_MOST - 1);
	output_string(&text, model_process_name(process));
	text_string(&text, " (pid ");
	text_decimal(&text, process->header.pid);
	text_character(&text, ')');
	return ended(&text, name_buffer);
}

const char *export_escaped(const char *untrusted)
{
	struct text text;
	text_start(&text, -1, escaped_buffer, NAME_MOST - 1);
	output_string(&text, untrusted);
	return ended(&text, escaped_buffer);
}

/* What is left after escaping is UTF-8 without control characters. */
void export_json_quoted(FILE *stream, const char *escaped)
{
	putc('"', stream);
	for (; *escaped; escaped++) {
		if (*escaped == '"' || *escaped == '\\')
			putc('\\', stream);
		putc(*escaped, stream);
	}
	putc('"', stream);
}

void export_json_string(FILE *stream, const char *untrusted)
{
	export_json_quoted(stream, export_escaped(untrusted));
}
