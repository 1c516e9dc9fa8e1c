/* The report's tree of calls: who wrote first, who called that, and so on outwards. */
#include <stdlib.h>

#include "model_names.h"
#include "output.h"
#include "report.h"

#define NO_NODE 0 /* index of the root, which no node has for a child */
#define INDENT_MOST 40

struct node {
	uint32_t parent, frame;
	const char *function; /* NULL: the frame's module and address */
	uint64_t copied_bytes, bytes;
	size_t first, count; /* children, once ordered */
};

struct tree {
	struct model *model;
	struct node *nodes; /* [0]: the root */
	size_t count, capacity;
	struct table index;
	uint32_t *order; /* nodes by parent, then weight */
};

static uint32_t child_of(struct tree *tree, uint32_t parent, uint32_t frame, const char *function)
{
	struct model *model = tree->model;
	uint32_t module = model->frames[frame].module;
	const uint64_t key[] = {parent, (uintptr_t)function, module,
				function ? 0 : model->frames[frame].offset};
	uint64_t kept = (uintptr_t)intern_bytes(&model->strings, (const char *)key, sizeof(key));
	uint32_t found = kept ? table_get(&tree->index, kept) : TABLE_NONE;

	if (found != TABLE_NONE)
		return found;
	if (!kept ||
	    !array_grow(&tree->nodes, tree->count, &tree->capacity, sizeof(*tree->nodes)) ||
	    !table_set(&tree->index, kept, (uint32_t)tree->count))
		return NO_NODE;
	tree->nodes[tree->count] = (struct node){
		.parent = parent, .frame = frame, .function = function};
	return (uint32_t)tree->count++;
}

static uint32_t add_level(struct tree *tree, uint32_t parent, uint32_t frame, const char *function,
			  const struct group *group)
{
	uint32_t index = child_of(tree, parent, frame, function);
	if (index != NO_NODE) {
		tree->nodes[index].copied_bytes += group->copied_bytes;
		tree->nodes[index].bytes += group->bytes;
	}
	return index;
}

/* A place without lines is one level, one with inlined functions several. */
static bool add_stack(struct tree *tree, const struct group *group)
{
	const struct model_stack *stack = &tree->model->stacks[group->stack];
	uint32_t node = NO_NODE;

	if (!stack->depth)
		return add_level(tree, node, 0, NULL, group) != NO_NODE;
	for (uint32_t i = 0; i < stack->depth; i++) {
		const struct code_place *place = model_place(tree->model, stack->frames[i]);
		unsigned levels = place->count ? place->count : 1;
		for (unsigned j = 0; j < levels; j++) {
			const char *function = place->count ? place->lines[j].function : NULL;
			if (!function && j + 1 < levels)
				continue;
			node = add_level(tree, node, stack->frames[i], function, group);
			if (node == NO_NODE)
				return false;
		}
	}
	return true;
}

static const struct node *base; /* of the comparison below */

static int by_parent_and_weight(const void *left, const void *right)
{
	uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
	const struct node *a = &base[x], *b = &base[y];
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->copied_bytes != b->copied_bytes)
		return a->copied_bytes > b->copied_bytes ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool order_nodes(struct tree *tree)
{
	tree->order = calloc(tree->count + 1, sizeof(*tree->order));
	if (!tree->order)
		return false;
	for (uint32_t i = 1; i < tree->count; i++)
		tree->order[i - 1] = i;
	base = tree->nodes;
	qsort(tree->order, tree->count - 1, sizeof(*tree->order), by_parent_and_weight);
	for (size_t i = 0; i + 1 < tree->count; i++) {
		struct node *parent = &tree->nodes[tree->nodes[tree->order[i]].parent];
		if (!parent->count++)
			parent->first = i;
	}
	return true;
}

static bool build(struct tree *tree, const struct report *report)
{
	struct groups stacks;
	bool done = groups_collect(&stacks, report->model, &report->options->common.selection,
				   BY_STACK) &&
		    array_grow(&tree->nodes, 0, &tree->capacity, sizeof(*tree->nodes));

	tree->count = done;
	if (done)
		tree->nodes[0] = (struct node){.parent = NO_NODE};
	for (size_t i = 0; done && i < stacks.count; i++)
		done = add_stack(tree, &stacks.list[i]);
	groups_free(&stacks);
	return done && order_nodes(tree);
}

static void release(struct tree *tree)
{
	free(tree->nodes);
	free(tree->order);
	table_free(&tree->index);
}

/* ---- text ---- */

static void print_name(struct model *model, const struct node *node, struct text *text)
{
	if (!node->function) {
		report_function(model, node->frame, text);
		return;
	}
	output_string(text, node->function);
	text_string(text, " (");
	output_string(text, model_module_name(model, model->frames[node->frame].module));
	text_character(text, ')');
}

static void print_node(const struct report *report, const struct node *node, unsigned indent,
		       bool alone, struct text *text)
{
	const struct group *total = &report->groups.total;
	bool copies = total->copied_bytes != 0;

	if (alone) {
		text_pad(text, 33);
	} else {
		text_size_right(text, node->copied_bytes, 11);
		text_size_right(text, node->bytes, 13);
		text_percent_right(text, copies ? node->copied_bytes : node->bytes,
				   copies ? total->copied_bytes : total->bytes, 9);
	}
	for (unsigned i = 0; i <= indent; i++)
		text_string(text, "  ");
	print_name(report->model, node, text);
	text_character(text, '\n');
}

/* An only caller stands below without numbers and further indentation: they are the same. */
static void print_callers(const struct report *report, const struct tree *tree, uint32_t of,
			  unsigned indent, unsigned level, struct text *text)
{
	const struct node *node = &tree->nodes[of];
	uint64_t most = report->options->common.frames;
	bool alone = of && node->count == 1;
	size_t shown = report_shown(report, node->count);

	if (most && level >= most) {
		if (node->count) {
			for (unsigned i = 0; i <= indent; i++)
				text_string(text, "  ");
			text_string(text, "                                 ... more callers: "
					  "--frames 0 shows all\n");
		}
		return;
	}
	for (size_t i = 0; i < shown; i++) {
		uint32_t child = tree->order[node->first + i];
		bool same = alone && tree->nodes[child].bytes == node->bytes;
		unsigned deeper = same || indent >= INDENT_MOST ? indent : indent + 1;
		print_node(report, &tree->nodes[child], of ? deeper : 0, same, text);
		print_callers(report, tree, child, of ? deeper : 0, level + 1, text);
	}
	if (!of)
		report_print_left_out(node->count - shown, text);
}

void report_print_callers(const struct report *report, struct text *text)
{
	struct tree tree = {.model = report->model};

	text_string(text, "\nby callers, from the writers outwards\n"
			  "     copied   first writes      %\n");
	if (build(&tree, report))
		print_callers(report, &tree, 0, 0, 0, text);
	release(&tree);
}

/* ---- JSON ---- */

static struct json_object *json_callers(const struct report *report, const struct tree *tree,
					uint32_t of)
{
	struct json_object *array = json_object_new_array();
	const struct node *node = &tree->nodes[of];

	for (size_t i = 0; i < node->count; i++) {
		uint32_t index = tree->order[node->first + i];
		const struct node *child = &tree->nodes[index];
		struct json_object *object = json_object_new_object();
		uint32_t module = report->model->frames[child->frame].module;
		if (child->function)
			json_add_string(object, "function", child->function);
		else
			json_add_address(object, "address",
					 model_address(report->model, child->frame));
		json_add_string(object, "module", model_module_name(report->model, module));
		json_add_number(object, "copied_bytes", child->copied_bytes);
		json_add_number(object, "bytes", child->bytes);
		if (child->count)
			json_object_object_add(object, "callers",
					       json_callers(report, tree, index));
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *report_json_callers(const struct report *report)
{
	struct tree tree = {.model = report->model};
	struct json_object *array = NULL;

	if (build(&tree, report))
		array = json_callers(report, &tree, 0);
	release(&tree);
	return array;
}
