#include "observe/stacks.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

#include "base/sys.h"
#include "observe/stack_context.h"
#include "observe/unwind.h"
#include "observe/unwind_here_x86_64.h"

#define OWN_FRAMES 16 /* our handler and its trampoline, which come before `from` */
#define UNW_CACHE_PER_THREAD 2
#define PATIENCE 100000000u /* nanoseconds */

#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))

/* What stacks_rescue needs to leave libunwind: a place to return to. */
THREAD_LOCAL void *landing[5];
THREAD_LOCAL bool capturing;
THREAD_LOCAL bool warm;
THREAD_LOCAL bool pausing;

static _Atomic unsigned captures; /* threads inside libunwind */
static _Atomic unsigned pauses;   /* threads that fork */

static bool walks; /* we can ourselves, by call frame information */
static int (*backtrace_fill)(void **frames, int most);
static unsigned depth_most;
static const char *why_none = "stack capture has not been started";

static void *symbol_first(void *library, const char *const *names)
{
	void *symbol = NULL;
	for (; *names && !symbol; names++)
		symbol = dlsym(library, *names);
	return symbol;
}

/* Without the per-thread cache, threads share one under a lock; it only costs time. */
static void cache_per_thread(void *library)
{
	static const char *const policy_names[] = {"_ULx86_64_set_caching_policy",
						   "_ULaarch64_set_caching_policy", NULL};
	static const char *const space_names[] = {"_ULx86_64_local_addr_space",
						  "_ULaarch64_local_addr_space", NULL};
	int (*set_policy)(void *space, int policy);
	void **space = symbol_first(library, space_names);

	*(void **)&set_policy = symbol_first(library, policy_names);
	if (space && set_policy)
		set_policy(*space, UNW_CACHE_PER_THREAD);
}

static int libunwind_start(void)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		why_none = "libunwind.so.8 could not be loaded; install it (Debian: libunwind8)";
		return -ENOENT;
	}
	*(void **)&backtrace_fill = dlsym(library, "unw_backtrace");
	if (!backtrace_fill) {
		why_none = "libunwind.so.8 has no unw_backtrace; install libunwind 1.3 or later";
		return -ENOSYS;
	}
	cache_per_thread(library);
	why_none = NULL;
	stacks_warm_thread();
	return 0;
}

/*
 * Loading libunwind takes longer than the rest of our start, and each address that is new to it nine
 * system calls: it is for C libraries that we cannot walk stacks with.
 */
int stacks_start(unsigned depth)
{
	depth_most = depth < STACK_DEPTH_MOST ? depth : STACK_DEPTH_MOST;
	if (depth == 0) {
		why_none = "COWSPY_STACK_DEPTH=0 switched them off";
		return -ECANCELED;
	}
	walks = unwind_start();
	if (!walks)
		return libunwind_start();
	why_none = NULL;
	return 0;
}

const char *stacks_why_none(void)
{
	return why_none;
}

void stacks_code_changed(void)
{
	if (walks)
		unwind_forget();
}

bool stacks_capturing(void)
{
	return capturing;
}

/*
 * A fast and a slow path of libunwind fill the array: the fast one gives return addresses less one,
 * the slow one as they are. The frame of our own caller, which we know, tells which it was.
 *
 * frames[0] is our own, so that frames[1] is the caller of this function, and so on outwards.
 */
static __attribute__((noinline)) unsigned unwind(uintptr_t *frames, unsigned most, unsigned *less)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	volatile int count = 0;

	if (__builtin_setjmp(landing) == 0) {
		capturing = true;
		atomic_signal_fence(memory_order_seq_cst);
		count = backtrace_fill((void **)frames, (int)most);
		atomic_signal_fence(memory_order_seq_cst);
	}
	capturing = false;
	*less = count > 1 && frames[1] == caller - 1;
	return count > 0 ? (unsigned)count : 0;
}

/* Runs on libunwind's stack, in place of what faulted there. */
static void land(void)
{
	__builtin_longjmp(landing, 1);
}

/*
 * Stale unwind data (a library unloaded, code generated anew at an address) can send libunwind to
 * addresses that are not mapped. Its caches are valid between any two of its instructions for this
 * thread, so it can be left anywhere.
 */
bool stacks_rescue(ucontext_t *interrupted)
{
	if (!capturing)
		return false;
	stack_context_jump(interrupted, (uintptr_t)land);
	return true;
}

/* Up to where the stack ends, or nothing says how it goes on, or it cannot be read. */
static void walk(struct unwind from, uintptr_t *frames, unsigned most, volatile unsigned *count)
{
	if (__builtin_setjmp(landing) == 0) {
		capturing = true;
		atomic_signal_fence(memory_order_seq_cst);
		do {
			frames[*count] = from.instruction + (from.exact && *count > 0);
			(*count)++;
			atomic_signal_fence(memory_order_seq_cst);
		} while (*count < most && unwind_step(&from));
	}
	capturing = false;
}

/* False when it is still not zero after a time that no fork and no capture needs. */
static bool wait_for_none(_Atomic unsigned *count)
{
	uint64_t began = 0;
	while (atomic_load(count)) {
		uint64_t now = sys_now();
		began = began ? began : now;
		if (now - began > PATIENCE)
			return false;
		sys_call0(SYS_sched_yield);
	}
	return true;
}

/*
 * Either whoever is counted in sees the pause, or the one who pauses sees the count. A caller may
 * hold the lock that the pausing thread wants next, so the wait has an end.
 */
static bool capture_begin(void)
{
	if (pausing)
		return false;
	while (atomic_fetch_add(&captures, 1), atomic_load(&pauses)) {
		atomic_fetch_sub(&captures, 1);
		if (!wait_for_none(&pauses))
			return false;
	}
	return true;
}

static void capture_end(void)
{
	atomic_fetch_sub(&captures, 1);
}

void stacks_pause(void)
{
	if (walks)
		return;
	pausing = true;
	atomic_fetch_add(&pauses, 1);
	wait_for_none(&captures);
}

void stacks_resume(void)
{
	if (walks)
		return;
	atomic_fetch_sub(&pauses, 1);
	pausing = false;
}

void stacks_child(void)
{
	atomic_store(&captures, 0);
	atomic_store(&pauses, 0);
	pausing = false;
}

/* With signals blocked: a handler that jumps away would leave the capture counted. */
void stacks_warm_thread(void)
{
	uintptr_t frames[OWN_FRAMES];
	sigmask_t mask;
	unsigned less;

	if (why_none || walks || warm)
		return;
	sys_sigmask_block(&mask);
	if (capture_begin()) {
		unwind(frames, OWN_FRAMES, &less);
		capture_end();
		warm = true;
	}
	sys_sigmask_restore(&mask);
}

static __attribute__((noinline)) uint32_t capture_by_walk(const struct unwind *from,
							  uintptr_t until)
{
	uintptr_t frames[STACK_DEPTH_MOST + OWN_FRAMES];
	volatile unsigned count = 0;
	unsigned first = 0;
	if (why_none || capturing)
		return 0;
	walk(*from, frames, depth_most + (until ? OWN_FRAMES : 0), &count);
	while (until && first < count && frames[first] - until > 1)
		first++;
	if (first == count)
		return stacks_insert(&until, 1);
	if (until)
		frames[first] = until;
	unsigned depth = count - first < depth_most ? count - first : depth_most;
	return stacks_insert(frames + first, depth);
}

/*
 * Adding one to a frame that a signal of the program interrupted is one too many on the fast path;
 * looking it up one byte back, as return addresses are, gives the right instruction again.
 */
static uint32_t capture_by_libunwind(uintptr_t from)
{
	uintptr_t frames[STACK_DEPTH_MOST + OWN_FRAMES];
	unsigned count = 0, start, depth, less = 0;
	int saved_errno = errno;

	if (why_none)
		return 0;
	if (warm && !capturing && capture_begin()) {
		count = unwind(frames, depth_most + OWN_FRAMES, &less);
		capture_end();
	}
	errno = saved_errno;
	for (start = 2; start < count; start++) {
		if (frames[start] == from || frames[start] == from - less)
			break;
	}
	if (start >= count)
		return stacks_insert(&from, 1);
	depth = count - start < depth_most ? count - start : depth_most;
	frames[start] = from;
	for (unsigned i = 1; i < depth; i++)
		frames[start + i] += less;
	return stacks_insert(frames + start, depth);
}

uint32_t stacks_capture(uintptr_t from)
{
	struct unwind here;
	if (!walks)
		return capture_by_libunwind(from);
	unwind_here(&here);
	return capture_by_walk(&here, from);
}

uint32_t stacks_capture_at(const ucontext_t *interrupted)
{
	struct unwind there;
	unwind_at(interrupted, &there);
	return walks ? capture_by_walk(&there, 0) : capture_by_libunwind(there.instruction);
}
