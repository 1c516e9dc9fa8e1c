/* Chooses the file that reads this architecture's signal context. */
#ifndef COWSPY_TRACK_CONTEXT_ARCH_H
#define COWSPY_TRACK_CONTEXT_ARCH_H

#if defined(__x86_64__)
#include "context_x86_64.h"
#else
#error "cowspy runs on x86-64"
#endif

#endif
