#include "base/sys.h"
#include "compare.h"
#include "output.h"

static struct json_object *json_pages(const struct common *common)
{
	struct json_object *object = json_object_new_object();
	for (int i = 0; i < COMPARISONS; i++)
		json_add_number(object, compare_keys[i], common->pages[i]);
	return object;
}

static struct json_object *json_own(const struct compare *compare, const struct common *common)
{
	struct json_object *array = json_object_new_array();
	for (unsigned i = 0; i < compare->processes; i++)
		json_object_array_add(array, json_object_new_uint64(common->own[i]));
	return array;
}

static struct json_object *json_common(const struct compare *compare, const struct common *common)
{
	struct json_object *object = json_object_new_object(), *runs = json_object_new_array();

	json_add_address(object, "start", common->start);
	json_add_address(object, "end", common->end);
	json_add_string(object, "path", common->mapping->path);
	json_add_bool(object, "incomplete", common->incomplete);
	json_object_object_add(object, "pages", json_pages(common));
	json_object_object_add(object, "only_here", json_own(compare, common));
	for (size_t i = 0; i < common->runs.count; i++) {
		const struct letter_run *from = &common->runs.run[i];
		struct json_object *run = json_object_new_object();
		const char letter[] = {from->letter, 0};
		json_add_address(run, "start", from->start);
		json_add_number(run, "pages", (from->end - from->start) >> PAGE_SHIFT);
		json_add_string(run, "state", letter);
		json_object_array_add(runs, run);
	}
	json_object_object_add(object, "runs", runs);
	return object;
}

static struct json_object *json_processes(const struct compare *compare)
{
	struct json_object *array = json_object_new_array();
	for (unsigned i = 0; i < compare->processes; i++) {
		struct json_object *object = json_object_new_object();
		json_add_number(object, "pid", (uint64_t)compare->process[i].pid);
		json_add_string(object, "name", compare->process[i].name);
		json_add_number(object, "anonymous", compare->anonymous[i]);
		json_add_number(object, "only_here", compare->total.own[i]);
		json_add_bool(object, "process_ended", compare->process[i].exited);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_pairs(const struct compare *compare)
{
	struct json_object *array = json_object_new_array();
	for (unsigned i = 0; i < compare->processes; i++) {
		for (unsigned j = i + 1; j < compare->processes; j++) {
			struct json_object *object = json_object_new_object();
			json_add_number(object, "pid", (uint64_t)compare->process[i].pid);
			json_add_number(object, "other", (uint64_t)compare->process[j].pid);
			json_add_number(object, "same_anonymous", compare->same[i][j]);
			json_add_number(object, "same_file", compare->same_file[i][j]);
			json_object_array_add(array, object);
		}
	}
	return array;
}

int compare_print_json(const struct compare *compare)
{
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();

	json_add_number(object, "page_size", PAGE_SIZE);
	json_add_bool(object, "frame_numbers", compare->frames.numbers);
	if (!compare->frames.numbers)
		json_add_string(object, "missing", "CAP_SYS_ADMIN");
	json_object_object_add(object, "processes", json_processes(compare));
	if (compare->frames.numbers)
		json_object_object_add(object, "pairs", json_pairs(compare));
	json_object_object_add(object, "pages", json_pages(&compare->total));
	for (size_t i = 0; i < compare->count; i++)
		json_object_array_add(array, json_common(compare, &compare->commons[i]));
	json_object_object_add(object, "mappings", array);
	return output_json(object, "compare");
}
