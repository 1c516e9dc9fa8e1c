/*
 * What `cowspy doctor` looks at: this machine, and a program. Single-threaded. Strings of files are
 * untrusted.
 */
#ifndef COWSPY_TOOLS_DOCTOR_H
#define COWSPY_TOOLS_DOCTOR_H

#include <stddef.h>

enum finding_state {
	FINDING_GOOD,
	FINDING_LESS, /* cowspy works, and shows less */
	FINDING_BAD,  /* cowspy does not work */
	FINDING_STATES,
};

extern const char *const finding_state_names[FINDING_STATES];

struct finding {
	enum finding_state state;
	const char *name;
	char *text;         /* NULL without memory */
	const char *advice; /* NULL: none is needed */
};

#define FINDINGS_MOST 32

struct findings {
	struct finding list[FINDINGS_MOST];
	size_t count;
};

/* The advice is kept only when something is wrong. */
__attribute__((format(printf, 5, 6))) void finding_add(struct findings *findings,
						       enum finding_state state, const char *name,
						       const char *advice, const char *format, ...);
void findings_free(struct findings *findings);

/* ---- doctor_machine.c ---- */
void doctor_machine(struct findings *findings);

/* ---- doctor_program.c ---- */
void doctor_library(struct findings *findings);
void doctor_program(struct findings *findings, const char *word);

#endif
