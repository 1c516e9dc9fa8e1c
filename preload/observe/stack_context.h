/* Makes an interrupted context go on elsewhere; one case for each architecture. */
#ifndef COWSPY_OBSERVE_STACK_CONTEXT_H
#define COWSPY_OBSERVE_STACK_CONTEXT_H

#include <stdint.h>
#include <ucontext.h>

static inline void stack_context_jump(ucontext_t *context, uintptr_t target)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)target;
#elif defined(__aarch64__)
	context->uc_mcontext.pc = target;
#endif
}

#endif
