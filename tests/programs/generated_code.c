/* run by: programs/test_perf_map.sh */
/*
 * Code made at run time that writes a page, and the file /tmp/perf-PID.map that names it.
 * generated_code MODE: exit, or wait to be killed. The child that it forks runs the code too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* movb $1,(%rdi); ret */
static const unsigned char code[] = {0xc6, 0x07, 0x01, 0xc3};

int main(int argc, char **argv)
{
	char path[64];
	void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *data = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);
	void (*generated)(char *) = (void (*)(char *))place;

	memcpy(place, code, sizeof(code));
	mprotect(place, 4096, PROT_READ | PROT_EXEC);
	memset(data, 0, 4096 * 4);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	unlink(path);
	FILE *map = fopen(path, "w");
	fprintf(map, "%lx %zx JS:*write_pages \033[31mapp.js:7\n", (unsigned long)place,
		sizeof(code));
	fclose(map);
	for (int page = 4; page < 7; page++)
		generated(data + page * 4096);
	pid_t child = fork();
	if (!child) {
		generated(data);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	puts("ready");
	fflush(stdout);
	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		pause();
	return 0;
}
