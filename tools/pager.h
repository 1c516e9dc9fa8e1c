/*
 * Text that goes to a terminal: through the pager of the user's choice, PAGER, or else folded at the
 * terminal's width. Any other output is left as it is.
 */
#ifndef COWSPY_TOOLS_PAGER_H
#define COWSPY_TOOLS_PAGER_H

#include <sys/types.h>

/* From here on standard output is the input of the pager or of what folds. 0 when there is neither. */
pid_t pager_start(void);

/* As pager_start, for text that comes bit by bit: no pager. */
pid_t pager_start_folding(void);

/* Give standard output its end and wait until the user is done. */
void pager_end(pid_t pager);

#endif
