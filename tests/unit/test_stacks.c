/* sources: preload/observe/stacks.c preload/observe/stack_table.c preload/base/chunks.c preload/base/memory.c preload/base/sys.c */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "base/memory.h"
#include "observe/stacks.h"
#include "observe/unwind.h"

/* Stacks by libunwind, as with C libraries that we cannot walk stacks with (test_unwind.c). */
bool unwind_start(void)
{
	return false;
}

void unwind_at(const ucontext_t *interrupted, struct unwind *unwind)
{
	unwind->instruction = (uintptr_t)interrupted->uc_mcontext.gregs[REG_RIP];
}

void unwind_forget(void)
{
}

bool unwind_step(struct unwind *unwind)
{
	(void)unwind;
	return false;
}

#define NOINLINE __attribute__((noinline))

static volatile uint32_t captured;
static volatile uintptr_t interrupted;
static volatile int after_call;

static uintptr_t context_pc(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#else
	return context->uc_mcontext.pc;
#endif
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	interrupted = context_pc(context);
	captured = stacks_capture(interrupted);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	assert_int_equal(sigaction(signal, &action, NULL), 0);
}

/* Two functions that write to a read-only page; the handler makes it writable. */
static char *page;
static volatile uintptr_t return_inner, return_outer;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	on_signal(signal, info, context);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static NOINLINE void write_inner(volatile char *to)
{
	return_inner = (uintptr_t)__builtin_return_address(0);
	*to = 1;
	after_call++;
}

static NOINLINE void write_outer(volatile char *to)
{
	return_outer = (uintptr_t)__builtin_return_address(0);
	write_inner(to);
	after_call++;
}

static bool within(uintptr_t address, void *function)
{
	return address >= (uintptr_t)function && address < (uintptr_t)function + 256;
}

static NOINLINE void fault_once(void)
{
	assert_int_equal(mprotect(page, 4096, PROT_READ), 0);
	captured = 0;
	write_outer(page);
	after_call++;
}

static void assert_stack_of_fault(uint32_t id)
{
	const uintptr_t *frames;
	unsigned depth = stacks_get(id, &frames);
	assert_true(depth >= 4);
	assert_int_equal(frames[0], interrupted);
	assert_true(within(frames[0], write_inner));
	assert_int_equal(frames[1], return_inner);
	assert_int_equal(frames[2], return_outer);
}

static void a_fault_has_the_writing_function_first_and_its_callers_after_it(void **state)
{
	uint32_t ids[3];
	(void)state;
	handle(SIGSEGV, on_fault, 0);
	for (volatile unsigned i = 0; i < 3; i++) { /* volatile: one call, not three unrolled */
		fault_once();
		assert_stack_of_fault(captured);
		ids[i] = captured;
	}
	assert_int_equal(ids[1], ids[2]);
}

static void a_handler_on_an_alternate_stack_sees_the_same(void **state)
{
	static char alternate[65536];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	(void)state;
	assert_int_equal(sigaltstack(&stack, NULL), 0);
	handle(SIGSEGV, on_fault, SA_ONSTACK);
	fault_once();
	assert_stack_of_fault(captured);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
}

static NOINLINE uint32_t wrapper(void)
{
	uint32_t id = stacks_capture((uintptr_t)__builtin_return_address(0));
	after_call++;
	return id;
}

static NOINLINE uint32_t caller_of_wrapper(uintptr_t *where)
{
	uint32_t id = wrapper();
	after_call++;
	*where = (uintptr_t)__builtin_return_address(0);
	return id;
}

static void a_wrapper_begins_at_its_caller(void **state)
{
	const uintptr_t *frames;
	uintptr_t where;
	uint32_t id = caller_of_wrapper(&where);
	(void)state;
	assert_true(stacks_get(id, &frames) >= 2);
	assert_true(within(frames[0], caller_of_wrapper));
	assert_int_equal(frames[1], where);
}

static void an_address_that_is_not_on_the_stack_stands_alone(void **state)
{
	const uintptr_t *frames;
	(void)state;
	assert_int_equal(stacks_get(stacks_capture(0x1234), &frames), 1);
	assert_int_equal(frames[0], 0x1234);
}

static void errno_survives_a_capture(void **state)
{
	(void)state;
	errno = 77;
	stacks_capture((uintptr_t)errno_survives_a_capture);
	assert_int_equal(errno, 77);
}

static NOINLINE int recurse(int levels)
{
	int result = levels ? recurse(levels - 1) + 1 : 0;
	if (!levels)
		captured = wrapper();
	after_call++;
	return result;
}

static void a_deep_stack_is_cut_at_the_depth_asked_for(void **state)
{
	const uintptr_t *frames;
	(void)state;
	recurse(500);
	assert_int_equal(stacks_get(captured, &frames), 32);
}

static void *cold_thread(void *unused)
{
	captured = wrapper();
	return unused;
}

static void *warm_thread(void *unused)
{
	stacks_warm_thread();
	captured = wrapper();
	return unused;
}

static void a_cold_thread_records_one_frame_and_a_warm_one_all(void **state)
{
	const uintptr_t *frames;
	pthread_t thread;
	(void)state;
	pthread_create(&thread, NULL, cold_thread, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(stacks_get(captured, &frames), 1);
	pthread_create(&thread, NULL, warm_thread, NULL);
	pthread_join(thread, NULL);
	assert_true(stacks_get(captured, &frames) >= 2);
}

static volatile unsigned rescues;

static void on_lost(int signal, siginfo_t *info, void *context)
{
	(void)info;
	if (stacks_rescue(context)) {
		rescues++;
		return;
	}
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigaction(signal, &action, NULL);
}

#if defined(__x86_64__)
/* A function whose frame is where its argument says: what stale unwind data looks like. */
__asm__(".text\n"
	"lost_function:\n"
	"\t.cfi_startproc\n"
	"\tpush %rbp\n"
	"\tmov %rdi, %rbp\n"
	"\t.cfi_def_cfa rbp, 16\n"
	"\t.cfi_offset rbp, -16\n"
	"\tcall lost_inner\n"
	"\tpop %rbp\n"
	"\tret\n"
	"\t.cfi_endproc\n");
void lost_function(void *frame);
void lost_inner(void);
void lost_inner(void)
{
	captured = wrapper();
	after_call++;
}

static void an_unwinder_that_gets_lost_is_rescued(void **state)
{
	const uintptr_t *frames;
	uintptr_t where;
	(void)state;
	handle(SIGSEGV, on_lost, 0);
	captured = 0;
	lost_function(page);
	assert_int_equal(rescues, 0);
	for (uintptr_t i = 0; i < 3; i++)
		lost_function((void *)(0x10000 + i));
	assert_int_equal(rescues, 3);
	assert_false(stacks_capturing());
	assert_true(stacks_get(captured, &frames) >= 1);
	assert_true(within(frames[0], lost_inner));
	assert_true(stacks_get(caller_of_wrapper(&where), &frames) >= 2);
}
#endif

static void equal_stacks_have_one_id(void **state)
{
	uintptr_t one[] = {1, 2, 3}, other[] = {1, 2, 4};
	uint32_t id = stacks_insert(one, 3);
	(void)state;
	assert_int_not_equal(id, 0);
	assert_int_equal(stacks_insert(one, 3), id);
	assert_int_not_equal(stacks_insert(other, 3), id);
	assert_int_not_equal(stacks_insert(one, 2), id);
	assert_int_equal(stacks_insert(one, 0), 0);
}

#define THREADS 8
#define STACKS 20000u
static uint32_t ids[THREADS][STACKS];

static void *insert_all(void *argument)
{
	uintptr_t thread = (uintptr_t)argument;
	for (uintptr_t n = 0; n < STACKS; n++) {
		uintptr_t frames[] = {n * 8 + 1, n % 5, 7};
		ids[thread][n] = stacks_insert(frames, 3);
	}
	return NULL;
}

static void threads_that_insert_at_once_agree_on_ids(void **state)
{
	pthread_t threads[THREADS];
	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, insert_all, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uintptr_t n = 0; n < STACKS; n++) {
		const uintptr_t *frames;
		assert_int_equal(stacks_get(ids[0][n], &frames), 3);
		assert_int_equal(frames[0], n * 8 + 1);
		for (unsigned i = 1; i < THREADS; i++)
			assert_int_equal(ids[i][n], ids[0][n]);
	}
}

/* Last: afterwards the table is full. */
static void a_full_table_keeps_its_stacks_and_puts_others_together(void **state)
{
	uintptr_t first[] = {11, 22, 33}, frames[] = {0, 5, 6, 7};
	const uintptr_t *kept;
	uint32_t id = stacks_insert(first, 3);
	size_t used = 0;

	(void)state;
	for (frames[0] = 1000; frames[0] < 1000 + 4 * (uintptr_t)STACKS_MOST; frames[0]++) {
		if (stacks_insert(frames, 4) == STACKS_OTHER && !used)
			used = memory_used();
	}
	assert_int_not_equal(used, 0);
	assert_int_equal(memory_used(), used);
	assert_int_equal(stacks_count(), STACKS_OTHER);
	assert_int_equal(stacks_get(STACKS_OTHER, &kept), 0);
	assert_int_equal(stacks_insert(first, 3), id);
	assert_int_equal(stacks_get(id, &kept), 3);
	assert_int_equal(stacks_get(STACKS_MOST, &kept), 4);
}

static void unknown_ids_have_no_frames(void **state)
{
	const uintptr_t *frames;
	(void)state;
	assert_int_equal(stacks_get(0, &frames), 0);
	assert_int_equal(stacks_get(stacks_count() + 1, &frames), 0);
}

static int start(void **state)
{
	(void)state;
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return stacks_why_none() && stacks_start(32) == 0 && !stacks_why_none() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_has_the_writing_function_first_and_its_callers_after_it),
		cmocka_unit_test(a_handler_on_an_alternate_stack_sees_the_same),
		cmocka_unit_test(a_wrapper_begins_at_its_caller),
		cmocka_unit_test(an_address_that_is_not_on_the_stack_stands_alone),
		cmocka_unit_test(errno_survives_a_capture),
		cmocka_unit_test(a_deep_stack_is_cut_at_the_depth_asked_for),
		cmocka_unit_test(a_cold_thread_records_one_frame_and_a_warm_one_all),
#if defined(__x86_64__)
		cmocka_unit_test(an_unwinder_that_gets_lost_is_rescued),
#endif
		cmocka_unit_test(equal_stacks_have_one_id),
		cmocka_unit_test(threads_that_insert_at_once_agree_on_ids),
		cmocka_unit_test(unknown_ids_have_no_frames),
		cmocka_unit_test(a_full_table_keeps_its_stacks_and_puts_others_together),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
