/*
 * Our signal handlers never call malloc: neither we nor the unwinder, whose code the audit in
 * handler_symbols.py cannot see. This program's malloc knows each thread's own stack; a call from
 * any other stack is one from our handlers.
 */
/* environment: COWSPY_SCOPE=all */
#include "check.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define PAGES 64
#define DEPTH 40

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static _Atomic long calls, outside;
static __thread uintptr_t stack_low, stack_high __attribute__((tls_model("initial-exec")));

static void count_call(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	calls++;
	if (stack_high && (here < stack_low || here >= stack_high))
		outside++;
}

void *malloc(size_t size)
{
	count_call();
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	count_call();
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	count_call();
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	count_call();
	return __libc_memalign(alignment, size);
}

void free(void *memory)
{
	count_call();
	__libc_free(memory);
}

static void know_stack(void)
{
	pthread_attr_t attributes;
	void *low;
	size_t size;
	CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
	CHECK_EQUAL(pthread_attr_getstack(&attributes, &low, &size), 0);
	pthread_attr_destroy(&attributes);
	stack_low = (uintptr_t)low;
	stack_high = (uintptr_t)low + size;
}

static int write_deep(volatile char *at, int depth)
{
	if (depth == 0)
		return *at = 'w';
	return write_deep(at, depth - 1) + 1;
}

/* From within libc, whose frames are another object's. */
static char *sorted;

static int compare_and_write(const void *left, const void *right)
{
	write_deep(sorted++, 3);
	return *(const char *)left - *(const char *)right;
}

static void write_all(void)
{
	char *pages = map_anonymous(PAGES), letters[] = "some letters to be sorted";
	for (int i = 0; i < PAGES; i++)
		write_deep(pages + i * CHECK_PAGE, i % DEPTH);
	munmap(pages, PAGES * CHECK_PAGE);
	sorted = map_anonymous(1);
	qsort(letters, sizeof(letters) - 1, 1, compare_and_write);
	free(malloc(1 << 18));
}

static void *run(void *unused)
{
	know_stack();
	write_all();
	return unused;
}

static void run_threads(void)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void snapshot_now(void)
{
	if (check_watched())
		raise(SIGUSR1);
}

int main(void)
{
	know_stack();
	write_all();
	run_threads();
	for (int i = 0; i < 5; i++) {
		/* Objects that the unwinder has not met yet. */
		static const char *const more[] = {"libm.so.6", "libresolv.so.2", "libutil.so.1",
						   "libgcc_s.so.1", "librt.so.1"};
		dlopen(more[i], RTLD_NOW);
		pid_t child = fork();
		write_all();
		if (!child) {
			snapshot_now();
			_exit(outside != 0);
		}
		CHECK_EQUAL(wait_for(child), 0);
		run_threads();
		snapshot_now();
	}
	CHECK(calls > 0);
	printf("allocations in handlers: %ld\n", outside);
	return 0;
}
