/*
 * Lines for the user on standard error: only on the one that the program was started with, never on
 * a file that took its number since. Any thread and handler; no locks.
 */
#ifndef COWSPY_BASE_NOTICE_H
#define COWSPY_BASE_NOTICE_H

#include <stdbool.h>

/* Remember which standard error it is; with `quiet`, notice_say says nothing. */
void notice_start(bool quiet);

/* Whether fd is that standard error. */
bool notice_is_stderr(int fd);

/* "cowspy: BEFORE name AFTER"; the name may be anything. AFTER ends the line. */
void notice_say(const char *before, const char *name, const char *after);

#endif
