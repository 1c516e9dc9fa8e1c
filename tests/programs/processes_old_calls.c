/* The 32-bit interface and the vsyscall page, where the kernel has them, work as ever. */
#include "check.h"

#include <setjmp.h>
#include <time.h>

static sigjmp_buf recover;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(recover, 1);
}

static int int80(int number)
{
	int result = number;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result;
}

int main(void)
{
	char *pages = map_anonymous(256);
	pages[0] = 1;
	signal(SIGSEGV, on_fault);
	if (!sigsetjmp(recover, 1)) {
		for (volatile int i = 0; i < 1000; i++) {
			CHECK_EQUAL(int80(20 /* getpid */), getpid());
			pages[i % 256 * CHECK_PAGE]++;
		}
		puts("int 0x80");
	} else {
		puts("no int 0x80");
	}
	if (!sigsetjmp(recover, 1)) {
		time_t (*volatile old_time)(time_t *) = (time_t(*)(time_t *))0xffffffffff600400;
		CHECK(old_time(NULL) > 1000000);
		puts("vsyscall");
	} else {
		puts("no vsyscall");
	}
	return 0;
}
