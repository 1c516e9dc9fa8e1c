/*
 * System calls made inside of libc, where no wrapper of a libc function sees them, with everything
 * watched: first before any fork, then again after one. Prints what they found.
 */
/* environment: COWSPY_SCOPE=all */
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <netinet/in.h>
#include <regex.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <wchar.h>

extern char **environ;

static FILE *numbered_lines(int lines)
{
	FILE *file = tmpfile();
	CHECK(file);
	for (int i = 0; i < lines; i++)
		fprintf(file, "line %d of %d\n", i, lines);
	rewind(file);
	return file;
}

/* A stream whose buffer lies in pages that nobody has touched. */
static FILE *with_fresh_buffer(FILE *file, size_t offset)
{
	CHECK_EQUAL(setvbuf(file, map_anonymous(4) + offset, _IOFBF, 2 * CHECK_PAGE), 0);
	return file;
}

static void test_streams(void)
{
	FILE *file = with_fresh_buffer(numbered_lines(3000), 100);
	char *line = NULL, *pages = map_anonymous(20) + 50;
	size_t room = 0;
	int first, second, lines = 0;
	CHECK(fgets(pages, 100, file));
	CHECK_EQUAL(fscanf(file, "line %d of %d\n", &first, &second), 2);
	for (long length; (length = getline(&line, &room, file)) > 0; lines++)
		CHECK_EQUAL(line[length - 1], '\n');
	printf("streams: %.6s, %d of %d, %d more lines\n", pages, first, second, lines);
	rewind(file);
	size_t bytes = fread(pages, 1, 15 * CHECK_PAGE, file);
	printf("fread: %zu bytes, %.4s\n", bytes, pages + bytes - bytes % 4);
	free(line);
	fclose(file);
}

static void test_folder(void)
{
	DIR *folder = opendir("/proc/self/ns");
	int names = 0, types = 0;
	CHECK(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		names++;
		types += entry->d_type == DT_LNK;
	}
	printf("readdir: names of ns are %s, all %s\n", names > 4 ? "there" : "missing",
	       types == names - 2 ? "links" : "wrong");
	closedir(folder);
	char *path = realpath("/proc/self/../self/cwd/.", map_anonymous(2));
	printf("realpath: %s\n", path && *path == '/' ? "absolute" : "wrong");
}

static void test_addresses(void)
{
	static const char *const names[] = {"127.0.0.1", "::1", "localhost"};
	for (int i = 0; i < 3; i++) {
		struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
		char text[100] = "-";
		hints.ai_family = i == 2 ? AF_INET : 0;
		int error = getaddrinfo(names[i], "80", &hints, &found);
		if (!error)
			getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
				    NI_NUMERICHOST);
		printf("getaddrinfo %s: %s %s\n", names[i], error ? gai_strerror(error) : "found",
		       text);
		if (found)
			freeaddrinfo(found);
	}
}

static void test_spawn(void)
{
	int ends[2];
	pid_t child;
	char *text = map_anonymous(2) + CHECK_PAGE - 3;
	char *const arguments[] = {"sh", "-c", "echo spawned; echo 2 >&2; exit 3", NULL};
	posix_spawn_file_actions_t actions;
	CHECK_EQUAL(pipe(ends), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	CHECK_EQUAL(posix_spawn(&child, "/bin/sh", &actions, NULL, arguments, environ), 0);
	close(ends[1]);
	CHECK_EQUAL(read(ends[0], text, 100), 8);
	printf("posix_spawn: %.7s, status %d\n", text, wait_for(child));
	close(ends[0]);
	FILE *pipe = with_fresh_buffer(popen("echo from a pipe", "r"), 4000);
	CHECK(fgets(text, 100, pipe));
	printf("popen: %.11s, status %d\n", text, pclose(pipe));
	printf("system: %d\n", system("exit 4") >> 8);
}

/* Its data is read and relocated into private memory by the loader. */
static void test_library(void)
{
	void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
	double (*root)(double);
	CHECK(library);
	*(void **)&root = dlsym(library, "sqrt");
	printf("dlopen: %g\n", root(144));
	dlclose(library);
}

static void test_rest(void)
{
	regex_t regex;
	CHECK_EQUAL(regcomp(&regex, "^l[a-z]+e [[:digit:]]+$", REG_EXTENDED), 0);
	printf("regcomp: %d\n", regexec(&regex, "line 12", 0, NULL, 0));
	regfree(&regex);
	locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
	printf("locale: %s\n", locale ? "loaded" : strerror(errno));
	if (locale)
		freelocale(locale);
	const struct passwd *user = getpwnam("root");
	printf("getpwnam: %s\n", user ? user->pw_dir : "nobody");
	openlog("kernel_inside", LOG_NDELAY, LOG_USER);
	syslog(LOG_DEBUG, "nobody listens");
	closelog();
	struct tm *when = (struct tm *)(map_anonymous(2) + CHECK_PAGE - 24);
	time_t day = 86400;
	CHECK(gmtime_r(&day, when));
	printf("gmtime_r: %d\n", when->tm_mday);
	char *name = map_anonymous(2) + CHECK_PAGE - 5;
	strcpy(name, "/tmp/inside.XXXXXX");
	int fd = mkstemp(name);
	CHECK(fd >= 0 && !unlink(name));
	close(fd);
	struct timespec *until = (struct timespec *)(map_anonymous(2) + CHECK_PAGE - 8);
	sem_t semaphore;
	sem_init(&semaphore, 0, 0);
	until->tv_sec = 1;
	until->tv_nsec = 0;
	CHECK_EQUAL(sem_timedwait(&semaphore, until), -1);
	printf("sem_timedwait: %s\n", strerror(errno));
}

static void test_all(void)
{
	test_streams();
	test_folder();
	test_addresses();
	test_spawn();
	test_library();
	test_rest();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	test_all();
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		test_all();
		fflush(stdout);
		_exit(0);
	}
	printf("the child: %d\n", wait_for(child));
	test_all();
	return 0;
}
