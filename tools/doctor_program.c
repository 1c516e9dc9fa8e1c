/* The library, and a program that is to run with it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cowspy.h"
#include "doctor.h"
#include "intern.h"
#include "record.h"
#include "symbolizer.h"

/* What record would complain of, without its name in front; to be freed. */
struct complaints {
	FILE *stream, *before;
	char *text;
	size_t size;
};

static void complaints_start(struct complaints *complaints)
{
	*complaints = (struct complaints){0};
	complaints->stream = open_memstream(&complaints->text, &complaints->size);
	complaints->before = complain_to(complaints->stream);
}

static const char *complaints_end(struct complaints *complaints)
{
	static const char prefix[] = "cowspy record: ";

	complain_to(complaints->before);
	if (!complaints->stream || fclose(complaints->stream) != 0 || !complaints->text)
		return "out of memory";
	complaints->text[strcspn(complaints->text, "\n")] = 0;
	if (strncmp(complaints->text, prefix, sizeof(prefix) - 1) == 0)
		return complaints->text + sizeof(prefix) - 1;
	return complaints->text;
}

void doctor_library(struct findings *findings)
{
	struct complaints complaints;
	const char *problem;
	char *path;

	complaints_start(&complaints);
	path = program_library(NULL);
	problem = complaints_end(&complaints);
	finding_add(findings, path ? FINDING_GOOD : FINDING_BAD, "libcowspy.so",
		    "build it with make, or install the package cowspy", "%s",
		    path ? path : problem);
	free(path);
	free(complaints.text);
}

static bool is_elf(const char *path)
{
	char magic[SELFMAG] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, magic, SELFMAG) == SELFMAG &&
		  memcmp(magic, ELFMAG, SELFMAG) == 0;
	if (fd >= 0)
		close(fd);
	return is;
}

static void look_at_symbols(struct findings *findings, const char *path)
{
	const struct build_id unknown = {0};
	struct intern strings = {0};
	struct symbolizer *symbolizer = symbolizer_new(&strings);
	char *real = realpath(path, NULL); /* the symbolizer knows absolute paths, as traces do */
	struct symbolizer_module *module = NULL;
	bool functions, lines;

	if (symbolizer && real)
		module = symbolizer_module(symbolizer, real, &unknown, 0);
	functions = module && symbolizer_has_functions(module);
	lines = module && symbolizer_has_lines(module);

	finding_add(findings, lines || functions ? FINDING_GOOD : FINDING_LESS, "symbols",
		    "install its debug symbols (Debian: the package's -dbgsym), or set "
		    "DEBUGINFOD_URLS",
		    "%s",
		    lines       ? "functions, files and lines"
		    : functions ? "functions, without files and lines"
				: "stripped: only functions that it exports have names");
	free(real);
	symbolizer_free(symbolizer);
	intern_free(&strings);
}

void doctor_program(struct findings *findings, const char *word)
{
	char *arguments[] = {(char *)word, NULL}, *path = program_find(word);
	struct complaints complaints;
	const char *problem;
	bool good;

	if (!path) {
		finding_add(findings, FINDING_BAD, "program", "give its path", "%s: %s", word,
			    strerror(errno));
		return;
	}
	complaints_start(&complaints);
	good = program_check(path, arguments);
	problem = complaints_end(&complaints);
	finding_add(findings, good ? FINDING_GOOD : FINDING_BAD, "program",
		    "'cowspy pages PID' shows the pages of any process", "%s",
		    good ? path : problem);
	if (good && is_elf(path))
		look_at_symbols(findings, path);
	free(complaints.text);
	free(path);
}
