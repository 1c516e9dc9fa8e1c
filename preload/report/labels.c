/* The program's own marks, with their times. */
#include "record/labels.h"
#include "report/parts.h"

#define ROWS_MOST 100 /* the latest; the trace has them all */

static uint32_t count_complete(void)
{
	uint32_t complete = 0;

	for (uint32_t index = labels_first(); index++ < labels_count();)
		complete += labels_get(index) != NULL;
	return complete;
}

void report_labels(struct report *report)
{
	struct text *text = &report->text;
	uint32_t complete = count_complete();
	uint32_t left_out = complete > ROWS_MOST ? complete - ROWS_MOST : 0;

	if (!complete)
		return;
	text_string(text, "\nlabels, by time\n");
	if (left_out) {
		text_string(text, "  after ");
		text_decimal(text, left_out);
		text_string(text, " earlier ones\n");
	}
	for (uint32_t index = labels_first(); index++ < labels_count();) {
		const struct label *label = labels_get(index);
		if (!label || (left_out && left_out--))
			continue;
		text_string(text, "  ");
		report_moment(report, label->time);
		text_string(text, "  ");
		text_untrusted(text, label->text, label->length);
		text_character(text, '\n');
	}
}
