/*
 * System calls by a bare instruction leave every vector register as it was, whatever has to be done
 * for them: calls on memory, into closed pages, forks (both sides), an exec that fails.
 */
#include "check.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define AREA_SIZE 4096
#define STATES 0xe6 /* XMM, YMM, opmasks, both parts of ZMM */

/* Loads the area, issues the call, saves to `after`. */
long vectors_call(const void *before, void *after, unsigned long states, long nr, const long *args);

__asm__(".text\n"
	".globl vectors_call\n"
	".type vectors_call, @function\n"
	"vectors_call:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n"
	"	mov %rsi, %rbx\n	mov %rdx, %r12\n	mov %rcx, %r13\n	mov %r8, %r14\n"
	"	mov %r12, %rax\n	xor %edx, %edx\n	xrstor64 (%rdi)\n"
	"	mov (%r14), %rdi\n	mov 8(%r14), %rsi\n	mov 16(%r14), %rdx\n"
	"	mov 24(%r14), %r10\n	mov 32(%r14), %r8\n	mov 40(%r14), %r9\n"
	"	mov %r13, %rax\n	syscall\n	mov %rax, %rbp\n"
	"	mov %r12, %rax\n	xor %edx, %edx\n	xsave64 (%rbx)\n	mov %rbp, %rax\n"
	"	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"
	".size vectors_call, . - vectors_call\n"
	".section .note.GNU-stack, \"\", @progbits\n.text\n");

static unsigned char before[AREA_SIZE] __attribute__((aligned(64)));
static unsigned char after[AREA_SIZE] __attribute__((aligned(64)));
static unsigned long states;

static void fill(size_t offset, size_t size)
{
	CHECK(offset + size <= AREA_SIZE);
	for (size_t i = offset; i < offset + size; i++)
		before[i] = (unsigned char)(i * 37 + 1);
}

static void prepare(void)
{
	unsigned low, high, size, offset, rest, more;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	states = low & STATES;
	*(uint32_t *)(before + 24) = 0x1f80; /* MXCSR */
	*(uint64_t *)(before + 512) = states;
	fill(160, 256);
	for (unsigned state = 2; state < 8; state++) {
		if (!(states >> state & 1))
			continue;
		__cpuid_count(0xd, state, size, offset, rest, more);
		fill(offset, size);
	}
}

static long call(const char *name, long nr, long a, long b, long c, long d, long e)
{
	const long args[6] = {a, b, c, d, e, 0};
	memset(after, 0, sizeof(after));
	long result = vectors_call(before, after, states, nr, args);
	int changed = 0;
	for (size_t i = 160; i < AREA_SIZE; i++)
		changed += (i < 416 || i >= 576) && before[i] != after[i];
	printf("%s: %d bytes of vector registers changed\n", name, changed);
	return result;
}

static void test_memory(char *pages)
{
	const int both = PROT_READ | PROT_WRITE;
	const long size = 8 * CHECK_PAGE;
	long fresh = call("mmap", SYS_mmap, 0, size, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK(fresh > 0);
	CHECK_EQUAL(call("mprotect", SYS_mprotect, fresh, size, PROT_READ, 0, 0), 0);
	CHECK_EQUAL(call("mprotect back", SYS_mprotect, fresh, size, both, 0, 0), 0);
	CHECK_EQUAL(call("madvise", SYS_madvise, fresh, size, MADV_DONTNEED, 0, 0), 0);
	CHECK_EQUAL(call("mlock", SYS_mlock, (long)pages, CHECK_PAGE, 0, 0, 0), 0);
	fresh = call("mremap", SYS_mremap, fresh, size, 4 * size, MREMAP_MAYMOVE, 0);
	CHECK(fresh > 0);
	CHECK_EQUAL(call("munmap", SYS_munmap, fresh, 4 * size, 0, 0, 0), 0);
	call("brk", SYS_brk, 0, 0, 0, 0, 0);
	struct iovec part = {pages, CHECK_PAGE};
	int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
	call("process_madvise", SYS_process_madvise, process, (long)&part, 1, MADV_COLD, 0);
	close(process);
}

static void test_reads(char *pages)
{
	int ends[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(write(ends[1], "text", 4), 4);
	CHECK_EQUAL(call("read", SYS_read, ends[0], (long)pages + 3 * CHECK_PAGE, 4, 0, 0), 4);
	CHECK_EQUAL(call("fstat", SYS_fstat, ends[0], (long)pages + 4 * CHECK_PAGE, 0, 0, 0), 0);
	call("getpid", SYS_getpid, 0, 0, 0, 0, 0);
}

static void test_fork(const char *name)
{
	fflush(stdout);
	long child = call(name, SYS_fork, 0, 0, 0, 0, 0);
	CHECK(child >= 0);
	fflush(stdout);
	if (!child)
		_exit(0);
	CHECK_EQUAL(wait_for((pid_t)child), 0);
}

static void test_exec(void)
{
	const char *const arguments[] = {"/nowhere/at/all", NULL};
	long result = call("execve", SYS_execve, (long)arguments[0], (long)arguments,
			   (long)(arguments + 1), 0, 0);
	CHECK_EQUAL(result, -ENOENT);
}

static void on_signal(int signal)
{
	(void)signal;
}

static void test_signal(void)
{
	signal(SIGSEGV, on_signal);
	CHECK_EQUAL(call("tgkill", SYS_tgkill, getpid(), getpid(), SIGSEGV, 0, 0), 0);
	signal(SIGSEGV, SIG_DFL);
}

int main(void)
{
	/* Otherwise both sides of a fork would print in any order. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	prepare();
	char *pages = map_anonymous(64);
	test_memory(pages);
	test_reads(pages);
	test_exec();
	test_fork("the first fork");
	test_reads(pages + 8 * CHECK_PAGE);
	test_fork("fork");
	test_memory(pages + 16 * CHECK_PAGE);
	test_exec();
	test_signal();
	return 0;
}
