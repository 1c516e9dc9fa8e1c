#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frame.h"

#define RED_ZONE 128
#define CONTEXT_SIZE 304 /* struct ucontext of the kernel; libc's is longer */
#define INFO_SIZE 128
#define EXTENDED_MAGIC 0x46505853u

/* struct rt_sigframe of arch/x86/include/asm/sigframe.h. */
struct frame {
	void (*restorer)(void);
	char context[CONTEXT_SIZE];
	char info[INFO_SIZE];
};

/* Bytes of saved floating point and vector state (struct _fpx_sw_bytes in its software area). */
static size_t vector_size(const void *area)
{
	uint32_t magic, size;
	memcpy(&magic, (const char *)area + 464, sizeof(magic));
	memcpy(&size, (const char *)area + 468, sizeof(size));
	return magic == EXTENDED_MAGIC ? size : 512;
}

static bool on_alternate(const struct delivery *delivery, uintptr_t address)
{
	return delivery->alternate &&
	       address - (uintptr_t)delivery->alternate->ss_sp < delivery->alternate->ss_size;
}

static bool enters_alternate(const struct delivery *delivery)
{
	return delivery->wants_alternate && delivery->alternate && !delivery->on_alternate;
}

static uintptr_t frame_top(const struct delivery *delivery)
{
	uintptr_t interrupted = (uintptr_t)delivery->context->uc_mcontext.gregs[REG_RSP];
	if (enters_alternate(delivery))
		return (uintptr_t)delivery->alternate->ss_sp + delivery->alternate->ss_size;
	return interrupted - RED_ZONE;
}

/* The program's memory may be protected by us, or not be there. */
static bool push(const struct frame *frame, uintptr_t at, const void *vectors, uintptr_t vectors_at)
{
	return (!vectors || !sys_copy((void *)vectors_at, vectors, vector_size(vectors))) &&
	       !sys_copy((void *)at, frame, sizeof(*frame));
}

bool frame_deliver(const struct delivery *delivery)
{
	ucontext_t *context = delivery->context;
	greg_t *registers = context->uc_mcontext.gregs;
	const void *vectors = context->uc_mcontext.fpregs;
	uintptr_t top = frame_top(delivery);
	uintptr_t vectors_at = vectors ? (top - vector_size(vectors)) & ~(uintptr_t)63 : top;
	uintptr_t at = ((vectors_at - sizeof(struct frame)) & ~(uintptr_t)15) - 8;

	if ((enters_alternate(delivery) || delivery->on_alternate) && !on_alternate(delivery, at))
		return false;
	struct frame frame = {.restorer = delivery->restorer};
	memcpy(frame.context, context, CONTEXT_SIZE);
	memcpy(frame.context + offsetof(ucontext_t, uc_sigmask), &delivery->old_mask,
	       sizeof(delivery->old_mask));
	memcpy(frame.context + offsetof(ucontext_t, uc_stack), &delivery->old_stack,
	       sizeof(delivery->old_stack));
	if (vectors)
		memcpy(frame.context + offsetof(ucontext_t, uc_mcontext.fpregs), &vectors_at,
		       sizeof(vectors_at));
	memcpy(frame.info, delivery->info, INFO_SIZE);
	if (!push(&frame, at, vectors, vectors_at))
		return false;

	struct frame *pushed = (struct frame *)at;
	registers[REG_RSP] = (greg_t)at;
	registers[REG_RIP] = (greg_t)delivery->handler;
	registers[REG_RDI] = delivery->signal;
	registers[REG_RSI] = (greg_t)pushed->info;
	registers[REG_RDX] = (greg_t)pushed->context;
	registers[REG_RAX] = 0;
	registers[REG_EFL] &= ~(greg_t)(0x400 | 0x100); /* direction and trap flags */
	*(sigmask_t *)&context->uc_sigmask = delivery->mask;
	return true;
}

/* The restorer's address has been popped. The vector state stays where the frame has it. */
bool frame_return(ucontext_t *context)
{
	char saved[CONTEXT_SIZE];
	if (sys_copy(saved, (const void *)context->uc_mcontext.gregs[REG_RSP], sizeof(saved)))
		return false;
	memcpy(context, saved, sizeof(saved));
	return true;
}
