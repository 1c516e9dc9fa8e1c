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

static uintptr_t frame_top(const struct delivery *delivery)
{
	uintptr_t interrupted = (uintptr_t)delivery->context->uc_mcontext.gregs[REG_RSP];
	if (delivery->alternate && !delivery->on_alternate)
		return (uintptr_t)delivery->alternate->ss_sp + delivery->alternate->ss_size;
	return interrupted - RED_ZONE;
}

/* The kernel pushed the frame for our handler on the very stack that the program's wants. */
static bool kernel_frame_fits(const struct delivery *delivery)
{
	uintptr_t at = (uintptr_t)delivery->context;
	return delivery->alternate &&
	       at - (uintptr_t)delivery->alternate->ss_sp < delivery->alternate->ss_size;
}

static void enter_directly(const struct delivery *delivery)
{
	char *frame = (char *)delivery->context - offsetof(struct frame, context);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &delivery->mask, 0, sizeof(delivery->mask));
	sys_enter_handler(delivery->handler, delivery->signal, delivery->info, delivery->context,
			  frame);
}

static void *copy_vectors(uintptr_t *sp, const void *area)
{
	if (!area)
		return NULL;
	size_t size = vector_size(area);
	*sp = (*sp - size) & ~(uintptr_t)63;
	return memcpy((void *)*sp, area, size);
}

void frame_deliver(const struct delivery *delivery)
{
	ucontext_t *context = delivery->context;
	greg_t *registers = context->uc_mcontext.gregs;
	if (kernel_frame_fits(delivery))
		enter_directly(delivery);

	uintptr_t sp = frame_top(delivery);
	void *vectors = copy_vectors(&sp, context->uc_mcontext.fpregs);
	sp = ((sp - sizeof(struct frame)) & ~(uintptr_t)15) - 8;
	struct frame *frame = (struct frame *)sp;
	frame->restorer = sys_restorer;
	memcpy(frame->context, context, CONTEXT_SIZE);
	((ucontext_t *)frame->context)->uc_mcontext.fpregs = vectors;
	memcpy(frame->info, delivery->info, INFO_SIZE);

	registers[REG_RSP] = (greg_t)sp;
	registers[REG_RIP] = (greg_t)delivery->handler;
	registers[REG_RDI] = delivery->signal;
	registers[REG_RSI] = (greg_t)frame->info;
	registers[REG_RDX] = (greg_t)frame->context;
	registers[REG_RAX] = 0;
	registers[REG_EFL] &= ~(greg_t)(0x400 | 0x100); /* direction and trap flags */
	*(sigmask_t *)&context->uc_sigmask = delivery->mask;
}
