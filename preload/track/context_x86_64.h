/* What a signal context says on x86-64. */
#ifndef COWSPY_TRACK_CONTEXT_H
#define COWSPY_TRACK_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* Bits of the page fault error code (REG_ERR). */
#define CONTEXT_FAULT_PRESENT 1u
#define CONTEXT_FAULT_WRITE 2u

static inline uintptr_t context_instruction(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

static inline uintptr_t context_stack(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

/* Of a system call that was interrupted just now. */
static inline long context_result(const ucontext_t *context)
{
	return (long)context->uc_mcontext.gregs[REG_RAX];
}

static inline bool context_fault_is_write(const ucontext_t *context)
{
	return context->uc_mcontext.gregs[REG_ERR] & CONTEXT_FAULT_WRITE;
}

/* A page was mapped, and refused the write. */
static inline bool context_fault_is_present(const ucontext_t *context)
{
	return context->uc_mcontext.gregs[REG_ERR] & CONTEXT_FAULT_PRESENT;
}

static inline void context_jump(ucontext_t *context, uintptr_t instruction)
{
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)instruction;
}

#endif
