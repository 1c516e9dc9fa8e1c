#include "base/options.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define PREFIX "COWSPY_"
#define STDERR 2
#define VALUE_SHOWN 100 /* characters of a bad value in its message */

struct options options;

struct option {
	const char *name;
	const char *initial; /* parsed like a value, so that default and text cannot differ */
	const char *form;    /* reads well after "not" */
	const char *meaning;
	bool (*parse)(const struct option *option, const char *value, void *field);
	size_t field;
	unsigned most;            /* of a number */
	const char *const *words; /* of a choice; the field becomes the word's index */
};

static const char *const scope_words[] = {"auto", "mmap", "all", NULL};
static const char *const children_words[] = {"all", "totals", NULL};
static const char *const mode_words[] = {"exact", "truth", "standby", NULL};
static const char *const switch_words[] = {"off", "on", NULL};

/* Indexed by number; those that no program may use for this are left out. */
static const char *const signal_names[] = {
	[SIGHUP] = "HUP",       [SIGINT] = "INT",     [SIGQUIT] = "QUIT", [SIGTRAP] = "TRAP",
	[SIGABRT] = "ABRT",     [SIGUSR1] = "USR1",   [SIGUSR2] = "USR2", [SIGPIPE] = "PIPE",
	[SIGALRM] = "ALRM",     [SIGTERM] = "TERM",   [SIGCHLD] = "CHLD", [SIGCONT] = "CONT",
	[SIGSTKFLT] = "STKFLT", [SIGTSTP] = "TSTP",   [SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",
	[SIGURG] = "URG",       [SIGXCPU] = "XCPU",   [SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM",
	[SIGPROF] = "PROF",     [SIGWINCH] = "WINCH", [SIGIO] = "IO",     [SIGPWR] = "PWR",
};
#define SIGNAL_NAMES (sizeof(signal_names) / sizeof(*signal_names))
#define FIRST_FREE_REALTIME 34 /* libc uses those below */
#define SIGNAL_MOST 64

static bool parse_number(const struct option *option, const char *value, void *field)
{
	unsigned long number = 0;
	for (const char *next = value; *next; next++) {
		if (*next < '0' || *next > '9')
			return false;
		number = number * 10 + (unsigned long)(*next - '0');
		if (number > option->most)
			return false;
	}
	*(unsigned *)field = (unsigned)number;
	return true;
}

static bool parse_choice(const struct option *option, const char *value, void *field)
{
	for (unsigned i = 0; option->words[i]; i++) {
		if (strcmp(option->words[i], value) == 0) {
			*(unsigned *)field = i;
			return true;
		}
	}
	return false;
}

static bool signal_usable(unsigned number)
{
	return (number < SIGNAL_NAMES && signal_names[number]) ||
	       (number >= FIRST_FREE_REALTIME && number <= SIGNAL_MOST);
}

static bool parse_signal(const struct option *option, const char *value, void *field)
{
	unsigned number;
	if (strcmp(value, "none") == 0) {
		*(unsigned *)field = 0;
		return true;
	}
	if (parse_number(option, value, &number)) {
		*(unsigned *)field = number;
		return signal_usable(number);
	}
	if (strncmp(value, "SIG", 3) == 0)
		value += 3;
	for (number = 1; number < SIGNAL_NAMES; number++) {
		if (signal_names[number] && strcmp(signal_names[number], value) == 0) {
			*(unsigned *)field = number;
			return true;
		}
	}
	return false;
}

/* Copied, since programs that set their title write over their environment. */
static bool parse_path(const struct option *option, const char *value, void *field)
{
	size_t size = strlen(value) + 1;
	char *copy = NULL;
	(void)option;
	if (size > 1) {
		copy = memory_alloc(size);
		if (!copy)
			return false;
		memcpy(copy, value, size);
	}
	*(const char **)field = copy;
	return true;
}

#define FIELD(name) offsetof(struct options, name)

static const struct option table[] = {
	{"OUTPUT", "", "a path",
	 "file for the report, %p the process id, %h the host; without it: standard error",
	 parse_path, FIELD(output), 0, NULL},
	{"SIGNAL", "SIGUSR1", "a signal that a program may use, or none",
	 "signal that asks for a report now; the program runs on", parse_signal, FIELD(signal),
	 SIGNAL_MOST, NULL},
	{"MODE", "exact", "one of exact, truth, standby",
	 "truth: only what the kernel says, no first writes; standby: so until it is switched",
	 parse_choice, FIELD(mode), 0, mode_words},
	{"MODE_SIGNAL", "none", "a signal that a program may use, or none",
	 "signal that switches to exact, and back to truth (not with MODE=truth)", parse_signal,
	 FIELD(mode_signal), SIGNAL_MOST, NULL},
	{"SCOPE", "auto", "one of auto, mmap, all",
	 "mmap: mappings made by calls; all: every private one; auto: mmap, from a fork on all",
	 parse_choice, FIELD(scope), 0, scope_words},
	{"STACK_DEPTH", "32", "a number from 0 to 128",
	 "frames kept of the stack of each first write; 0: no stacks", parse_number,
	 FIELD(stack_depth), 128, NULL},
	{"PAGE_MAP", "64", "a number from 0 to 1000000",
	 "rows of 64 pages drawn for each mapping; 0: no page maps", parse_number, FIELD(map_rows),
	 1000000, NULL},
	{"RESIDENCY", "off", "one of on, off",
	 "beside page maps, draw which pages are in memory, as mincore(2) says", parse_choice,
	 FIELD(residency), 0, switch_words},
	{"STACKS", "20", "a number from 0 to 1000000",
	 "stacks in the report, those with the most pages first", parse_number,
	 FIELD(report_stacks), 1000000, NULL},
	{"VMA_SHARE", "30", "a number from 0 to 90",
	 "per cent of vm.max_map_count that protecting may use; then userfaultfd takes over",
	 parse_number, FIELD(vma_share), 90, NULL},
	{"NET", "on", "one of on, off",
	 "catch system calls that no wrapper sees, so that the kernel never meets a protected page",
	 parse_choice, FIELD(net), 0, switch_words},
	{"FOLLOW", "on", "one of on, off",
	 "watch forked children, and with OUTPUT the programs that are started, too", parse_choice,
	 FIELD(follow), 0, switch_words},
	{"CHILDREN", "all", "one of all, totals",
	 "with OUTPUT: files of each child, or only sums by command, for thousands of them",
	 parse_choice, FIELD(children), 0, children_words},
	{"COMPARE", "0", "a number from 0 to 1000000",
	 "MiB for keeping pages as they were before their copy, to tell how many bytes changed",
	 parse_number, FIELD(compare), 1000000, NULL},
	{"QUIET", "off", "one of on, off", "do not say on standard error where the report is",
	 parse_choice, FIELD(quiet), 0, switch_words},
};
#define OPTIONS (sizeof(table) / sizeof(*table))

static void *option_field(const struct option *option)
{
	return (char *)&options + option->field;
}

static const char *option_initial(const struct option *option)
{
	return *option->initial ? option->initial : "none";
}

static void complain_value(const struct option *option, const char *value)
{
	char buffer[1024];
	struct text text;
	size_t length = strlen(value);

	text_start(&text, STDERR, buffer, sizeof(buffer));
	text_string(&text, "cowspy: " PREFIX);
	text_string(&text, option->name);
	text_character(&text, '=');
	text_untrusted(&text, value, length < VALUE_SHOWN ? length : VALUE_SHOWN);
	text_string(&text, length > VALUE_SHOWN ? "...: not " : ": not ");
	text_string(&text, option->form);
	text_string(&text, "; using ");
	text_string(&text, option_initial(option));
	text_character(&text, '\n');
	text_flush(&text);
}

static void complain_name(const char *variable, size_t length)
{
	char buffer[1024];
	struct text text;

	text_start(&text, STDERR, buffer, sizeof(buffer));
	text_string(&text, "cowspy: ");
	text_untrusted(&text, variable, length < VALUE_SHOWN ? length : VALUE_SHOWN);
	text_string(&text, ": no such option; there are ");
	for (unsigned i = 0; i < OPTIONS; i++) {
		text_string(&text, i ? ", " PREFIX : PREFIX);
		text_string(&text, table[i].name);
	}
	text_character(&text, '\n');
	text_flush(&text);
}

/* The value in "COWSPY_NAME=value", or NULL when the variable is another. */
static const char *variable_value(const char *variable, const char *name)
{
	size_t length = strlen(name);
	if (strncmp(variable, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	variable += strlen(PREFIX);
	if (strncmp(variable, name, length) != 0 || variable[length] != '=')
		return NULL;
	return variable + length + 1;
}

static void option_read(const struct option *option, char **envp, bool complain)
{
	const char *value = NULL;

	option->parse(option, option->initial, option_field(option));
	for (; *envp && !value; envp++)
		value = variable_value(*envp, option->name);
	if (!value || !*value || option->parse(option, value, option_field(option)))
		return;
	if (complain)
		complain_value(option, value);
	option->parse(option, option->initial, option_field(option));
}

static bool is_known(const char *variable)
{
	for (unsigned i = 0; i < OPTIONS; i++) {
		if (variable_value(variable, table[i].name))
			return true;
	}
	return false;
}

void options_start(char **envp, bool complain)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		option_read(&table[i], envp, complain);
	for (; complain && *envp; envp++) {
		const char *equals = strchr(*envp, '=');
		if (strcmp(*envp, OPTIONS_INHERITED) == 0)
			continue;
		if (strncmp(*envp, PREFIX, strlen(PREFIX)) == 0 && equals && !is_known(*envp))
			complain_name(*envp, (size_t)(equals - *envp));
	}
}

static void print_text(struct text *text, const struct option *option)
{
	text_string(text, "  " PREFIX);
	text_string(text, option->name);
	text_pad(text, 22);
	text_string(text, option_initial(option));
	text_pad(text, 32);
	text_string(text, option->meaning);
	text_character(text, '\n');
	text_string(text, "                                (");
	text_string(text, option->form);
	text_string(text, ")\n");
}

static void print_markdown(struct text *text, const struct option *option)
{
	text_string(text, "| `" PREFIX);
	text_string(text, option->name);
	text_string(text, "` | ");
	text_string(text, option_initial(option));
	text_string(text, " | ");
	text_string(text, option->form);
	text_string(text, " | ");
	text_string(text, option->meaning);
	text_string(text, " |\n");
}

void options_print(int fd, enum options_form form)
{
	char buffer[1024];
	struct text text;

	text_start(&text, fd, buffer, sizeof(buffer));
	if (form == OPTIONS_MARKDOWN)
		text_string(&text, "| variable | default | value | meaning |\n|---|---|---|---|\n");
	for (unsigned i = 0; i < OPTIONS; i++) {
		if (form == OPTIONS_MARKDOWN)
			print_markdown(&text, &table[i]);
		else
			print_text(&text, &table[i]);
	}
	text_flush(&text);
}
