/* Long text through the pager of the user's choice, PAGER, when it goes to a terminal. */
#ifndef COWSPY_TOOLS_PAGER_H
#define COWSPY_TOOLS_PAGER_H

#include <sys/types.h>

/* From here on standard output is the pager's input. 0 when there is none. */
pid_t pager_start(void);

/* Give standard output its end and wait until the user is done. */
void pager_end(pid_t pager);

#endif
