/* What of call frame information depends on x86-64 (System V psABI, "DWARF Register Number"). */
#ifndef COWSPY_OBSERVE_CFI_REGISTERS_H
#define COWSPY_OBSERVE_CFI_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "observe/cfi.h"

#define CFI_DWARF_FRAME 6 /* rbp */

/* By the numbers of the psABI. False for those that are not followed. */
static inline bool cfi_register(uint64_t number, enum cfi_register *which)
{
	switch (number) {
	case 3: *which = CFI_BASE_POINTER; return true; /* rbx */
	case CFI_DWARF_FRAME: *which = CFI_FRAME_POINTER; return true;
	case 7: *which = CFI_STACK_POINTER; return true;
	default: return false;
	}
}

/*
 * Linkers describe all of the procedure linkage table by one expression: within each entry of 16
 * bytes, behind its push, the frame is a word larger. Byte 5 says from where on.
 */
static inline bool cfi_linkage_table(const uint8_t *expression, const uint8_t *end,
				     uintptr_t instruction, int64_t *offset)
{
	static const uint8_t before[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a},
			     after[] = {0x2a, 0x33, 0x24, 0x22};
	if (end - expression != sizeof(before) + 1 + sizeof(after) ||
	    memcmp(expression, before, sizeof(before)) ||
	    memcmp(end - sizeof(after), after, sizeof(after)))
		return false;
	unsigned push = expression[sizeof(before)] - 0x30u; /* DW_OP_lit0 */
	*offset = 8 + ((instruction & 15) >= push ? 8 : 0); /* from the stack pointer */
	return true;
}

#endif
