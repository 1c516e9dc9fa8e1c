#include "dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MOST 16 /* of namespaces and types */

/* ---- address ranges ---- */

static void ranges_add(struct dwarf_ranges *ranges, Dwarf_Addr low, Dwarf_Addr high, Dwarf_Off die)
{
	if (low >= high)
		return;
	if (ranges->count == ranges->capacity) {
		size_t capacity = ranges->capacity ? ranges->capacity * 2 : 32;
		void *grown = realloc(ranges->list, capacity * sizeof(*ranges->list));
		if (!grown)
			return;
		ranges->list = grown;
		ranges->capacity = capacity;
	}
	ranges->list[ranges->count++] = (struct dwarf_range){.low = low, .high = high, .die = die};
}

static void ranges_add_die(struct dwarf_ranges *ranges, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t next = 0;
	while ((next = dwarf_ranges(die, next, &base, &low, &high)) > 0)
		ranges_add(ranges, low, high, dwarf_dieoffset(die));
}

static int by_low(const void *left, const void *right)
{
	const struct dwarf_range *a = left, *b = right;
	return a->low < b->low ? -1 : a->low > b->low;
}

static void ranges_complete(struct dwarf_ranges *ranges)
{
	Dwarf_Addr reach = 0;
	if (ranges->count)
		qsort(ranges->list, ranges->count, sizeof(*ranges->list), by_low);
	for (size_t i = 0; i < ranges->count; i++) {
		if (reach < ranges->list[i].high)
			reach = ranges->list[i].high;
		ranges->list[i].reach = reach;
	}
}

/* The range that begins last of those that hold the address. */
static const struct dwarf_range *ranges_find(const struct dwarf_ranges *ranges, Dwarf_Addr address)
{
	size_t low = 0, high = ranges->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges->list[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && ranges->list[low].reach > address)
		if (ranges->list[low].high > address)
			return &ranges->list[low];
	return NULL;
}

/* ---- units ---- */

static void read_addresses(struct dwarf_units *units)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	while (dwarf_get_units(units->dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)
		if (dwarf_tag(&die) == DW_TAG_compile_unit ||
		    dwarf_tag(&die) == DW_TAG_skeleton_unit)
			ranges_add_die(&units->addresses, &die);
	ranges_complete(&units->addresses);
	units->addresses_read = true;
}

/* clang writes no .debug_aranges, and another compiler's files may be linked with its own. */
bool dwarf_units_find(struct dwarf_units *units, Dwarf_Addr address, Dwarf_Die *unit)
{
	Dwarf_Die split;
	if (!dwarf_addrdie(units->dwarf, address, unit)) {
		const struct dwarf_range *range;
		if (!units->addresses_read)
			read_addresses(units);
		range = ranges_find(&units->addresses, address);
		if (!range || !dwarf_offdie(units->dwarf, range->die, unit))
			return false;
	}
	if (dwarf_tag(unit) == DW_TAG_skeleton_unit &&
	    dwarf_cu_info(unit->cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 && split.cu)
		*unit = split;
	return true;
}

/* ---- functions of a unit ---- */

static void collect(struct dwarf_ranges *functions, Dwarf_Die *parent, int nesting)
{
	Dwarf_Die die;
	if (nesting > NESTING_MOST || dwarf_child(parent, &die) != 0)
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram: ranges_add_die(functions, &die); break;
		case DW_TAG_namespace:
		case DW_TAG_module:
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type: collect(functions, &die, nesting + 1); break;
		default: break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static struct dwarf_unit *unit_of(struct dwarf_units *units, Dwarf_Die *die)
{
	struct dwarf_unit *unit;

	for (size_t i = 0; i < units->count; i++)
		if (units->list[i].unit == die->cu)
			return &units->list[i];
	if (units->count == units->capacity) {
		size_t capacity = units->capacity ? units->capacity * 2 : 16;
		void *grown = realloc(units->list, capacity * sizeof(*units->list));
		if (!grown)
			return NULL;
		units->list = grown;
		units->capacity = capacity;
	}
	unit = &units->list[units->count++];
	*unit = (struct dwarf_unit){.unit = die->cu};
	collect(&unit->functions, die, 0);
	ranges_complete(&unit->functions);
	return unit;
}

/* The block or inlined function below parent that holds the address. */
static bool child_at(Dwarf_Die *parent, Dwarf_Addr address, Dwarf_Die *child)
{
	if (dwarf_child(parent, child) != 0)
		return false;
	do {
		int tag = dwarf_tag(child);
		if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(child, address) > 0)
			return true;
	} while (dwarf_siblingof(child, child) == 0);
	return false;
}

int dwarf_units_chain(struct dwarf_units *units, Dwarf_Die *die, Dwarf_Addr address,
		      Dwarf_Die chain[DWARF_CHAIN_MOST])
{
	struct dwarf_unit *unit = unit_of(units, die);
	const struct dwarf_range *range = unit ? ranges_find(&unit->functions, address) : NULL;
	Dwarf_Die outwards[DWARF_CHAIN_MOST], block, child;
	int count = 0;

	/* Of a split unit the offset counts in its own file, which the die's unit leads to. */
	if (!range || !dwarf_offdie(dwarf_cu_getdwarf(die->cu), range->die, &outwards[count++]))
		return 0;
	for (block = outwards[0]; count < DWARF_CHAIN_MOST && child_at(&block, address, &child);
	     block = child)
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine)
			outwards[count++] = child;
	for (int i = 0; i < count; i++)
		chain[i] = outwards[count - 1 - i];
	return count;
}

void dwarf_units_free(struct dwarf_units *units)
{
	for (size_t i = 0; i < units->count; i++)
		free(units->list[i].functions.list);
	free(units->list);
	free(units->addresses.list);
	*units = (struct dwarf_units){0};
}
