/* GNU libsigsegv: faults of the program's own protections, per area, and stack overflow. */
#include <setjmp.h>
#include <sigsegv.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define PAGES 64L

static sigsegv_dispatcher dispatcher;
static char *areas[2];
static int written[2][PAGES];
static int unknown;
static sigjmp_buf out;

/* A write barrier: the first write to each page of an area. */
static int on_area(void *address, void *argument)
{
	int area = *(int *)argument;
	char *page = (char *)((unsigned long)address & ~(PAGE - 1));
	written[area][(page - areas[area]) / PAGE]++;
	return mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0;
}

static int on_fault(void *address, int serious)
{
	if (sigsegv_dispatch(&dispatcher, address))
		return 1;
	if (!serious) /* a stack overflow, perhaps */
		return 0;
	unknown++;
	return sigsegv_leave_handler((void (*)(void *, void *, void *))(void *)siglongjmp, out,
				     (void *)1, NULL);
}

static void on_overflow(int emergency, stackoverflow_context_t context)
{
	(void)context;
	sigsegv_leave_handler((void (*)(void *, void *, void *))(void *)siglongjmp, out,
			      (void *)(emergency ? 3L : 2L), NULL);
}

static int recurse(volatile int depth)
{
	volatile char room[1000];
	memset((char *)room, depth, sizeof(room));
	return depth < 0 ? 0 : recurse(depth + 1) + room[depth % 1000];
}

static void write_some(int area, int step)
{
	for (int i = 0; i < PAGES; i += step)
		areas[area][i * PAGE + step] = 1;
}

static void show(const char *when)
{
	int pages[2] = {0}, most = 0;
	for (int area = 0; area < 2; area++)
		for (int i = 0; i < PAGES; i++) {
			pages[area] += written[area][i] > 0;
			most = written[area][i] > most ? written[area][i] : most;
		}
	printf("%s: %d and %d pages, at most %d times, unknown %d\n", when, pages[0], pages[1],
	       most, unknown);
	fflush(stdout);
}

static void protect(void)
{
	for (int area = 0; area < 2; area++)
		mprotect(areas[area], PAGES * PAGE, PROT_READ);
}

int main(void)
{
	static int numbers[2] = {0, 1};
	static char extra[65536];
	sigsegv_init(&dispatcher);
	for (int area = 0; area < 2; area++) {
		areas[area] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(areas[area], area, PAGES * PAGE / 2);
		sigsegv_register(&dispatcher, areas[area], PAGES * PAGE, on_area, &numbers[area]);
	}
	printf("installed: %d\n", sigsegv_install_handler(on_fault));
	protect();
	write_some(0, 3);
	write_some(1, 5);
	show("first");
	pid_t child = fork();
	if (!child) {
		protect();
		write_some(0, 1);
		show("child");
		_exit(4);
	}
	int status;
	waitpid(child, &status, 0);
	write_some(1, 1);
	printf("status %d\n", WEXITSTATUS(status));
	show("parent");
	if (!sigsetjmp(out, 1))
		*(volatile int *)16 = 1;
	show("nowhere");
	printf("overflow handler: %d\n",
	       stackoverflow_install_handler(on_overflow, extra, sizeof(extra)));
	for (volatile int turn = 0; turn < 2; turn++) {
		int how = sigsetjmp(out, 1);
		if (!how)
			recurse(0);
		printf("overflow: %d\n", how);
	}
	stackoverflow_deinstall_handler();
	sigsegv_deinstall_handler();
	puts("done");
	return 0;
}
