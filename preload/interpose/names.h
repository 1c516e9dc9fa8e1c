/* Names that the program gives to its memory by prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME). */
#ifndef COWSPY_INTERPOSE_NAMES_H
#define COWSPY_INTERPOSE_NAMES_H

/*
 * After the call, whatever the kernel made of it: many are built without these names and refuse the
 * call, but the program has said how it calls its memory.
 */
void names_observe(const long args[6]);

#endif
