/*
 * The fast door: wrappers of libc functions that make a system call.
 *
 * While a page is protected, every system call outside of our text becomes a signal (net.h), which
 * costs as much as a dozen plain calls. A wrapper issues the call from our own text instead and
 * does what the net would have done. Anything a libc function does beyond its system call has to be
 * done here as well; where that is more than a few lines the function has no wrapper.
 *
 * While nothing is protected a wrapper goes on in the next definition, which is also right about
 * thread cancellation. It does so at all times when that definition is not libc's: another
 * preloaded library wants to see the call, and the net will see libc's.
 *
 * Any thread may call a wrapper at any time, in signal handlers and before our start as well; so the
 * next definitions are looked up at our start, not at the first call. Before that, the call is
 * issued as it is.
 */
#ifndef COWSPY_INTERPOSE_DOOR_H
#define COWSPY_INTERPOSE_DOOR_H

#include <stdbool.h>

#include "calls.h"
#include "real.h"
#include "track/regions.h"

struct door {
	const char *name;
	void *real;
	bool foreign;           /* the next definition is not libc's */
} __attribute__((aligned(32))); /* the size as well: they form an array */

/* Whether the next definition has to be called: never for our unwinder's calls (probe.h). */
static inline bool door_shut(const struct door *door)
{
	return door->real && (!region_selector || door->foreign) && !call_is_ours();
}

/*
 * Begins a wrapper, with the arguments that the next definition gets. The linker collects the
 * doors.
 */
#define DOOR(function, ...) \
	static struct door door __attribute__((section("doors"), used)) = {.name = #function}; \
	if (door_shut(&door)) \
	return DOOR_REAL(function)(__VA_ARGS__)

/* The next definition, inside of a wrapper. */
#define DOOR_REAL(function) ((__typeof__(&(function)))door.real)

/* Look up the next definitions. First of all in our start, with one thread. */
void door_start(void);

/* After scope_start: which of them are libc's own. */
void door_judge(void);

#define ARGS(...) ((const long[6]){__VA_ARGS__})

#endif
