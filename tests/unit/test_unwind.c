/* sources: preload/observe/stacks.c preload/observe/cfi.c preload/observe/unwind_x86_64.c preload/observe/stack_table.c preload/base/chunks.c preload/base/memory.c preload/base/sys.c */
/* sanitize: no */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "observe/stacks.h"
#include "observe/unwind.h"

/* Stacks as walked, against what the compiler's own unwinder says of the same moment. */

#pragma GCC diagnostic ignored "-Wattributes" /* clang has no noipa */
#define NOINLINE __attribute__((noinline, noipa))
#define MOST 128

static volatile int after_call;
static volatile unsigned count;
static unsigned compared, rescues;

static NOINLINE void compare(const ucontext_t *context)
{
	uintptr_t program_counter = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	const uintptr_t *walked;
	void *truth[MOST];
	int depth = backtrace(truth, MOST), from = 0;
	while (from < depth && (uintptr_t)truth[from] != program_counter)
		from++;
	assert_true(from < depth);
	count = stacks_get(stacks_capture_at(context), &walked);
	assert_int_equal(count, depth - from);
	/* Behind a frame that a signal interrupted stands the next address: see stacks.c. */
	for (unsigned i = 0; i < count; i++)
		assert_true(walked[i] - (uintptr_t)truth[from + (int)i] <= 1);
	compared++;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	compare(context);
}

static NOINLINE void recurse(unsigned depth)
{
	volatile char room[200];
	room[depth % sizeof(room)] = 1;
	if (depth)
		recurse(depth - 1);
	else
		raise(SIGUSR1);
	after_call += room[0];
}

static void deep_stacks_are_those_of_the_compiler(void **state)
{
	(void)state;
	compared = 0;
	recurse(60);
	assert_int_equal(compared, 1);
	assert_true(count > 60);
}

/* Vectors of 64 bytes make the compiler realign the stack, room of no known size use rbp. */
static NOINLINE void realigned(size_t size)
{
	volatile char aligned[128] __attribute__((aligned(64)));
	volatile char *room = __builtin_alloca(size);
	aligned[0] = room[0] = 1;
	recurse(2);
	after_call += aligned[0] + room[0];
}

static NOINLINE void huge_frame(void)
{
	volatile char room[300000];
	room[1000] = 1;
	realigned(100);
	after_call += room[1000];
}

static void realigned_and_huge_frames_are_walked(void **state)
{
	(void)state;
	compared = 0;
	for (size_t size = 1; size < 300; size *= 3)
		realigned(size);
	huge_frame();
	assert_int_equal(compared, 7);
}

static void on_outer_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	recurse(3);
	after_call++;
}

static NOINLINE void interrupted(void)
{
	raise(SIGUSR2);
	after_call++;
}

static void walks_go_through_signal_frames(void **state)
{
	(void)state;
	compared = 0;
	interrupted();
	assert_int_equal(compared, 1);
}

/* libc's own code without a frame pointer, in which libraries call back. */
static int order(const void *a, const void *b)
{
	if (!after_call++)
		recurse(1);
	return memcmp(a, b, 1);
}

static void callbacks_from_libc_are_walked(void **state)
{
	char letters[] = "the quick brown fox";
	(void)state;
	compared = 0;
	after_call = 0;
	qsort(letters, sizeof(letters), 1, order);
	assert_int_equal(compared, 1);
}

static void *walk_in_thread(void *unused)
{
	recurse(5);
	return unused;
}

static void threads_need_no_preparation(void **state)
{
	pthread_t thread;
	(void)state;
	compared = 0;
	pthread_create(&thread, NULL, walk_in_thread, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(compared, 1);
}

static void the_procedure_linkage_table_is_walked(void **state)
{
	/* What linkers write: rsp + 8, and 8 more behind the push of each entry of 16 bytes. */
	static const uint8_t frame[] = {
		20,   0,    0,    0,    0,    0,    0,    0,    1,    'z', 'R',  0,  1,
		0x78, 16,   1,    0x1b, 0x0c, 7,    8,    0x90, 1,    0,   0,    44, 0,
		0,    0,    28,   0,    0,    0,    0,    0,    0,    0,   64,   0,  0,
		0,    0,    0x0e, 16,   0x46, 0x0e, 24,   0x4a, 0x0f, 11,  0x77, 8,  0x80,
		0,    0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22, 0,    0,   0,    0};
	struct {
		uint8_t header[12];
		int32_t table[2];
		uint8_t frame[sizeof(frame)];
		char code[64];
	} module = {.header = {1, 0x1b, 0x03, 0x3b}};
	struct cfi_rule rule;
	(void)state;
	uintptr_t code = ((uintptr_t)module.code + 15) & ~(uintptr_t)15;
	memcpy(module.frame, frame, sizeof(frame));
	int32_t distance = (int32_t)(code - (uintptr_t)&module.frame[32]), one = 1;
	memcpy(&module.frame[32], &distance, sizeof(distance));
	memcpy(&module.header[8], &one, sizeof(one));
	module.table[0] = (int32_t)(code - (uintptr_t)&module);
	module.table[1] = (int32_t)((uintptr_t)&module.frame[24] - (uintptr_t)&module);
	assert_int_equal(cfi_find(&module, code + 1, &rule), 0);
	assert_int_equal(rule.offset, 16);
	assert_int_equal(cfi_find(&module, code + 16 + 10, &rule), 0);
	assert_int_equal(rule.offset, 8);
	assert_int_equal(cfi_find(&module, code + 16 + 11, &rule), 0);
	assert_int_equal(rule.offset, 16);
	assert_int_equal(cfi_find(&module, code - 1, &rule), -ENOENT);
	assert_int_equal(cfi_find(&module, code + 64, &rule), -ENOENT);
}

static void on_lost(int signal, siginfo_t *info, void *context)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	(void)info;
	if (stacks_rescue(context))
		rescues++;
	else
		sigaction(signal, &action, NULL);
}

static void a_stack_that_cannot_be_read_leaves_what_was_found(void **state)
{
	struct sigaction action = {.sa_sigaction = on_lost, .sa_flags = SA_SIGINFO};
	ucontext_t context = {0};
	const uintptr_t *frames;
	(void)state;
	sigaction(SIGSEGV, &action, NULL); /* cmocka has its own outside */
	context.uc_mcontext.gregs[REG_RIP] = (greg_t)recurse;
	context.uc_mcontext.gregs[REG_RSP] = 0x1000;
	rescues = 0;
	assert_int_equal(stacks_get(stacks_capture_at(&context), &frames), 1);
	assert_int_equal(frames[0], (uintptr_t)recurse);
	assert_int_equal(rescues, 1);
	assert_false(stacks_capturing());
}

static NOINLINE void capture_here(void)
{
	ucontext_t context;
	getcontext(&context);
	count = stacks_capture_at(&context);
	after_call++;
}

/* Machine code of which nothing is known: push rbp; mov rsp, rbp; call *rdi; pop rbp; ret. */
static void code_without_description_is_walked_by_frame_pointers(void **state)
{
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
	const uintptr_t *frames;
	void (*run)(void (*function)(void));
	(void)state;
	char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	memcpy(memory, code, sizeof(code));
	*(void **)&run = memory;
	run(capture_here);
	after_call++;
	unsigned depth = stacks_get(count, &frames);
	assert_true(depth >= 4);
	assert_int_equal(frames[1], (uintptr_t)memory + 6);
	uintptr_t here = (uintptr_t)code_without_description_is_walked_by_frame_pointers;
	assert_true(frames[2] - here < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_stacks_are_those_of_the_compiler),
		cmocka_unit_test(realigned_and_huge_frames_are_walked),
		cmocka_unit_test(walks_go_through_signal_frames),
		cmocka_unit_test(callbacks_from_libc_are_walked),
		cmocka_unit_test(threads_need_no_preparation),
		cmocka_unit_test(the_procedure_linkage_table_is_walked),
		cmocka_unit_test(a_stack_that_cannot_be_read_leaves_what_was_found),
		cmocka_unit_test(code_without_description_is_walked_by_frame_pointers),
	};
	void *unused[1];
	backtrace(unused, 1); /* it loads libgcc the first time */
	if (stacks_start(MOST))
		return 1;
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &action, NULL);
	action.sa_sigaction = on_outer_signal;
	sigaction(SIGUSR2, &action, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
