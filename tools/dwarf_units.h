/*
 * Which functions and which functions inlined into them an address belongs to, by DWARF.
 *
 * Single-threaded. Each compilation unit is walked once, on first need, for the address ranges of
 * its functions; below a function only the blocks that hold the address are looked at.
 */
#ifndef COWSPY_TOOLS_DWARF_UNITS_H
#define COWSPY_TOOLS_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct dwarf_range {
	Dwarf_Addr low, high, reach; /* reach: highest end of this and all before it */
	Dwarf_Off die;
};

struct dwarf_ranges {
	struct dwarf_range *list; /* by low once it is complete */
	size_t count, capacity;
};

struct dwarf_unit {
	Dwarf_CU *unit;
	struct dwarf_ranges functions;
};

struct dwarf_units {
	Dwarf *dwarf;
	struct dwarf_unit *list;
	size_t count, capacity;
	struct dwarf_ranges addresses; /* of all units, where the file has no table of them */
	bool addresses_read;
};

#define DWARF_CHAIN_MOST 64

/* The unit that an address belongs to. */
bool dwarf_units_find(struct dwarf_units *units, Dwarf_Addr address, Dwarf_Die *unit);

/*
 * chain[0] is the innermost function inlined at the address, the last is the function whose code
 * it is. Returns how many there are, 0 when the unit has no function there.
 */
int dwarf_units_chain(struct dwarf_units *units, Dwarf_Die *unit, Dwarf_Addr address,
		      Dwarf_Die chain[DWARF_CHAIN_MOST]);

void dwarf_units_free(struct dwarf_units *units);

#endif
