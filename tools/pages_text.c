#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "output.h"
#include "pages.h"

static void print_answer(const struct pages_view *view, struct text *text)
{
	uint64_t copied = states_copied(&view->total);

	text_decimal(text, (uint64_t)view->process.pid);
	text_character(text, ' ');
	output_string(text, view->process.name);
	text_string(text, " copied ");
	text_size(text, copied << PAGE_SHIFT);
	text_string(text, " of ");
	text_size(text, view->bytes);
	text_string(text, " private memory (");
	text_percent(text, copied << PAGE_SHIFT, view->bytes);
	text_character(text, ')');
	if (view->total.pages[STATE_SHARED]) {
		text_string(text, ", and since a fork shares ");
		text_size(text, view->total.pages[STATE_SHARED] << PAGE_SHIFT);
		text_string(text, " with other processes");
	}
	text_character(text, '\n');
}

static void print_states(const struct states *states, struct text *text)
{
	text_string(text, "\n   state                                pages        size\n");
	for (int i = 0; i < STATES; i++) {
		if (i == STATE_UNKNOWN && !states->pages[i])
			continue;
		text_string(text, "   ");
		text_character(text, STATE_LETTERS[i]);
		text_string(text, "  ");
		text_string(text, state_names[i]);
		text_pad(text, 32);
		text_decimal_right(text, states->pages[i], 12);
		text_size_right(text, states->pages[i] << PAGE_SHIFT, 12);
		text_character(text, '\n');
	}
}

static void print_pair(struct text *text, const char *name, uint64_t ours, uint64_t smaps)
{
	text_string(text, "   ");
	text_string(text, name);
	text_pad(text, 47);
	text_size_right(text, ours, 12);
	text_size_right(text, smaps, 12);
	if (ours != smaps)
		text_string(text, "  differs");
	text_character(text, '\n');
}

/* The same quantities from both sources; a program that runs meanwhile makes them differ. */
static void print_smaps(const struct pages_view *view, struct text *text)
{
	const uint64_t *pages = view->total.pages;
	const struct smaps *smaps = &view->smaps;

	if (view->clipped) {
		text_string(text, "\n   smaps counts whole mappings: not compared with a part\n");
		return;
	}
	text_string(text,
		    "\n   name in smaps                                    pagemap       smaps\n");
	print_pair(text, "Anonymous (C + H + s)",
		   (pages[STATE_COPIED] + pages[STATE_HUGE] + pages[STATE_SHARED]) << PAGE_SHIFT,
		   smaps->anonymous);
	print_pair(text, "Swap (S)", pages[STATE_SWAPPED] << PAGE_SHIFT, smaps->swap);
	print_pair(text, "Private_Clean + Private_Dirty (mapped once)",
		   view->survey.only_here << PAGE_SHIFT,
		   smaps->private_clean + smaps->private_dirty);
	print_pair(text, "AnonHugePages (H and huge s)", view->total.huge_pages << PAGE_SHIFT,
		   smaps->anonymous_huge);
	text_string(text, "   Locked");
	text_pad(text, 47);
	text_right(text, "-", 1, 12);
	text_size_right(text, smaps->locked, 12);
	text_character(text, '\n');
}

static void print_frames(const struct pages_view *view, struct text *text)
{
	const struct survey *survey = &view->survey;
	char buffer[160];
	const char *reason;

	if (view->frames.numbers && view->frames.flags_fd >= 0) {
		text_string(text, "\n   frames (kpageflags):");
		for (unsigned bit = 0; bit < FRAME_FLAGS; bit++) {
			if (!survey->flagged[bit] || !frames_flag_name(bit))
				continue;
			if (text->column > 64)
				text_string(text, "\n                       ");
			text_character(text, ' ');
			text_string(text, frames_flag_name(bit));
			text_character(text, ' ');
			text_decimal(text, survey->flagged[bit]);
		}
		text_character(text, '\n');
	}
	if (view->frames.numbers && view->frames.counts_fd >= 0) {
		text_string(text, "   frames (kpagecount): mapped once ");
		text_decimal(text, survey->mapped_once);
		text_string(text, ", more often ");
		text_decimal(text, survey->mapped_more);
		text_character(text, '\n');
	}
	for (unsigned i = 0; (reason = frames_missing(&view->frames, i, buffer, sizeof(buffer)));
	     i++) {
		text_string(text, i ? "   missing: " : "\n   missing: ");
		text_string(text, reason);
		text_character(text, '\n');
	}
}

static void print_limits(const struct pages_view *view, struct text *text)
{
	if (view->process.exited)
		text_string(text, "   the process ended while it was read: this is incomplete\n");
	if (view->incomplete) {
		text_string(text, "   mappings changed while they were read, marked below: ");
		text_decimal(text, view->incomplete);
		text_character(text, '\n');
	}
	if (view->raw) {
		text_string(text, "   mappings of raw frames (pf or io in smaps), left out: ");
		text_decimal(text, view->raw);
		text_character(text, '\n');
	}
	if (view->total.inferred)
		text_string(text, "   z is inferred, and may be s: exact from Linux 6.7 on\n");
}

static void print_range(const struct mapping *mapping, struct text *text)
{
	text_hex(text, mapping->start, 12);
	text_character(text, '-');
	text_hex(text, mapping->end, 12);
	text_character(text, ' ');
	text_character(text, mapping->readable ? 'r' : '-');
	text_character(text, mapping->writable ? 'w' : '-');
	text_character(text, mapping->executable ? 'x' : '-');
	text_string(text, "p ");
	text_size_right(text, mapping->end - mapping->start, 10);
	text_character(text, ' ');
	output_string(text, *mapping->path ? mapping->path : "(anonymous)");
}

static void print_counts(const struct states *states, struct text *text)
{
	const char *separator = "  ";
	for (int i = 0; i < STATE_UNTOUCHED; i++) {
		if (!states->pages[i])
			continue;
		text_string(text, separator);
		text_character(text, STATE_LETTERS[i]);
		text_character(text, ' ');
		text_size(text, states->pages[i] << PAGE_SHIFT);
		separator = ", ";
	}
	if (separator[0] == ' ')
		text_string(text, "  untouched");
}

static void print_frame(uintptr_t address, char letter, uint64_t entry, uint64_t flags,
			uint64_t count, void *context)
{
	struct text *text = context;
	text_string(text, "  ");
	text_hex(text, address, 12);
	text_character(text, ' ');
	text_character(text, letter);
	text_string(text, " frame ");
	text_hex(text, ENTRY_FRAME(entry), 1);
	text_string(text, " count ");
	text_decimal(text, count);
	for (unsigned bit = 0; bit < FRAME_FLAGS; bit++) {
		if (!(flags >> bit & 1) || !frames_flag_name(bit))
			continue;
		text_character(text, ' ');
		text_string(text, frames_flag_name(bit));
	}
	text_character(text, '\n');
}

static void print_frame_list(const struct pages_view *view, size_t i, struct text *text)
{
	struct survey ignored = {0};
	struct pagemap pagemap;
	if (process_open_pagemap(&view->process, &pagemap))
		return;
	frames_survey(&view->frames, pagemap.fd, &view->states[i].runs, &ignored, print_frame,
		      text);
	pagemap_close(&pagemap);
}

static void print_mapping(const struct pages_view *view, size_t i,
			  const struct pages_options *options, struct text *text)
{
	const struct mapping *mapping = &view->process.mappings[i];
	const struct states *states = &view->states[i];

	text_character(text, '\n');
	print_range(mapping, text);
	text_string(text, "\n ");
	if (mapping->raw)
		text_string(text, " raw frames");
	else
		print_counts(states, text);
	if (mapping->smaps.locked) {
		text_string(text, ", locked ");
		text_size(text, mapping->smaps.locked);
	}
	if (mapping->changed || states->error)
		text_string(text, "  (changed while it was read)");
	text_character(text, '\n');
	if (states->runs.count && options->list_frames)
		print_frame_list(view, i, text);
	else if (states->runs.count)
		letter_runs_draw(&states->runs, NULL, mapping->start, mapping->end,
				 options->all ? 0 : MAP_ROWS, text);
}

void pages_print(const struct pages_view *view, const struct pages_options *options,
		 struct text *text)
{
	print_answer(view, text);
	print_states(&view->total, text);
	print_smaps(view, text);
	print_frames(view, text);
	print_limits(view, text);
	for (size_t i = 0; i < view->process.count; i++)
		print_mapping(view, i, options, text);
}

static void print_change(int letter, uint64_t now, uint64_t before, struct text *text)
{
	if (now == before)
		return;
	text_string(text, "  ");
	text_character(text, STATE_LETTERS[letter]);
	text_string(text, now > before ? " +" : " -");
	text_size(text, (now > before ? now - before : before - now) << PAGE_SHIFT);
}

/* The mapping of a former look that covers most of this one: it may have grown at either end. */
static size_t same_before(const struct pages_view *before, const struct mapping *mapping)
{
	for (size_t i = 0; i < before->process.count; i++) {
		const struct mapping *other = &before->process.mappings[i];
		if (other->start < mapping->end && other->end > mapping->start &&
		    other->inode == mapping->inode)
			return i;
	}
	return before->process.count;
}

static void print_mapping_changes(const struct pages_view *view, size_t i,
				  const struct pages_view *before,
				  const struct pages_options *options, struct text *text)
{
	static const struct states none;
	const struct mapping *mapping = &view->process.mappings[i];
	const struct states *states = &view->states[i], *old = &none;
	size_t other = same_before(before, mapping);
	bool changed = false;

	if (other < before->process.count)
		old = &before->states[other];
	changed = states->runs.count != old->runs.count ||
		  (states->runs.count && memcmp(states->runs.run, old->runs.run,
						states->runs.count * sizeof(*old->runs.run)) != 0);
	if (!changed)
		return;
	print_range(mapping, text);
	text_character(text, '\n');
	letter_runs_draw(&states->runs, &old->runs, mapping->start, mapping->end,
			 options->all ? 0 : MAP_ROWS, text);
}

void pages_print_changes(const struct pages_view *view, const struct pages_view *before,
			 const struct pages_options *options, double seconds, struct text *text)
{
	text_string(text, "\nafter ");
	text_duration(text, (uint64_t)(seconds * 1e9));
	text_character(text, ':');
	for (int i = 0; i < STATES; i++)
		print_change(i, view->total.pages[i], before->total.pages[i], text);
	text_character(text, '\n');
	for (size_t i = 0; i < view->process.count; i++)
		print_mapping_changes(view, i, before, options, text);
	if (view->process.exited)
		text_string(text, "the process ended while it was read: this is incomplete\n");
}
