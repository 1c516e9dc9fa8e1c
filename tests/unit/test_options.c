/* sources: preload/base/options.c preload/base/text.c preload/base/memory.c preload/base/sys.c */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/options.h"

static char said[8192];

/* Runs with standard error in a pipe; what was written there is in said[]. */
static void start_with(char **environment)
{
	int pipe_ends[2], saved = dup(2);
	ssize_t length;

	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(write(pipe_ends[1], "#", 1), 1);
	dup2(pipe_ends[1], 2);
	options_start(environment, true);
	dup2(saved, 2);
	close(saved);
	close(pipe_ends[1]);
	length = read(pipe_ends[0], said, sizeof(said) - 1);
	close(pipe_ends[0]);
	said[length] = 0;
	memmove(said, said + 1, (size_t)length);
}

static void start_with_one(const char *variable)
{
	char *environment[] = {"PATH=/bin", (char *)(uintptr_t)variable, NULL};
	start_with(environment);
}

static void assert_defaults(void)
{
	assert_null(options.output);
	assert_int_equal(options.signal, SIGUSR1);
	assert_int_equal(options.scope, SCOPE_AUTO);
	assert_int_equal(options.stack_depth, 32);
	assert_int_equal(options.map_rows, 64);
	assert_int_equal(options.report_stacks, 20);
	assert_int_equal(options.net, 1);
}

static void an_environment_without_ours_gives_the_defaults(void **state)
{
	char *environment[] = {"PATH=/bin", "COWSPYX=1", "XCOWSPY_NET=off", NULL};
	(void)state;
	start_with(environment);
	assert_defaults();
	assert_string_equal(said, "");
}

static void every_option_is_read(void **state)
{
	char output[] = "COWSPY_OUTPUT=/tmp/cow.%p";
	char *environment[] = {output,
			       "COWSPY_SIGNAL=SIGUSR2",
			       "COWSPY_SCOPE=all",
			       "COWSPY_STACK_DEPTH=128",
			       "COWSPY_PAGE_MAP=0",
			       "COWSPY_RESIDENCY=on",
			       "COWSPY_STACKS=7",
			       "COWSPY_NET=off",
			       "COWSPY_FOLLOW=off",
			       "COWSPY_CHILDREN=totals",
			       "COWSPY_COMPARE=12",
			       "COWSPY_QUIET=on",
			       NULL};
	(void)state;
	start_with(environment);
	memset(output, 'x', sizeof(output) - 1);
	assert_string_equal(options.output, "/tmp/cow.%p");
	assert_int_equal(options.signal, SIGUSR2);
	assert_int_equal(options.scope, SCOPE_ALL);
	assert_int_equal(options.stack_depth, 128);
	assert_int_equal(options.map_rows, 0);
	assert_int_equal(options.residency, 1);
	assert_int_equal(options.report_stacks, 7);
	assert_int_equal(options.net, 0);
	assert_int_equal(options.follow, 0);
	assert_int_equal(options.children, CHILDREN_TOTALS);
	assert_int_equal(options.compare, 12);
	assert_int_equal(options.quiet, 1);
	assert_string_equal(said, "");
}

static void a_signal_has_a_name_or_a_number(void **state)
{
	(void)state;
	start_with_one("COWSPY_SIGNAL=USR2");
	assert_int_equal(options.signal, SIGUSR2);
	start_with_one("COWSPY_SIGNAL=PROF");
	assert_int_equal(options.signal, SIGPROF);
	start_with_one("COWSPY_SIGNAL=40");
	assert_int_equal(options.signal, 40);
	start_with_one("COWSPY_SIGNAL=12");
	assert_int_equal(options.signal, SIGUSR2);
	start_with_one("COWSPY_SIGNAL=none");
	assert_int_equal(options.signal, 0);
	assert_string_equal(said, "");
}

static void assert_refused(const char *variable, const char *message)
{
	start_with_one(variable);
	assert_defaults();
	assert_string_equal(said, message);
}

static void a_bad_value_is_one_line_and_the_default(void **state)
{
	(void)state;
	assert_refused("COWSPY_SCOPE=foo",
		       "cowspy: COWSPY_SCOPE=foo: not one of auto, mmap, all; using auto\n");
	assert_refused("COWSPY_STACK_DEPTH=129",
		       "cowspy: COWSPY_STACK_DEPTH=129: not a number from 0 to 128; using 32\n");
	assert_refused("COWSPY_STACK_DEPTH=-1",
		       "cowspy: COWSPY_STACK_DEPTH=-1: not a number from 0 to 128; using 32\n");
	assert_refused("COWSPY_STACK_DEPTH=99999999999999999999999",
		       "cowspy: COWSPY_STACK_DEPTH=99999999999999999999999: not a number from 0 to "
		       "128; using 32\n");
	assert_refused("COWSPY_NET=maybe",
		       "cowspy: COWSPY_NET=maybe: not one of on, off; using on\n");
}

static void signals_that_cannot_work_are_refused(void **state)
{
	static const char *const values[] = {"KILL", "SIGSTOP", "SEGV", "BUS", "SYS",    "0",
					     "11",   "33",      "65",   "SIG", "SIGFOO", "sig"};
	(void)state;
	for (unsigned i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char variable[64] = "COWSPY_SIGNAL=";
		char message[200] = "cowspy: ";
		strcat(variable, values[i]);
		strcat(message, variable);
		strcat(message, ": not a signal that a program may use, or none; using SIGUSR1\n");
		assert_refused(variable, message);
	}
}

static void an_empty_value_is_the_default(void **state)
{
	char *environment[] = {"COWSPY_OUTPUT=", "COWSPY_SIGNAL=", "COWSPY_NET=", NULL};
	(void)state;
	start_with(environment);
	assert_defaults();
	assert_string_equal(said, "");
}

static void the_first_of_two_values_holds(void **state)
{
	char *environment[] = {"COWSPY_STACKS=1", "COWSPY_STACKS=2", NULL};
	(void)state;
	start_with(environment);
	assert_int_equal(options.report_stacks, 1);
}

static void an_unknown_name_is_one_line(void **state)
{
	(void)state;
	assert_refused(
		"COWSPY_STACKDEPTH=3",
		"cowspy: COWSPY_STACKDEPTH: no such option; there are COWSPY_OUTPUT, "
		"COWSPY_SIGNAL, COWSPY_MODE, COWSPY_MODE_SIGNAL, COWSPY_SCOPE, COWSPY_STACK_DEPTH, COWSPY_PAGE_MAP, "
		"COWSPY_RESIDENCY, COWSPY_STACKS, COWSPY_VMA_SHARE, COWSPY_NET, "
		"COWSPY_FOLLOW, COWSPY_CHILDREN, COWSPY_COMPARE, COWSPY_QUIET\n");
}

static void a_hostile_value_cannot_drive_the_terminal(void **state)
{
	(void)state;
	assert_refused("COWSPY_NET=\033[2J\n",
		       "cowspy: COWSPY_NET=\\x1b[2J\\x0a: not one of on, off; using on\n");
}

static void a_long_value_is_cut(void **state)
{
	static char variable[100000] = "COWSPY_NET=";
	(void)state;
	memset(variable + 11, 'y', sizeof(variable) - 12);
	start_with_one(variable);
	assert_defaults();
	assert_true(strlen(said) < 200);
	assert_non_null(strstr(said, "y...: not one of on, off; using on\n"));
}

static void the_table_names_every_option_once(void **state)
{
	static const enum options_form forms[] = {OPTIONS_TEXT, OPTIONS_MARKDOWN};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int ends[2];
		char table[8192];
		assert_int_equal(pipe(ends), 0);
		options_print(ends[1], forms[i]);
		close(ends[1]);
		ssize_t length = read(ends[0], table, sizeof(table) - 1);
		close(ends[0]);
		assert_true(length > 0);
		table[length] = 0;
		unsigned names = 0;
		for (char *next = table; (next = strstr(next, "COWSPY_")); next++)
			names++;
		assert_int_equal(names, 15);
		assert_non_null(strstr(table, "a number from 0 to 128"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_environment_without_ours_gives_the_defaults),
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(a_signal_has_a_name_or_a_number),
		cmocka_unit_test(a_bad_value_is_one_line_and_the_default),
		cmocka_unit_test(signals_that_cannot_work_are_refused),
		cmocka_unit_test(an_empty_value_is_the_default),
		cmocka_unit_test(the_first_of_two_values_holds),
		cmocka_unit_test(an_unknown_name_is_one_line),
		cmocka_unit_test(a_hostile_value_cannot_drive_the_terminal),
		cmocka_unit_test(a_long_value_is_cut),
		cmocka_unit_test(the_table_names_every_option_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
