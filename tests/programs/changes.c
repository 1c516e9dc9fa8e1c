/* run by: programs/test_compare.sh */
/* Copies of which as many bytes change as the name of the function says; silent stores. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static char *shared, *file, *zero;

static void silent(char *memory, int pages)
{
	for (int i = 0; i < pages; i++)
		*(volatile char *)&memory[i * PAGE + 100] = memory[i * PAGE + 100];
}

static void one_byte(char *memory, int pages)
{
	for (int i = 0; i < pages; i++)
		memory[i * PAGE + 100] ^= 1;
}

static void whole(char *memory, int pages)
{
	memset(memory, 'w', (size_t)pages * PAGE);
}

static void by_read(char *memory, int pages)
{
	int fd = open("/dev/zero", O_RDONLY);
	if (read(fd, memory, (size_t)pages * PAGE) != pages * PAGE)
		exit(1);
	close(fd);
}

static char *map(size_t size, int fd)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0),
		    fd, 0);
}

int main(void)
{
	char pattern[16 * PAGE];
	int fd = memfd_create("file", 0);

	memset(pattern, 'p', sizeof(pattern));
	if (write(fd, pattern, sizeof(pattern)) != sizeof(pattern))
		return 1;
	file = map(sizeof(pattern), fd);
	zero = map(8 * PAGE, -1);
	shared = map(32 * PAGE, -1);
	memset(shared, 's', 32 * PAGE);
	for (int i = 0; i < 8; i++)
		if (zero[i * PAGE])
			return 1;
	silent(file, 2);
	one_byte(file + 2 * PAGE, 3);
	whole(file + 5 * PAGE, 4);
	by_read(file + 9 * PAGE, 2);
	silent(zero, 3);
	one_byte(zero + 3 * PAGE, 2);
	pid_t child = fork();
	if (!child) {
		silent(shared, 10);
		one_byte(shared + 10 * PAGE, 5);
		by_read(shared + 15 * PAGE, 3);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}
