/*
 * Where reports go: standard error, or a file for each process by COWSPY_OUTPUT.
 *
 * output_report may be called from a handler; everything else outside of handlers, too. A report
 * file is created with O_EXCL and O_NOFOLLOW, mode 0600, and never overwrites another.
 */
#ifndef COWSPY_REPORT_OUTPUT_H
#define COWSPY_REPORT_OUTPUT_H

#include <stdbool.h>

#include "report.h"

/* `quiet`: a program that was started by one that we watch says nothing on standard error. */
void output_start(bool quiet);

/* Write a report to where this process's reports go. One at a time; another that comes meanwhile
 * is left out. */
void output_report(enum report_reason reason);

/* In a forked child: a file of its own, when it has something to say. */
void output_child(void);

/* The program is about to end and to close its standard error: keep a way to it. */
void output_program_ends(void);
void output_before_close(int fd);

#endif
