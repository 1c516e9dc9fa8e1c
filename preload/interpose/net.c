#include "net.h"

#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "calls.h"
#include "observe/stacks.h"
#include "process.h"
#include "signals.h"
#include "track/forks.h"
#include "track/kernel_writes.h"
#include "track/regions.h"
#include "track/threads.h"
#include "track/userfault.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

#define PR_SYSCALL_USER_DISPATCH 59
#define DISPATCH_OFF 0
#define DISPATCH_ON 1
#define SI_DISPATCHED 2 /* SYS_USER_DISPATCH */
#define RESTORER_LENGTH 9

/* As base/sys_x86_64.S lays it out. */
struct net_frame {
	long args[6];
	long result; /* the number, before */
	unsigned long flags;
	uintptr_t caller;
	uintptr_t child_stack;
	uintptr_t slot; /* clone flags for a task with its own stack, else a struct net_slot */
	unsigned long rbp;
};

/* What the parent of a task on its own stack finds again afterwards. */
struct net_slot {
	uintptr_t caller;
	unsigned long flags;
	unsigned long r12;
	_Atomic int busy;
	struct net_slot *next;
};

#define STACK_MOST ((uintptr_t)8 << 20)  /* more of a new task's stack is not kept open */
static _Atomic(struct net_slot *) slots; /* never given back, as many as vforks at a time */

static struct {
	uintptr_t start, length;
} text;
static bool active;
static _Atomic bool kept;

void net_thunk(void);
void net_sigreturn(void);
void net_int80(void);
int net_call(struct net_frame *frame);
void net_parent(struct net_frame *frame);
void net_child(unsigned long flags);
void net_child_same_stack(void);
void net_parent_same_stack(void);

static int find_text(struct dl_phdr_info *info, size_t size, void *context)
{
	uintptr_t here = (uintptr_t)net_thunk;
	(void)size;
	(void)context;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + header->p_vaddr;
		if (header->p_type == PT_LOAD && here - start < header->p_memsz) {
			text.start = start;
			text.length = (uintptr_t)net_restorer / 16 * 16 - start;
			return 1;
		}
	}
	return 0;
}

static long dispatch(int mode)
{
	return mode == DISPATCH_ON
		       ? sys_call5(SYS_prctl, PR_SYSCALL_USER_DISPATCH, DISPATCH_ON, text.start,
				   text.length, &region_selector)
		       : sys_call5(SYS_prctl, PR_SYSCALL_USER_DISPATCH, DISPATCH_OFF, 0, 0, 0);
}

/* Tried out only: as long as no page is protected, calls need not pay for the kernel's check. */
bool net_start(void)
{
	dl_iterate_phdr(find_text, NULL);
	active = text.length && dispatch(DISPATCH_ON) == 0;
	if (active)
		dispatch(DISPATCH_OFF);
	return active;
}

bool net_active(void)
{
	return active;
}

void net_thread(void)
{
	struct thread *self = thread_self();
	if (!active || !(atomic_load(&kept) || region_selector))
		return;
	dispatch(DISPATCH_ON);
	if (self)
		self->dispatched = true;
}

void net_keep(void)
{
	if (!active || atomic_exchange(&kept, true))
		return;
	net_thread();
	region_selector_hold(true);
	signals_watch();
	asynchronous_start();
}

void net_give_up(void)
{
	if (!active)
		return;
	active = false;
	region_selector_stop();
	dispatch(DISPATCH_OFF);
}

bool net_sees_returns(void)
{
	const struct thread *self = thread_self();
	return active && atomic_load(&kept) && self && self->dispatched;
}

bool net_holds(uintptr_t address)
{
	return address - text.start < text.length;
}

/* Before the first thread is made everything is kept, so there is only this one until then. */
void net_watch_begin(void)
{
	if (!active)
		return;
	region_selector_hold(true);
	if (!atomic_load(&kept))
		net_thread();
}

void net_watch_end(void)
{
	struct thread *self = thread_self();
	if (!active)
		return;
	region_selector_hold(false);
	if (atomic_load(&kept) || region_selector)
		return;
	dispatch(DISPATCH_OFF);
	if (self)
		self->dispatched = false;
}

/*
 * The 32-bit interface passes its numbers in other registers and knows other ones: it goes on as it
 * is. What it writes is not announced to us.
 */
static bool dispatch_int80(greg_t *registers)
{
	uintptr_t at = (uintptr_t)registers[REG_RSP] - 136;
	if (sys_copy((void *)at, &registers[REG_RIP], sizeof(registers[REG_RIP])))
		return false;
	registers[REG_RSP] = (greg_t)at;
	registers[REG_RIP] = (greg_t)net_int80;
	return true;
}

bool net_dispatch(const siginfo_t *info, ucontext_t *context)
{
	greg_t *registers = context->uc_mcontext.gregs;
	if (info->si_code != SI_DISPATCHED)
		return false;
	if (info->si_arch == AUDIT_ARCH_I386)
		return dispatch_int80(registers);
	if (info->si_syscall == SYS_rt_sigreturn) {
		if ((uintptr_t)info->si_call_addr - (uintptr_t)net_restorer > RESTORER_LENGTH ||
		    !signals_return(context))
			registers[REG_RIP] = (greg_t)net_sigreturn;
		return true;
	}
	registers[REG_RAX] = info->si_syscall;
	registers[REG_RCX] = registers[REG_RIP];
	registers[REG_R11] = registers[REG_EFL];
	registers[REG_RIP] = (greg_t)net_thunk;
	return true;
}

/* --- new tasks --- */

/* 0 when memory is out. */
static uintptr_t slot_take(void)
{
	for (struct net_slot *slot = atomic_load(&slots); slot; slot = slot->next)
		if (!atomic_exchange(&slot->busy, 1))
			return (uintptr_t)slot;
	struct net_slot *fresh = memory_alloc(sizeof(*fresh));
	if (!fresh)
		return 0;
	fresh->busy = 1;
	fresh->next = atomic_load(&slots);
	while (!atomic_compare_exchange_weak(&slots, &fresh->next, fresh))
		;
	return (uintptr_t)fresh;
}

/* A task that runs on our memory while this thread waits for it to exec or exit. */
static bool is_vfork(unsigned long flags)
{
	return (flags & CLONE_VM) && (flags & CLONE_VFORK) && !(flags & CLONE_SIGHAND);
}

/* Flags and end of the stack of the task that the call makes. False for other calls. */
static bool new_task(const struct net_frame *frame, unsigned long *flags, uintptr_t *stack)
{
	uint64_t arguments[8]; /* struct clone_args */
	switch (frame->result) {
	case SYS_vfork:
		*flags = CLONE_VM | CLONE_VFORK;
		*stack = 0;
		return true;
	case SYS_clone:
		*flags = (unsigned long)frame->args[0];
		*stack = (uintptr_t)frame->args[1];
		return true;
	case SYS_clone3:
		if (frame->args[1] < (long)sizeof(arguments) ||
		    sys_copy(arguments, (const void *)frame->args[0], sizeof(arguments)))
			return false;
		*flags = arguments[0];
		*stack = arguments[5] ? arguments[5] + arguments[6] : 0;
		return true;
	default: return false;
	}
}

static void lend(void)
{
	signals_lend();
	userfault_lend();
}

static void lend_end(void)
{
	userfault_lend_end();
	signals_lend_end();
}

int net_call(struct net_frame *frame)
{
	unsigned long flags;
	uintptr_t stack;
	if (!new_task(frame, &flags, &stack) || !(stack || (flags & CLONE_VM))) {
		frame->result = call_issue(frame->result, frame->args, frame->caller);
		return 0;
	}
	if (flags & (CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PIDFD))
		kernel_writes_keep(frame->result, frame->args);
	if (!stack && !(frame->slot = slot_take())) {
		frame->result = -ENOMEM;
		return 0;
	}
	if (is_vfork(flags))
		lend();
	else if ((flags & CLONE_VM) && !(flags & CLONE_FILES))
		process_descriptors_part();
	if (!stack)
		return 2;
	memory_is_stack(stack - STACK_MOST, STACK_MOST);
	frame->child_stack = stack;
	frame->slot = flags;
	if (!(flags & CLONE_VM))
		process_fork_begin();
	return 1;
}

/* The parent of a task with its own stack goes on. */
void net_parent(struct net_frame *frame)
{
	if (!(frame->slot & CLONE_VM))
		process_fork_parent(frame->result);
	else if (is_vfork(frame->slot))
		lend_end();
}

void net_child(unsigned long flags)
{
	if (!(flags & CLONE_VM)) {
		process_fork_child(flags & CLONE_CLEAR_SIGHAND);
		return;
	}
	net_thread();
	if (is_vfork(flags))
		signals_borrow(flags & CLONE_CLEAR_SIGHAND);
	if (flags & CLONE_SETTLS)
		thread_meet();
}

void net_child_same_stack(void)
{
	net_thread();
	signals_borrow(false);
}

/* The parent of a task on its own stack goes on, where the task has written over our frame. */
void net_parent_same_stack(void)
{
	lend_end();
}
