/*
 * The report as text.
 *
 * report_write may be called from a signal handler and at exit, in any thread that holds none of
 * our locks; it takes none but copies the registry region by region, and the program runs on
 * meanwhile. Needs about 24 KiB of stack.
 */
#ifndef COWSPY_REPORT_REPORT_H
#define COWSPY_REPORT_REPORT_H

/* Why the report is written: its heading says so. */
enum report_reason { REPORT_SNAPSHOT, REPORT_EXIT, REPORT_EXEC };

/* Times in reports count from now: at start, and in forked children. */
void report_start(void);

/*
 * To fd, and to the trace if there is one; with fd -1 to the trace only. Returns 0, or -errno of
 * the first write that failed.
 */
int report_write(int fd, enum report_reason reason);

#endif
