/*
 * The names of this process's files: its report by the pattern COWSPY_OUTPUT, its trace beside it
 * with ".trace" behind. One decision serves both.
 *
 * One caller at a time; the fault handler may call. Files are created with O_EXCL and O_NOFOLLOW,
 * mode 0600, and never overwrite another.
 */
#ifndef COWSPY_RECORD_NAMES_H
#define COWSPY_RECORD_NAMES_H

/* Remember what a relative pattern is relative to. */
void names_start(void);

/* In a forked child: names of its own. */
void names_child(void);

/* Create the trace, and settle both names. A descriptor to read and write, or -errno. */
int names_create_trace(void);

/* The report, to append to; created at the first call. A descriptor or -errno. */
int names_open_report(void);

/* Once settled; else empty. */
const char *names_report(void);
const char *names_trace(void);

/* Where the names of generated code are kept, beside the trace; NULL: nowhere. */
const char *names_perf_map(void);

/* The file for the sums of children, one for all: the pattern with "children" as process id. */
const char *names_children(void);

#endif
