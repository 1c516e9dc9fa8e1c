/* Where a walk from the running function begins. */
#ifndef COWSPY_OBSERVE_UNWIND_HERE_H
#define COWSPY_OBSERVE_UNWIND_HERE_H

#include "observe/unwind.h"

static inline __attribute__((always_inline)) void unwind_here(struct unwind *unwind)
{
	__asm__ volatile("lea 1f(%%rip), %0\n"
			 "1:\tmov %%rsp, %1\n\t"
			 "mov %%rbp, %2\n\t"
			 "mov %%rbx, %3"
			 : "=&r"(unwind->instruction), "=m"(unwind->registers[CFI_STACK_POINTER]),
			   "=m"(unwind->registers[CFI_FRAME_POINTER]),
			   "=m"(unwind->registers[CFI_BASE_POINTER]));
	unwind->exact = true;
}

#endif
