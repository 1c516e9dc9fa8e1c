#include "threads.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "fault.h"

#define GUARD_SIZE ((size_t)4096)
#define WORK_SIZE ((size_t)48 << 10)
#define SIGNAL_SIZE ((size_t)76 << 10)

__thread struct thread *thread_current;

static _Atomic(struct thread *) threads;
static _Atomic unsigned in_use;
static _Atomic unsigned sweep_at = 64;

static struct thread *thread_claim(struct thread *thread)
{
	int free = 0;
	return atomic_compare_exchange_strong(&thread->tid, &free, -1) ? thread : NULL;
}

/* Free the structures of threads that the kernel does not know any more. */
static void sweep(void)
{
	unsigned alive = 0;
	for (struct thread *t = atomic_load(&threads); t; t = t->next) {
		int tid = atomic_load(&t->tid);
		if (tid > 0 && sys_call3(SYS_tgkill, process_pid, tid, 0) == -ESRCH)
			atomic_compare_exchange_strong(&t->tid, &tid, 0);
		else
			alive += tid != 0;
	}
	atomic_store(&in_use, alive);
	atomic_store(&sweep_at, alive * 2 + 64);
}

static struct thread *thread_reuse(void)
{
	if (atomic_load(&in_use) < atomic_load(&sweep_at))
		return NULL;
	sweep();
	for (struct thread *t = atomic_load(&threads); t; t = t->next)
		if (!atomic_load(&t->tid) && thread_claim(t))
			return t;
	return NULL;
}

static void stacks_map(struct thread *thread)
{
	char *base = memory_map(GUARD_SIZE + WORK_SIZE + SIGNAL_SIZE);
	if (!base)
		return;
	sys_call3(SYS_mprotect, base, GUARD_SIZE, PROT_NONE);
	thread->work_stack_top = base + GUARD_SIZE + WORK_SIZE;
	thread->signal_stack = thread->work_stack_top;
	thread->signal_stack_size = SIGNAL_SIZE;
}

/* A structure with its stacks, or NULL when memory is out. */
static struct thread *thread_allocate(void)
{
	struct thread *thread = thread_reuse();
	atomic_fetch_add(&in_use, 1);
	if (thread) {
		thread->hidden = 0;
		thread->unwinding = thread->dispatched = false;
		thread->inside = 0;
		thread->kept[0] = thread->kept[1] = thread->awaits = 0;
		thread->wait_stack = 0;
		thread->lent = 0;
		thread->child_actions = NULL;
		memset(&thread->alternate, 0, sizeof(thread->alternate));
		atomic_store(&thread->opening_end, 0);
		atomic_store(&thread->pin_count, 0);
		return thread;
	}
	thread = memory_alloc(sizeof(*thread));
	if (!thread)
		return NULL;
	atomic_store(&thread->tid, -1);
	stacks_map(thread);
	thread->next = atomic_load(&threads);
	while (!atomic_compare_exchange_weak(&threads, &thread->next, thread))
		;
	return thread;
}

/*
 * The kernel gets ours, always; the program's is for the frames that we build. While the program
 * runs on its own right now, its handler must return first.
 */
static void alternate_stack_install(struct thread *thread)
{
	stack_t ours = {.ss_sp = thread->signal_stack, .ss_size = thread->signal_stack_size};
	stack_t old = {0};
	if (!thread->signal_stack || sys_call2(SYS_sigaltstack, &ours, &old))
		return;
	thread->own_alternate_stack = true;
	if (old.ss_sp == ours.ss_sp)
		return;
	thread->alternate = old;
	if (old.ss_flags & SS_DISABLE)
		thread->alternate.ss_size = 0;
}

void thread_take_alternate_stack(void)
{
	if (thread_current)
		alternate_stack_install(thread_current);
}

void thread_give_alternate_stack(void)
{
	stack_t theirs;
	if (!thread_current || !thread_current->own_alternate_stack)
		return;
	theirs = thread_current->alternate;
	if (!theirs.ss_size)
		theirs.ss_flags |= SS_DISABLE;
	if (!sys_call2(SYS_sigaltstack, &theirs, 0))
		thread_current->own_alternate_stack = false;
}

struct thread *thread_begin(struct thread *thread)
{
	if (!thread)
		thread = thread_allocate();
	if (!thread)
		return NULL;
	atomic_store(&thread->tid, (int)sys_call0(SYS_gettid));
	thread->own_alternate_stack = false;
	thread->block = (uintptr_t)__builtin_thread_pointer();
	thread->stack_pointer = (uintptr_t)__builtin_frame_address(0);
	alternate_stack_install(thread);
	thread_current = thread;
	return thread;
}

struct thread *thread_meet(void)
{
	return thread_current ? thread_current : thread_begin(NULL);
}

void thread_child(void)
{
	for (struct thread *t = atomic_load(&threads); t; t = t->next) {
		memset(&t->cost, 0, sizeof(t->cost));
		if (t != thread_current)
			atomic_store(&t->tid, 0);
	}
	if (thread_current)
		atomic_store(&thread_current->tid, (int)sys_call0(SYS_gettid));
}

bool thread_on_our_stack(const struct thread *thread, uintptr_t address)
{
	return address - (uintptr_t)thread->signal_stack + WORK_SIZE <
	       thread->signal_stack_size + WORK_SIZE;
}

static bool on_alternate(const struct thread *thread, uintptr_t address)
{
	return address - (uintptr_t)thread->alternate.ss_sp < thread->alternate.ss_size;
}

/* Stacks grow down: the frames of calls that are still waiting lie above, on the same stack. */
bool thread_frame_left(const struct thread *thread, uintptr_t frame, uintptr_t now)
{
	return frame <= now && on_alternate(thread, frame) == on_alternate(thread, now);
}

static struct thread *skip_free(struct thread *thread)
{
	while (thread && !atomic_load(&thread->tid))
		thread = thread->next;
	return thread;
}

struct thread *thread_any(void)
{
	return atomic_load(&threads);
}

struct thread *thread_first(void)
{
	return skip_free(atomic_load(&threads));
}

struct thread *thread_next(const struct thread *thread)
{
	return skip_free(thread->next);
}
