/* cowspy doctor: what cowspy can do on this machine, and with a program. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cowspy.h"
#include "doctor.h"
#include "output.h"
#include "pager.h"

static const char help[] =
	"usage: cowspy doctor [OPTION]... [PROGRAM]\n"
	"\n"
	"Says whether cowspy works on this machine, and with a program: the kernel's\n"
	"features and limits, the library, whether it can be preloaded, symbols; and\n"
	"what will not be seen.\n"
	"\n"
	"  -j, --json            one JSON object\n"
	"  -h, --help            this text\n"
	"\n"
	"The exit status is 1 when something keeps cowspy from working.\n"
	"\n"
	"example: cowspy doctor redis-server\n";

const char *const finding_state_names[FINDING_STATES] = {"good", "less", "bad"};

static const char *const never_seen[] = {
	"before the first fork only what the program and its libraries map: --scope all for the rest",
	"stacks, hugetlbfs, device memory and the .data of libc are counted, never attributed",
	"pages that io_uring requests name, ranges of userfaultfd and of KVM guests: counted only",
};

void finding_add(struct findings *findings, enum finding_state state, const char *name,
		 const char *advice, const char *format, ...)
{
	struct finding *finding = &findings->list[findings->count];
	va_list list;

	if (findings->count == FINDINGS_MOST)
		return;
	*finding = (struct finding){.state = state, .name = name};
	finding->advice = state == FINDING_GOOD ? NULL : advice;
	va_start(list, format);
	if (vasprintf(&finding->text, format, list) < 0)
		finding->text = NULL;
	va_end(list);
	findings->count++;
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->list[i].text);
}

static size_t findings_of(const struct findings *findings, enum finding_state state)
{
	size_t count = 0;
	for (size_t i = 0; i < findings->count; i++)
		count += findings->list[i].state == state;
	return count;
}

/* ---- text ---- */

static void print_answer(const struct findings *findings, const char *program, struct text *text)
{
	size_t bad = findings_of(findings, FINDING_BAD), less = findings_of(findings, FINDING_LESS);

	text_string(text, bad ? "cowspy does not work here" : "cowspy works here");
	if (program) {
		text_string(text, " with ");
		output_string(text, program);
	}
	if (bad || less) {
		text_string(text, bad ? ": " : ", and could show more: ");
		text_decimal(text, bad ? bad : less);
		text_string(text, (bad ? bad : less) == 1 ? " finding" : " findings");
	}
	text_string(text, "\n\n");
}

static void print_finding(const struct finding *finding, struct text *text)
{
	text_string(text, "  ");
	text_string(text, finding_state_names[finding->state]);
	text_pad(text, 8);
	text_string(text, finding->name);
	text_pad(text, 32);
	output_string(text, finding->text ? finding->text : "?");
	text_character(text, '\n');
	if (!finding->advice)
		return;
	text_pad(text, 32);
	text_string(text, "-> ");
	text_string(text, finding->advice);
	text_character(text, '\n');
}

static int print_text(const struct findings *findings, const char *program, int status)
{
	pid_t pager = pager_start();
	struct text text;

	output_start(&text);
	print_answer(findings, program, &text);
	for (size_t i = 0; i < findings->count; i++)
		print_finding(&findings->list[i], &text);
	text_string(&text, "\nnot seen in any case\n");
	for (size_t i = 0; i < sizeof(never_seen) / sizeof(never_seen[0]); i++) {
		text_string(&text, "  ");
		text_string(&text, never_seen[i]);
		text_character(&text, '\n');
	}
	status = output_finish(&text, "doctor", status);
	pager_end(pager);
	return status;
}

/* ---- JSON ---- */

static int print_json(const struct findings *findings, const char *program, int status)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	int written;

	json_add_bool(object, "works", status == STATUS_OK);
	if (program)
		json_add_string(object, "program", program);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		struct json_object *one = json_object_new_object();
		json_add_string(one, "state", finding_state_names[finding->state]);
		json_add_string(one, "name", finding->name);
		json_add_string(one, "text", finding->text ? finding->text : "?");
		if (finding->advice)
			json_add_string(one, "advice", finding->advice);
		json_object_array_add(array, one);
	}
	json_object_object_add(object, "findings", array);
	written = output_json(object, "doctor");
	return written == STATUS_OK ? status : written;
}

int verb_doctor(int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct findings findings = {.count = 0};
	bool json = false;
	const char *program;
	int option, status;

	while ((option = getopt_long(argc, argv, "+jh", longs, NULL)) >= 0) {
		if (option == 'h') {
			fputs(help, stdout);
			return STATUS_OK;
		}
		if (option != 'j')
			return wrong_option("doctor", argv);
		json = true;
	}
	if (argc - optind > 1)
		return usage_error("doctor", "more than one program");
	program = argv[optind];
	doctor_machine(&findings);
	doctor_library(&findings);
	if (program)
		doctor_program(&findings, program);
	status = findings_of(&findings, FINDING_BAD) ? STATUS_FAILED : STATUS_OK;
	status = json ? print_json(&findings, program, status)
		      : print_text(&findings, program, status);
	findings_free(&findings);
	return status;
}
