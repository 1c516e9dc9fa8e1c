/* The system calls of the architecture we are built for; included by syscall_table.c alone. */
#if defined(__x86_64__)
#include "syscall_table_x86_64.h"
#else
#error "no system call table for this architecture"
#endif
