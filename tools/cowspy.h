/* What all verbs of the command share. Single-threaded; messages go to standard error. */
#ifndef COWSPY_TOOLS_COWSPY_H
#define COWSPY_TOOLS_COWSPY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses, documented in cowspy(1). */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_PROCESS = 3,   /* no such process, it ended, or it may not be looked at */
	STATUS_RECORDING = 3, /* likewise of a recording */
	STATUS_DAMAGED = 4,   /* a recording is damaged; what is intact was shown */
};

int verb_pages(int argc, char **argv);
int verb_compare(int argc, char **argv);
int verb_snapshot(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_export(int argc, char **argv);
int verb_html(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_top(int argc, char **argv);

/*
 * "cowspy VERB: message" on standard error, without VERB when it is NULL. What is in the message may
 * come from anywhere: control characters of it are shown as \xNN.
 */
__attribute__((format(printf, 2, 3))) void complain(const char *verb, const char *format, ...);

/* Where it says so from now on; returns where it did before. */
FILE *complain_to(FILE *stream);

/* The same with a hint at --help; returns STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *verb, const char *format, ...);

/* For what getopt did not take: which it was. Returns STATUS_USAGE. */
int wrong_option(const char *verb, char **argv);

/* Decimal arguments. False when text is no such number. */
bool parse_pid(const char *text, pid_t *pid);
bool parse_seconds(const char *text, double *seconds);

/* STATUS_OK, or STATUS_USAGE with a message. */
int parse_number(const char *verb, const char *text, uint64_t *count);

#endif
