/*
 * Call frame information: how to find the caller's frame from an instruction, as the compiler has
 * written it into .eh_frame (DWARF 5, section 6.4; Linux Standard Base, "Exception Frames").
 *
 * Reads tables of a mapped module only, takes no lock, allocates nothing: the fault handler may
 * call. Tables that were unmapped meanwhile are a fault, which the caller has to be ready for.
 */
#ifndef COWSPY_OBSERVE_CFI_H
#define COWSPY_OBSERVE_CFI_H

#include <stdbool.h>
#include <stdint.h>

/* The registers that are followed: a frame may be found from each of them. */
enum cfi_register {
	CFI_STACK_POINTER,
	CFI_FRAME_POINTER,
	CFI_BASE_POINTER, /* callee-saved as well; of use to a few functions in assembler */
	CFI_REGISTERS
};

/* Where the caller's value of a register is. */
enum cfi_saved {
	CFI_SAME,     /* still in the register */
	CFI_AT_CFA,   /* stored at canonical frame address + offset */
	CFI_AT_FRAME, /* stored at frame pointer + offset */
};

struct cfi_place {
	int16_t offset;
	uint8_t saved; /* enum cfi_saved */
};

/* The canonical frame address is the caller's stack pointer. */
struct cfi_rule {
	int32_t offset;                         /* it is register + offset, */
	uint8_t from;                           /* enum cfi_register */
	bool loaded;                            /* or what is stored there, */
	int16_t added;                          /* + this */
	int16_t return_address;                 /* offset from the canonical frame address */
	struct cfi_place places[CFI_REGISTERS]; /* that of the stack pointer is not used */
	bool signal;                            /* a signal frame: its registers are in memory */
	bool outermost;
};

/*
 * The rule for an instruction, from the module's .eh_frame_hdr. 0, -ENOENT when it is in no function
 * that the module describes, -ENOTSUP when the description is beyond us.
 */
int cfi_find(const void *header, uintptr_t instruction, struct cfi_rule *rule);

#endif
