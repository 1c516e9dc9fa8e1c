/* Threads of every kind come and go while tracked pages are first written. */
/* timeout: 60 */
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>

static char *pages;
static _Atomic size_t next_page;
static _Atomic int counted;

static void touch(void)
{
	pages[next_page++ % 16384 * CHECK_PAGE] = 1;
}

static void *short_life(void *argument)
{
	touch();
	counted++;
	return argument;
}

static void test_short_lives(void)
{
	long sum = 0;
	for (long i = 0; i < 2000; i++) {
		pthread_t thread;
		void *result;
		CHECK_EQUAL(pthread_create(&thread, NULL, short_life, (void *)i), 0);
		CHECK_EQUAL(pthread_join(thread, &result), 0);
		sum += (long)result;
	}
	printf("2000 threads: %ld, counted %d\n", sum, counted);
}

/* --- ends --- */

static pthread_key_t key;
static _Atomic int destroyed;

static void destroy(void *value)
{
	touch();
	destroyed++;
	/* Destructors run again while one of them sets a value. */
	if ((long)value < 3)
		pthread_setspecific(key, (void *)((long)value + 1));
}

static void *with_destructor(void *argument)
{
	pthread_setspecific(key, (void *)1);
	touch();
	if (argument)
		pthread_exit(argument);
	return NULL;
}

static void test_destructors(void)
{
	CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
	for (long i = 0; i < 50; i++) {
		pthread_t thread;
		void *result;
		CHECK_EQUAL(pthread_create(&thread, NULL, with_destructor, (void *)(i % 2)), 0);
		CHECK_EQUAL(pthread_join(thread, &result), 0);
		CHECK_EQUAL((long)result, i % 2);
	}
	printf("destructors: %d\n", destroyed);
}

static _Atomic int cleaned;

static void clean(void *argument)
{
	(void)argument;
	touch();
	cleaned++;
}

static void *wait_in_read(void *argument)
{
	int *ends = argument;
	char byte;
	pthread_cleanup_push(clean, NULL);
	touch();
	(void)!read(ends[0], &byte, 1);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *wait_in_sleep(void *argument)
{
	pthread_cleanup_push(clean, NULL);
	touch();
	sleep(1000);
	pthread_cleanup_pop(1);
	return argument;
}

static void *wait_in_suspend(void *argument)
{
	sigset_t set;
	sigfillset(&set);
	pthread_cleanup_push(clean, NULL);
	touch();
	sigsuspend(&set);
	pthread_cleanup_pop(1);
	return argument;
}

static void *wait_in_stdio(void *argument)
{
	pthread_cleanup_push(clean, NULL);
	touch();
	(void)!fgetc(argument);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *compute_cancellable(void *argument)
{
	int old;
	pthread_cleanup_push(clean, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	for (volatile unsigned long i = 0;; i++)
		;
	pthread_cleanup_pop(1);
	return argument;
}

static void cancel(const char *where, void *(*routine)(void *), void *argument)
{
	pthread_t thread;
	void *result;
	CHECK_EQUAL(pthread_create(&thread, NULL, routine, argument), 0);
	usleep(20000);
	CHECK_EQUAL(pthread_cancel(thread), 0);
	CHECK_EQUAL(pthread_join(thread, &result), 0);
	printf("cancelled in %s: %d, cleaned %d\n", where, result == PTHREAD_CANCELED, cleaned);
}

static void test_cancellation(void)
{
	int ends[2], more[2];
	CHECK_EQUAL(pipe(ends), 0);
	CHECK_EQUAL(pipe(more), 0);
	FILE *stream = fdopen(more[0], "r");
	cancel("read", wait_in_read, ends);
	cancel("sleep", wait_in_sleep, NULL);
	cancel("sigsuspend", wait_in_suspend, NULL);
	cancel("fgetc", wait_in_stdio, stream);
	cancel("a loop", compute_cancellable, NULL);
	close(ends[0]);
	close(ends[1]);
}

/* --- detached, small, C11, timers --- */

static sem_t done;

static void *detached(void *argument)
{
	touch();
	sem_post(&done);
	return argument;
}

static void test_detached(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sem_init(&done, 0, 0);
	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		CHECK_EQUAL(pthread_create(&thread, &attributes, detached, NULL), 0);
	}
	for (int i = 0; i < 200; i++)
		while (sem_wait(&done))
			;
	puts("detached");
}

static void *small_stack(void *argument)
{
	volatile char frame[2048];
	frame[0] = frame[sizeof(frame) - 1] = 1;
	touch();
	char *more = map_anonymous(2);
	more[0] = 1;
	munmap(more, 2 * CHECK_PAGE);
	return argument;
}

static void test_small_stacks(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	CHECK_EQUAL(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN), 0);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		CHECK_EQUAL(pthread_create(&thread, &attributes, small_stack, NULL), 0);
		CHECK_EQUAL(pthread_join(thread, NULL), 0);
	}
	/* And on memory of the program's own, tracked until it becomes a stack. */
	char *own = map_anonymous(64);
	CHECK_EQUAL(pthread_attr_setstack(&attributes, own, 64 * CHECK_PAGE), 0);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;
		CHECK_EQUAL(pthread_create(&thread, &attributes, small_stack, NULL), 0);
		CHECK_EQUAL(pthread_join(thread, NULL), 0);
	}
	puts("small stacks");
}

static int c11_thread(void *argument)
{
	touch();
	return (int)(long)argument;
}

static void test_c11(void)
{
	int sum = 0;
	for (long i = 0; i < 20; i++) {
		thrd_t thread;
		int result;
		CHECK_EQUAL(thrd_create(&thread, c11_thread, (void *)i), thrd_success);
		CHECK_EQUAL(thrd_join(thread, &result), thrd_success);
		sum += result;
	}
	printf("C11: %d\n", sum);
}

static void on_timer(union sigval value)
{
	(void)value;
	touch();
	sem_post(&done);
}

static void test_timer_threads(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
	const struct itimerspec soon = {{0, 1000000}, {0, 1000000}};
	timer_t timer;
	CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	CHECK_EQUAL(timer_settime(timer, 0, &soon, NULL), 0);
	for (int i = 0; i < 20; i++)
		while (sem_wait(&done))
			;
	CHECK_EQUAL(timer_delete(timer), 0);
	puts("timer threads");
}

/* --- a task without libc --- */

static int raw_task(void *argument)
{
	touch();
	*(volatile int *)argument = 77;
	return 5;
}

static void test_raw_task(void)
{
	char *stack = map_anonymous(64);
	volatile int shared = 0;
	int status;
	pid_t child = clone(raw_task, stack + 64 * CHECK_PAGE, CLONE_VM | CLONE_FILES | SIGCHLD,
			    (void *)&shared);
	CHECK(child > 0);
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	printf("clone with our memory: %d %d\n", WEXITSTATUS(status), shared);
	shared = 0;
	child = clone(raw_task, stack + 64 * CHECK_PAGE, SIGCHLD, (void *)&shared);
	CHECK(child > 0);
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	printf("clone with a copy: %d %d\n", WEXITSTATUS(status), shared);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pages = map_anonymous(16384);
	test_short_lives();
	test_destructors();
	test_cancellation();
	test_detached();
	test_small_stacks();
	test_c11();
	test_timer_threads();
	test_raw_task();
	return 0;
}
