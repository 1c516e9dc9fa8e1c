/*
 * The CPU time of a first write, 16 frames deep: first_write plain|bare sequential|random PAGES.
 *
 * plain writes fresh anonymous pages; under the library that is the watched case. bare protects
 * them and opens each in a handler that does nothing else: what any tool with this method pays.
 * Prints nanoseconds for a first write and for a second write to the same pages.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define DEPTH 16
#define WARM_UP 64

static void open_page(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
	if (syscall(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE))
		_exit(3);
}

static uint64_t cpu_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static __attribute__((noinline)) uint64_t write_pages(volatile char *memory, const uint32_t *order,
						      size_t n)
{
	uint64_t began = cpu_now();
	for (size_t i = 0; i < n; i++)
		memory[(size_t)order[i] * PAGE + 128] = 1;
	return cpu_now() - began;
}

static __attribute__((noinline)) uint64_t descend(unsigned depth, volatile char *memory,
						  const uint32_t *order, size_t n)
{
	uint64_t spent = depth ? descend(depth - 1, memory, order, n)
			       : write_pages(memory, order, n);
	__asm__ volatile("" : "+r"(spent)); /* keeps this frame until the callee is back */
	return spent;
}

static char *map_pages(size_t n, int bare)
{
	char *memory = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	if (memory == MAP_FAILED || madvise(memory, n * PAGE, MADV_NOHUGEPAGE))
		exit(2);
	if (bare && mprotect(memory, n * PAGE, PROT_READ))
		exit(2);
	return memory;
}

static uint32_t *make_order(size_t n, int random)
{
	uint32_t *order = malloc(n * sizeof(*order));
	uint64_t state = 88172645463325252u;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n - 1; random && i; i--) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		size_t j = state % (i + 1);
		uint32_t kept = order[i];
		order[i] = order[j];
		order[j] = kept;
	}
	return order;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "first_write plain|bare sequential|random PAGES\n");
		return 2;
	}
	int bare = !strcmp(argv[1], "bare");
	size_t n = strtoul(argv[3], NULL, 10);
	uint32_t *order = make_order(n, !strcmp(argv[2], "random"));
	uint32_t *warm_up = make_order(WARM_UP, 0);
	if (bare) {
		struct sigaction action = {.sa_sigaction = open_page,
					   .sa_flags = SA_SIGINFO | SA_NODEFER};
		sigaction(SIGSEGV, &action, NULL);
	}
	descend(DEPTH, map_pages(WARM_UP, bare), warm_up, WARM_UP);
	char *memory = map_pages(n, bare);
	uint64_t first = descend(DEPTH, memory, order, n);
	uint64_t second = descend(DEPTH, memory, order, n);
	printf("%.1f %.1f\n", (double)first / (double)n, (double)second / (double)n);
	return 0;
}
