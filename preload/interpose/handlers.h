/*
 * Our signal handlers as the kernel knows them. They run on our alternate stack with all signals
 * blocked but SIGSEGV and SIGSYS, leave errno alone, and return through sys_restorer.
 */
#ifndef COWSPY_INTERPOSE_HANDLERS_H
#define COWSPY_INTERPOSE_HANDLERS_H

#include <signal.h>

void handlers_fault(int signal, siginfo_t *info, void *context);
void handlers_dispatch(int signal, siginfo_t *info, void *context);
void handlers_snapshot(int signal, siginfo_t *info, void *context);

void handlers_mode(int signal, siginfo_t *info, void *context);

/* A signal that we caught only to pass it on. */
void handlers_forward(int signal, siginfo_t *info, void *context);

#endif
