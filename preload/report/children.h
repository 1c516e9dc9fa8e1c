/*
 * With COWSPY_CHILDREN=totals: sums of children by their command, in one small file of all of them.
 *
 * Called when a process ends or executes another program, under the rules of reports.
 */
#ifndef COWSPY_REPORT_CHILDREN_H
#define COWSPY_REPORT_CHILDREN_H

#include "report/report.h"

/* In the first process: make the file, or find it made by an earlier run. */
void children_start(void);

/* Add this process to the sums of its command. */
void children_add(enum report_reason reason);

/*
 * Before a call after which this process, or a child of it, may not be allowed to open the file: open
 * it now. Any thread.
 */
void children_keep(void);

/* That descriptor, or -1: the program must neither close nor replace it. */
int children_descriptor(void);

/* The program wants its number: go on with another. */
void children_descriptor_leave(void);

#endif
