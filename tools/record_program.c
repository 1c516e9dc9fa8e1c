#include "record.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cowspy.h"

#define SCRIPTS_DEEP 5
#define LINE_MOST 256 /* of a script's first line, as the kernel reads it */

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#define MACHINE_NAME "x86-64"
#define LIBRARY_FOLDER "../lib/x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#define MACHINE_NAME "arm64"
#define LIBRARY_FOLDER "../lib/aarch64-linux-gnu"
#endif

/* ---- finding files ---- */

static bool is_program(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static char *join(const char *folder, size_t length, const char *name)
{
	char *path;
	if (asprintf(&path, "%.*s%s%s", (int)length, folder, length ? "/" : "", name) < 0)
		return NULL;
	return path;
}

char *program_find(const char *word)
{
	const char *folders = getenv("PATH"), *next;
	int error = ENOENT;
	if (strchr(word, '/'))
		return strdup(word);
	for (folders = folders ? folders : "/bin:/usr/bin"; folders; folders = next) {
		size_t length = strcspn(folders, ":");
		char *path = join(folders, length, word);
		if (path && is_program(path))
			return path;
		if (path && access(path, F_OK) == 0)
			error = EACCES;
		free(path);
		next = folders[length] ? folders + length + 1 : NULL;
	}
	errno = error;
	return NULL;
}

static char *beside_tool(const char *relative)
{
	char tool[PATH_MAX], *path, *real;
	ssize_t length = readlink("/proc/self/exe", tool, sizeof(tool) - 1);
	if (length <= 0)
		return NULL;
	tool[length] = '\0';
	*strrchr(tool, '/') = '\0';
	path = join(tool, strlen(tool), relative);
	real = path ? realpath(path, NULL) : NULL;
	free(path);
	return real;
}

char *program_library(const char *named)
{
	static const char *const places[] = {"libcowspy.so", "../lib/libcowspy.so",
					     LIBRARY_FOLDER "/libcowspy.so",
					     "../lib64/libcowspy.so"};
	char *path = named ? realpath(named, NULL) : NULL;
	if (named && !path) {
		complain("record", "%s: %s", named, strerror(errno));
		return NULL;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !path; i++)
		path = beside_tool(places[i]);
	if (!path) {
		complain("record", "libcowspy.so is neither beside this command nor in ../lib; "
				   "say where it is: --library PATH");
		return NULL;
	}
	if (strpbrk(path, " :")) {
		complain("record", "%s: LD_PRELOAD cannot take a path with a space or colon", path);
		free(path);
		return NULL;
	}
	return path;
}

/* ---- judging files ---- */

/* Whether the kernel would raise privileges: the loader then ignores LD_PRELOAD. */
static bool raises_privileges(const char *path, int fd)
{
	struct stat status;
	struct statvfs system;
	if (fstat(fd, &status) || fstatvfs(fd, &system) || (system.f_flag & ST_NOSUID))
		return false;
	const char *how = NULL;
	if ((status.st_mode & S_ISUID) && status.st_uid != getuid())
		how = "setuid";
	else if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) &&
		 status.st_gid != getgid())
		how = "setgid";
	else if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		how = "privileged by file capabilities";
	if (how)
		complain(
			"record",
			"%s is %s: the loader preloads nothing into it; record it as the user that "
			"it becomes",
			path, how);
	return how;
}

static bool read_header(int fd, Elf64_Ehdr *header)
{
	return pread(fd, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) &&
	       memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* The loader that the program names; empty when it names none. */
static void read_loader(int fd, const Elf64_Ehdr *header, char loader[PATH_MAX])
{
	Elf64_Phdr segment;
	loader[0] = '\0';
	for (unsigned i = 0; i < header->e_phnum; i++) {
		off_t at = (off_t)(header->e_phoff + i * sizeof(segment));
		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return;
		if (segment.p_type != PT_INTERP || segment.p_filesz >= PATH_MAX)
			continue;
		ssize_t length = pread(fd, loader, segment.p_filesz, (off_t)segment.p_offset);
		loader[length > 0 ? length : 0] = '\0';
		return;
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool check_elf(const char *path, int fd, const Elf64_Ehdr *header)
{
	char loader[PATH_MAX];
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE) {
		complain("record",
			 "%s is no program of 64 bits for " MACHINE_NAME ", as libcowspy.so is",
			 path);
		return false;
	}
	read_loader(fd, header, loader);
	if (!*loader && strncmp(base_name(path), "ld-linux", 8) != 0 &&
	    strncmp(base_name(path), "ld.so", 5) != 0) {
		complain("record",
			 "%s is linked statically: nothing can be preloaded into it; link it "
			 "dynamically, or look at it with 'cowspy pages PID'",
			 path);
		return false;
	}
	if (strstr(loader, "ld-musl")) {
		complain("record", "%s runs on another C library (%s) than libcowspy.so", path,
			 loader);
		return false;
	}
	return true;
}

static bool check_file(const char *path, char **argv, int deep);

/* `#!/usr/bin/env python3`: what env will run. */
static bool check_env(char *argument, char **argv, int deep)
{
	char *word = argument ? strtok(argument, " \t") : NULL;
	while (word && (*word == '-' || strchr(word, '=')))
		word = strtok(NULL, " \t");
	char *path = word ? program_find(word) : NULL;
	bool good = !path || check_file(path, argv, deep);
	free(path);
	return good;
}

static bool check_script(const char *script, char *line, char **argv, int deep)
{
	char *interpreter = line + strspn(line, " \t");
	line[strcspn(line, "\n")] = '\0';
	char *argument = interpreter + strcspn(interpreter, " \t");
	if (*argument) {
		*argument++ = '\0';
		argument += strspn(argument, " \t");
	}
	if (!*interpreter)
		return true;
	if (access(interpreter, X_OK)) {
		complain("record", "%s: its interpreter %s: %s", script, interpreter,
			 strerror(errno));
		return false;
	}
	return check_file(interpreter, argv, deep) &&
	       (strcmp(base_name(interpreter), "env") || check_env(argument, argv, deep));
}

/* A file that is neither is run by the shell. */
static bool check_content(const char *path, int fd, char **argv, int deep)
{
	char line[LINE_MOST + 1];
	Elf64_Ehdr header;
	if (read_header(fd, &header))
		return check_elf(path, fd, &header);
	ssize_t length = pread(fd, line, LINE_MOST, 0);
	line[length > 0 ? length : 0] = '\0';
	if (length > 2 && line[0] == '#' && line[1] == '!')
		return check_script(path, line + 2, argv, deep);
	return check_file("/bin/sh", argv, deep);
}

static bool check_file(const char *path, char **argv, int deep)
{
	if (deep == SCRIPTS_DEEP)
		return true;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) /* a program may be run that may not be read */
		return true;
	bool good = !raises_privileges(path, fd) && check_content(path, fd, argv, deep + 1);
	close(fd);
	return good;
}

bool program_check(const char *path, char **argv)
{
	return check_file(path, argv, 0);
}
