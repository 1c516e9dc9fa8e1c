/* The program's signal masks and alternate signal stacks. */
#include "signals.h"

#include <errno.h>
#include <string.h>

#include "calls.h"
#include "net.h"
#include "track/threads.h"

sigmask_t mask_for_kernel(sigmask_t program)
{
	return program & ~signals_hidden;
}

sigmask_t mask_for_program(sigmask_t kernel, const struct thread *self)
{
	return kernel | (self->hidden & signals_hidden);
}

void mask_take_over(void)
{
	struct thread *self = thread_self();
	sigmask_t mask;
	sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, sizeof(mask));
	if (!self || !(mask & signals_hidden))
		return;
	self->hidden |= mask & signals_hidden;
	mask = mask_for_kernel(mask);
	sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof(mask));
}

static void hide(struct thread *self, long how, sigmask_t set)
{
	if (how == SIG_BLOCK)
		self->hidden |= set & signals_hidden;
	else if (how == SIG_UNBLOCK)
		self->hidden &= ~set;
	else
		self->hidden = set & signals_hidden;
}

/*
 * Everything is in place before the kernel's mask changes: a signal that becomes deliverable then
 * may run a handler that never returns here.
 */
long signals_mask(long nr, const long args[6], uintptr_t caller)
{
	struct thread *self = thread_meet();
	long how = (int)args[0];
	sigmask_t set = 0, old = 0;
	(void)caller;
	if (args[3] != sizeof(sigmask_t) || !self ||
	    (args[1] && how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK))
		return call_plain(nr, args);
	if (args[1] && sys_copy(&set, (const void *)args[1], sizeof(set)))
		return -EFAULT;
	if (args[2]) {
		sys_call4(nr, SIG_BLOCK, 0, &old, sizeof(old));
		old = mask_for_program(old, self);
		if (call_write_program((void *)args[2], &old, sizeof(old)))
			return -EFAULT;
	}
	if (!args[1])
		return 0;
	if (how != SIG_UNBLOCK && set & signals_hidden)
		net_keep();
	hide(self, how, set);
	set = mask_for_kernel(set);
	long result = sys_call4(nr, how, &set, 0, sizeof(set));
	if (pending_any(self)) {
		sys_call4(nr, SIG_BLOCK, 0, &old, sizeof(old));
		old = mask_for_program(old, self);
		while (pending_release(self, old))
			;
	}
	return result;
}

/* For our own libraries: the program's view stays as it is. */
long signals_mask_ours(const long args[6])
{
	long edited[6];
	sigmask_t set;
	memcpy(edited, args, sizeof(edited));
	if (args[1]) {
		memcpy(&set, (const void *)args[1], sizeof(set));
		set &= ~signals_hidden;
		edited[1] = (long)&set;
	}
	return call_plain(SYS_rt_sigprocmask, edited);
}

/* --- calls that wait with a mask of their own --- */

static unsigned mask_argument(long nr)
{
	return nr == SYS_rt_sigsuspend ? 0 : nr == SYS_ppoll ? 3 : nr == SYS_pselect6 ? 5 : 4;
}

/* pselect6 takes its mask and the mask's size through a structure. */
struct pselect_mask {
	const sigmask_t *mask;
	size_t size;
};

/* While the call waits, a handler runs with its mask and not with the one to go back to. */
static long wait_with(long nr, const long args[6], uintptr_t caller, sigmask_t mask,
		      sigmask_t hidden)
{
	struct thread *self = thread_meet();
	if (!self)
		return call_buffers(nr, args, caller);
	sigmask_t outer_mask = self->wait_mask, outer_hidden = self->hidden;
	sigmask_t outer_wait_hidden = self->wait_hidden;
	uintptr_t outer_stack = self->wait_stack;
	self->wait_mask = mask;
	self->wait_hidden = outer_hidden;
	self->hidden = hidden;
	self->wait_stack = (uintptr_t)__builtin_frame_address(0);
	long result = call_buffers(nr, args, caller);
	self->wait_mask = outer_mask;
	self->hidden = outer_hidden;
	self->wait_hidden = outer_wait_hidden;
	self->wait_stack = outer_stack;
	return result;
}

long signals_with_mask(long nr, const long args[6], uintptr_t caller)
{
	unsigned index = mask_argument(nr);
	struct pselect_mask packed = {0};
	long edited[6];
	sigmask_t mask;
	memcpy(edited, args, sizeof(edited));
	const void *from = (const void *)args[index];
	if (from && nr == SYS_pselect6) {
		if (sys_copy(&packed, from, sizeof(packed)))
			return -EFAULT;
		from = packed.mask;
	}
	if (!from || sys_copy(&mask, from, sizeof(mask)))
		return call_buffers(nr, args, caller);
	if (mask & signals_hidden)
		net_keep();
	sigmask_t hidden = mask & signals_hidden;
	mask = mask_for_kernel(mask);
	packed.mask = &mask;
	edited[index] = nr == SYS_pselect6 ? (long)&packed : (long)&mask;
	return wait_with(nr, edited, caller, mask, hidden);
}

/* --- the alternate stack: the kernel has ours, the program sees its own --- */

/* As the kernel does it, without what lay between the members. */
static void alternate_show(const struct thread *self, bool standing, stack_t *shown)
{
	memset(shown, 0, sizeof(*shown));
	shown->ss_sp = self->alternate.ss_sp;
	shown->ss_size = self->alternate.ss_size;
	shown->ss_flags = self->alternate.ss_flags;
	if (!shown->ss_size)
		shown->ss_flags |= SS_DISABLE;
	else if (standing)
		shown->ss_flags |= SS_ONSTACK;
}

/* The kernel judges the new stack; then ours takes its place again. */
static long alternate_set(struct thread *self, stack_t *new, bool standing)
{
	const stack_t ours = {.ss_sp = self->signal_stack, .ss_size = self->signal_stack_size};
	sigmask_t mask;
	if (standing)
		return -EPERM;
	sys_sigmask_block(&mask);
	long result = sys_call2(SYS_sigaltstack, new, 0);
	sys_call2(SYS_sigaltstack, &ours, 0);
	if (!result) {
		self->alternate = *new;
		self->alternate.ss_flags &= ~(SS_ONSTACK | SS_DISABLE);
		if (new->ss_flags & SS_DISABLE)
			self->alternate = (stack_t){.ss_flags = self->alternate.ss_flags};
	}
	sys_sigmask_restore(&mask);
	return result;
}

long signals_alternate_stack(long nr, const long args[6], uintptr_t caller)
{
	struct thread *self = thread_meet();
	stack_t new, old;
	(void)caller;
	if (!self || !self->own_alternate_stack)
		return call_plain(nr, args);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	bool standing = here - (uintptr_t)self->alternate.ss_sp < self->alternate.ss_size;
	alternate_show(self, standing, &old);
	if (args[0]) {
		if (sys_copy(&new, (const void *)args[0], sizeof(new)))
			return -EFAULT;
		long result = alternate_set(self, &new, standing);
		if (result)
			return result;
		if (self->alternate.ss_size)
			memory_is_stack((uintptr_t) new.ss_sp, new.ss_size);
	}
	return args[1] ? call_write_program((void *)args[1], &old, sizeof(old)) : 0;
}
