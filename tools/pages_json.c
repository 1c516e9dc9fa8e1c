#include "base/sys.h"
#include "output.h"
#include "pages.h"

static struct json_object *json_states(const struct states *states)
{
	struct json_object *object = json_object_new_object();
	for (int i = 0; i < STATES; i++)
		json_add_number(object, state_keys[i], states->pages[i]);
	json_add_number(object, "anonymous_huge", states->huge_pages);
	return object;
}

static struct json_object *json_smaps(const struct smaps *smaps)
{
	struct json_object *object = json_object_new_object();
	json_add_number(object, "Rss", smaps->rss);
	json_add_number(object, "Private_Clean", smaps->private_clean);
	json_add_number(object, "Private_Dirty", smaps->private_dirty);
	json_add_number(object, "Anonymous", smaps->anonymous);
	json_add_number(object, "AnonHugePages", smaps->anonymous_huge);
	json_add_number(object, "Swap", smaps->swap);
	json_add_number(object, "Locked", smaps->locked);
	return object;
}

static struct json_object *json_survey(const struct survey *survey, const struct frames *frames)
{
	struct json_object *object = json_object_new_object(), *flags;
	json_add_number(object, "present", survey->present);
	json_add_number(object, "mapped_only_here", survey->only_here);
	if (frames->numbers && frames->counts_fd >= 0) {
		json_add_number(object, "mapped_once", survey->mapped_once);
		json_add_number(object, "mapped_more", survey->mapped_more);
	}
	if (!frames->numbers || frames->flags_fd < 0)
		return object;
	flags = json_object_new_object();
	for (unsigned bit = 0; bit < FRAME_FLAGS; bit++)
		if (survey->flagged[bit] && frames_flag_name(bit))
			json_add_number(flags, frames_flag_name(bit), survey->flagged[bit]);
	json_object_object_add(object, "flags", flags);
	return object;
}

static struct json_object *json_runs(const struct letter_runs *runs)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < runs->count; i++) {
		struct json_object *run = json_object_new_object();
		const char letter[] = {runs->run[i].letter, 0};
		json_add_address(run, "start", runs->run[i].start);
		json_add_number(run, "pages",
				(runs->run[i].end - runs->run[i].start) >> PAGE_SHIFT);
		json_add_string(run, "state", letter);
		json_object_array_add(array, run);
	}
	return array;
}

static void add_frame(uintptr_t address, char letter, uint64_t entry, uint64_t flags,
		      uint64_t count, void *context)
{
	struct json_object *frame = json_object_new_object(), *names = json_object_new_array();
	const char state[] = {letter, 0};

	json_add_address(frame, "address", address);
	json_add_string(frame, "state", state);
	json_add_number(frame, "frame", ENTRY_FRAME(entry));
	json_add_number(frame, "count", count);
	for (unsigned bit = 0; bit < FRAME_FLAGS; bit++)
		if ((flags >> bit & 1) && frames_flag_name(bit))
			json_object_array_add(names, json_object_new_string(frames_flag_name(bit)));
	json_object_object_add(frame, "flags", names);
	json_object_array_add(context, frame);
}

static struct json_object *json_frames(const struct pages_view *view, size_t i)
{
	struct json_object *array = json_object_new_array();
	struct survey ignored = {0};
	struct pagemap pagemap;
	if (process_open_pagemap(&view->process, &pagemap))
		return array;
	frames_survey(&view->frames, pagemap.fd, &view->states[i].runs, &ignored, add_frame, array);
	pagemap_close(&pagemap);
	return array;
}

static struct json_object *json_mapping(const struct pages_view *view, size_t i,
					const struct pages_options *options)
{
	const struct mapping *mapping = &view->process.mappings[i];
	struct json_object *object = json_object_new_object();
	const char protection[] = {mapping->readable ? 'r' : '-', mapping->writable ? 'w' : '-',
				   mapping->executable ? 'x' : '-', 'p', 0};

	json_add_address(object, "start", mapping->start);
	json_add_address(object, "end", mapping->end);
	json_add_string(object, "protection", protection);
	json_add_string(object, "path", mapping->path);
	json_add_number(object, "offset", mapping->offset);
	json_add_number(object, "inode", mapping->inode);
	json_add_bool(object, "raw_frames", mapping->raw);
	json_add_bool(object, "changed", mapping->changed || view->states[i].error);
	json_object_object_add(object, "pages", json_states(&view->states[i]));
	if (!mapping->clipped)
		json_object_object_add(object, "smaps", json_smaps(&mapping->smaps));
	json_object_object_add(object, "frames", json_survey(&view->surveys[i], &view->frames));
	json_object_object_add(object, "runs", json_runs(&view->states[i].runs));
	if (options->list_frames)
		json_object_object_add(object, "frame_list", json_frames(view, i));
	return object;
}

static struct json_object *json_missing(const struct frames *frames)
{
	struct json_object *array = json_object_new_array();
	char buffer[160];
	const char *reason;
	for (unsigned i = 0; (reason = frames_missing(frames, i, buffer, sizeof(buffer))); i++)
		json_object_array_add(array, json_object_new_string(reason));
	return array;
}

int pages_print_json(const struct pages_view *view, const struct pages_options *options,
		     double seconds)
{
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();

	json_add_number(object, "pid", (uint64_t)view->process.pid);
	json_add_string(object, "name", view->process.name);
	json_add_number(object, "page_size", PAGE_SIZE);
	json_object_object_add(object, "seconds", json_object_new_double(seconds));
	json_add_number(object, "bytes", view->bytes);
	json_add_bool(object, "process_ended", view->process.exited);
	json_add_number(object, "mappings_changed", view->incomplete);
	json_add_bool(object, "zero_inferred", view->total.inferred);
	json_object_object_add(object, "missing", json_missing(&view->frames));
	json_object_object_add(object, "pages", json_states(&view->total));
	if (!view->clipped)
		json_object_object_add(object, "smaps", json_smaps(&view->smaps));
	json_object_object_add(object, "frames", json_survey(&view->survey, &view->frames));
	for (size_t i = 0; i < view->process.count; i++)
		json_object_array_add(array, json_mapping(view, i, options));
	json_object_object_add(object, "mappings", array);
	return output_json(object, "pages");
}
