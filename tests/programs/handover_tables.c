/*
 * Memory handed over to userfaultfd, and tasks on it whose descriptors are not the process's: vfork
 * children that write and that replace descriptors, threads and processes with tables of their own.
 */
/* environment: COWSPY_VMA_SHARE=0 */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>

#define PAGES 8192u
#define STACK_SIZE (256 << 10)

static volatile char *pages;

static void write_each(size_t first, char value)
{
	for (size_t i = first; i < PAGES; i += 4)
		pages[i * CHECK_PAGE] = value;
}

static void verify(size_t first, char value)
{
	for (size_t i = first; i < PAGES; i += 4)
		CHECK_EQUAL(pages[i * CHECK_PAGE], value);
}

static int run(int (*function)(void *), int flags)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	CHECK(stack != MAP_FAILED);
	pid_t child = clone(function, stack + STACK_SIZE, flags | CLONE_VM | SIGCHLD, NULL);
	CHECK(child > 0);
	int status = wait_for(child);
	CHECK_EQUAL(munmap(stack, STACK_SIZE), 0);
	return status;
}

static int write_first(void *unused)
{
	(void)unused;
	write_each(0, 'a');
	return 0;
}

static void write_after_child(void)
{
	write_each(1, 'b');
}

/* The child execs or ends, and its descriptors with it; our memory goes on. */
static void test_first_of_all(void)
{
	pages = (volatile char *)map_anonymous(PAGES);
	CHECK_EQUAL(run(write_first, CLONE_VFORK), 0);
	verify(0, 'a');
	pages = (volatile char *)map_anonymous(PAGES);
	write_after_child();
	verify(1, 'b');
	expect_stack("write_after_child", "fill", PAGES / 4);
}

static int replace_descriptors(void *unused)
{
	(void)unused;
	for (int fd = 900; fd < 1010; fd++)
		if (dup2(0, fd) != fd)
			return 1;
	return 0;
}

static void write_after_replacing(void)
{
	write_each(2, 'c');
}

static void test_replaced(void)
{
	pages = (volatile char *)map_anonymous(PAGES);
	write_each(0, 'a');
	CHECK_EQUAL(run(replace_descriptors, CLONE_VFORK), 0);
	write_after_replacing();
	verify(2, 'c');
	expect_stack("write_after_replacing", "fill", PAGES / 4);
}

static sem_t turn, done;

static void *write_with_own_table(void *part)
{
	if (part)
		CHECK_EQUAL(unshare(CLONE_FILES), 0);
	else
		CHECK_EQUAL(close_range(2000, 2100, CLOSE_RANGE_UNSHARE), 0);
	sem_post(&done);
	sem_wait(&turn);
	write_each(2, 'f');
	write_each(1, 'g');
	return NULL;
}

static void in_thread(void *part)
{
	pthread_t thread;
	pages = (volatile char *)map_anonymous(PAGES);
	CHECK_EQUAL(pthread_create(&thread, NULL, write_with_own_table, part), 0);
	sem_wait(&done);
	write_each(0, 'd');
	write_each(1, 'e');
	sem_post(&turn);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	write_each(3, 'h');
	verify(0, 'd');
	verify(1, 'g');
	verify(2, 'f');
	verify(3, 'h');
}

static void test_unshare(void)
{
	in_thread(&turn);
}

static void test_close_range(void)
{
	in_thread(NULL);
}

static int write_others(void *unused)
{
	(void)unused;
	sem_post(&done);
	sem_wait(&turn);
	write_each(2, 'f');
	return 0;
}

static void *write_meanwhile(void *unused)
{
	(void)unused;
	sem_wait(&done);
	write_each(0, 'd');
	sem_post(&turn);
	return NULL;
}

/* What such a process and this one write at the same time. */
static void test_process(void)
{
	pthread_t thread;
	pages = (volatile char *)map_anonymous(PAGES);
	CHECK_EQUAL(pthread_create(&thread, NULL, write_meanwhile, NULL), 0);
	CHECK_EQUAL(run(write_others, 0), 0);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	verify(0, 'd');
	verify(2, 'f');
}

/* Each begins with nothing handed over, and no descriptor for that. */
static void in_child(void (*test)(void))
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		test();
		exit(0);
	}
	CHECK_EQUAL(wait_for(child), 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	sem_init(&turn, 0, 0);
	sem_init(&done, 0, 0);
	in_child(test_first_of_all);
	in_child(test_replaced);
	in_child(test_unshare);
	in_child(test_close_range);
	in_child(test_process);
	puts("every byte in its place");
	return 0;
}
