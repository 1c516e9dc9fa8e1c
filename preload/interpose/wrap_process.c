/*
 * libc's functions that make threads, end the process or become another program.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <unistd.h>

#include "base/memory.h"
#include "calls.h"
#include "net.h"
#include "observe/stacks.h"
#include "process.h"
#include "real.h"
#include "report/output.h"
#include "track/threads.h"

/* --- threads --- */

struct thread_start {
	_Atomic(struct thread_start *) next;
	void *(*routine)(void *);
	thrd_start_t c11_routine;
	void *argument;
};

static _Atomic(struct thread_start *) free_starts;

static struct thread_start *start_take(void)
{
	struct thread_start *all = atomic_exchange(&free_starts, NULL);
	if (!all)
		return memory_alloc(sizeof(*all));
	struct thread_start *rest = all->next;
	while (rest) {
		struct thread_start *next = rest->next;
		struct thread_start *head = atomic_load(&free_starts);
		do
			atomic_store(&rest->next, head);
		while (!atomic_compare_exchange_weak(&free_starts, &head, rest));
		rest = next;
	}
	return all;
}

static void start_give(struct thread_start *start)
{
	struct thread_start *head = atomic_load(&free_starts);
	do
		atomic_store(&start->next, head);
	while (!atomic_compare_exchange_weak(&free_starts, &head, start));
}

static struct thread_start thread_enter(struct thread_start *start)
{
	struct thread_start copy = *start;
	start_give(start);
	if (!calls_started)
		return copy;
	thread_meet();
	net_thread();
	stacks_warm_thread();
	return copy;
}

static void *thread_run(void *argument)
{
	struct thread_start start = thread_enter(argument);
	return start.routine(start.argument);
}

static int thread_run_c11(void *argument)
{
	struct thread_start start = thread_enter(argument);
	return start.c11_routine(start.argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*routine)(void *), void *argument)
{
	REAL(pthread_create);
	net_keep();
	struct thread_start *start = start_take();
	if (!start)
		return real_pthread_create(thread, attributes, routine, argument);
	start->routine = routine;
	start->argument = argument;
	int error = real_pthread_create(thread, attributes, thread_run, start);
	if (error)
		start_give(start);
	return error;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
	REAL(thrd_create);
	net_keep();
	struct thread_start *start = start_take();
	if (!start)
		return real_thrd_create(thread, routine, argument);
	start->c11_routine = routine;
	start->argument = argument;
	int error = real_thrd_create(thread, thread_run_c11, start);
	if (error != thrd_success)
		start_give(start);
	return error;
}

/* --- the end --- */

/* Programs that check what they wrote close their standard error last, inside of libc. */
EXPORT int fclose(FILE *stream)
{
	REAL(fclose);
	if (stream == stderr)
		output_before_close(2);
	return real_fclose(stream);
}

EXPORT void exit(int status)
{
	REAL(exit);
	output_program_ends();
	real_exit(status);
	__builtin_unreachable();
}

EXPORT void _exit(int status)
{
	for (;;)
		call_issue(SYS_exit_group, (const long[6]){status}, CALLER);
}

EXPORT void _Exit(int status)
{
	for (;;)
		call_issue(SYS_exit_group, (const long[6]){status}, CALLER);
}

static int (*program_main)(int, char **, char **);

/* What the program closes after its main has returned, it closes because it ends. */
static int main_run(int argc, char **argv, char **envp)
{
	int status = program_main(argc, argv, envp);
	output_program_ends();
	return status;
}

int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		      void (*)(void), void *);

EXPORT int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
			     void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
			     void *stack_end)
{
	REAL(__libc_start_main);
	program_main = main;
	return real___libc_start_main(main_run, argc, argv, init, fini, rtld_fini, stack_end);
}

/* --- exec: libc makes the system call itself, and the net sees it --- */

static void exec_begin(void)
{
	if (net_active())
		net_watch_begin();
	else
		process_end(REPORT_EXEC);
}

static int exec_failed(int result)
{
	net_watch_end();
	return result;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	REAL(execve);
	exec_begin();
	return exec_failed(real_execve(path, argv, envp));
}

EXPORT int execv(const char *path, char *const argv[])
{
	REAL(execv);
	exec_begin();
	return exec_failed(real_execv(path, argv));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	REAL(execvp);
	exec_begin();
	return exec_failed(real_execvp(file, argv));
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	REAL(execvpe);
	exec_begin();
	return exec_failed(real_execvpe(file, argv, envp));
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	REAL(fexecve);
	exec_begin();
	return exec_failed(real_fexecve(fd, argv, envp));
}

/* The arguments of execl and its kin as an array; with room for them on this stack. */
static size_t count_arguments(va_list rest)
{
	size_t count = 1;
	while (va_arg(rest, char *))
		count++;
	return count;
}

static void take_arguments(char **argv, const char *first, va_list *rest)
{
	for (*argv = (char *)first; *argv;)
		*++argv = va_arg(*rest, char *);
}

#define ARGUMENT_ARRAY(first) \
	va_list rest, again; \
	va_start(rest, first); \
	va_copy(again, rest); \
	char *argv[count_arguments(rest) + 2]; \
	take_arguments(argv, first, &again); \
	va_end(rest)

EXPORT int execl(const char *path, const char *first, ...)
{
	ARGUMENT_ARRAY(first);
	va_end(again);
	return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
	ARGUMENT_ARRAY(first);
	va_end(again);
	return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *first, ...)
{
	ARGUMENT_ARRAY(first);
	char **envp = va_arg(again, char **);
	va_end(again);
	return execve(path, argv, envp);
}
