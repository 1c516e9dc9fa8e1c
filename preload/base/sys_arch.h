/* Chooses the file with this architecture's `syscall` instruction. */
#ifndef COWSPY_BASE_SYS_ARCH_H
#define COWSPY_BASE_SYS_ARCH_H

#if defined(__x86_64__)
#include "sys_x86_64.h"
#else
#error "cowspy runs on x86-64"
#endif

#endif
