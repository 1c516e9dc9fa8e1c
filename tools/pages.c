#include "pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t states_copied(const struct states *states)
{
	return states->pages[STATE_COPIED] + states->pages[STATE_HUGE] +
	       states->pages[STATE_SWAPPED];
}

static void add_states(struct states *total, const struct states *states)
{
	for (int i = 0; i < STATES; i++)
		total->pages[i] += states->pages[i];
	total->huge_pages += states->huge_pages;
	total->inferred |= states->inferred;
}

static void add_smaps(struct smaps *total, const struct smaps *smaps)
{
	total->rss += smaps->rss;
	total->private_clean += smaps->private_clean;
	total->private_dirty += smaps->private_dirty;
	total->anonymous += smaps->anonymous;
	total->anonymous_huge += smaps->anonymous_huge;
	total->swap += smaps->swap;
	total->locked += smaps->locked;
}

static void add_survey(struct survey *total, const struct survey *survey)
{
	total->only_here += survey->only_here;
	total->present += survey->present;
	total->mapped_once += survey->mapped_once;
	total->mapped_more += survey->mapped_more;
	for (int i = 0; i < FRAME_FLAGS; i++)
		total->flagged[i] += survey->flagged[i];
}

static void read_mapping(struct pages_view *view, size_t i, const struct pagemap *pagemap)
{
	const struct mapping *mapping = &view->process.mappings[i];
	struct states *states = &view->states[i];

	if (mapping->raw) {
		view->raw++;
		return;
	}
	states_read(states, pagemap, mapping->start, mapping->end, mapping_is_anonymous(mapping));
	if (!states->error)
		states->error = frames_survey(&view->frames, pagemap->fd, &states->runs,
					      &view->surveys[i], NULL, NULL);
	view->bytes += mapping->end - mapping->start;
	view->clipped |= mapping->clipped;
	add_states(&view->total, states);
	add_smaps(&view->smaps, &mapping->smaps);
	add_survey(&view->survey, &view->surveys[i]);
}

static int read_process(struct pages_view *view, const struct pages_options *options)
{
	struct process *process = &view->process;
	struct pagemap pagemap;
	int error = process_read_mappings(process, options->from, options->to);

	if (!error)
		error = process_open_pagemap(process, &pagemap);
	if (error)
		return error;
	view->states = calloc(process->count + 1, sizeof(*view->states));
	view->surveys = calloc(process->count + 1, sizeof(*view->surveys));
	if (!view->states || !view->surveys)
		error = -ENOMEM;
	for (size_t i = 0; i < process->count && !error; i++)
		read_mapping(view, i, &pagemap);
	pagemap_close(&pagemap);
	process_check(process);
	for (size_t i = 0; i < process->count && !error; i++)
		view->incomplete += process->mappings[i].changed || view->states[i].error;
	return error;
}

int pages_read(struct pages_view *view, const struct pages_options *options)
{
	int error;
	*view = (struct pages_view){.frames = {.flags_fd = -1, .counts_fd = -1}};
	error = process_open(&view->process, options->pid);
	if (error)
		return error;
	frames_open(&view->frames);
	return read_process(view, options);
}

void pages_free(struct pages_view *view)
{
	for (size_t i = 0; view->states && i < view->process.count; i++)
		states_free(&view->states[i]);
	free(view->states);
	free(view->surveys);
	frames_close(&view->frames);
	process_close(&view->process);
	*view = (struct pages_view){.process.folder = -1,
				    .frames = {.flags_fd = -1, .counts_fd = -1}};
}
