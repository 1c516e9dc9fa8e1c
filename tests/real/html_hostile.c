/* Everything that a traced program can name is HTML and script here. */
#include <cowspy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE "</script x><script>hit()</script><img src=x onerror=hit()>\"'\xe2\x80\xa8\x1b[31m"
#define PAGE 4096ul

/* tests/real/test_html.sh gives this function a name like that. */
void plain_name(char *page);

void plain_name(char *page)
{
	*page = 1;
}

int main(void)
{
	char *small = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	char *huge = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (small == MAP_FAILED || huge == MAP_FAILED)
		return 1;
	cowspy_name(small, 64 * PAGE, HOSTILE);
	cowspy_name(huge, 1ul << 40, "one tebibyte");
	for (unsigned long i = 0; i < 64; i++)
		plain_name(small + i * PAGE);
	for (unsigned long i = 0; i < 1000; i++)
		plain_name(huge + (i * 1000003 % 268435456) * PAGE);
	cowspy_label(HOSTILE);
	if (fork() == 0) {
		for (unsigned long i = 0; i < 64; i += 2)
			plain_name(small + i * PAGE);
		_exit(0);
	}
	wait(NULL);
	return 0;
}
