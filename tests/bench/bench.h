/* What the workloads share. Each prints one line: figures separated by blanks. */
#ifndef BENCH_H
#define BENCH_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define DEPTH 16

static inline uint64_t bench_clock(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t bench_cpu(void)
{
	return bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static inline uint64_t bench_wall(void)
{
	return bench_clock(CLOCK_MONOTONIC);
}

/* The bare handler: opens the page and does nothing else, as any tool with this method must. */
static inline void bench_open_page(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
	if (syscall(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE))
		_exit(3);
}

static inline void bench_handle(void)
{
	struct sigaction action = {.sa_sigaction = bench_open_page,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigaction(SIGSEGV, &action, NULL);
}

static inline char *bench_map(size_t size, int bare)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE))
		exit(2);
	if (bare && mprotect(memory, size, PROT_READ))
		exit(2);
	return memory;
}

#endif
