/* Start and stop. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/options.h"
#include "interpose/calls.h"
#include "interpose/door.h"
#include "interpose/net.h"
#include "interpose/process.h"
#include "interpose/real.h"
#include "interpose/scope.h"
#include "interpose/signals.h"
#include "observe/stacks.h"
#include "report/layout.h"
#include "report/output.h"
#include "track/guard.h"
#include "track/lock.h"
#include "track/mappings.h"
#include "track/mode.h"
#include "track/threads.h"

/*
 * Programs that this one starts inherit the library. This variable tells them that they are not the
 * one that the user started: unless an output pattern asks for their reports too, they run as if we
 * were not there, and they never say anything on the standard error.
 */
static char inherited_mark[] = OPTIONS_INHERITED; /* writable: bash edits its environment */

/* The program's environment with our mark, in our own memory. True when the mark was there. */
static bool mark_environment(void)
{
	size_t count = 0;
	for (; environ[count]; count++)
		if (!strcmp(environ[count], inherited_mark))
			return true;
	char **marked = memory_alloc((count + 2) * sizeof(*marked));
	if (!marked)
		return false;
	memcpy(marked, environ, count * sizeof(*marked));
	marked[count] = inherited_mark;
	environ = marked;
	return false;
}

/*
 * libc's own, whatever the program or another library defines by that name: the fault handler calls
 * it, with the lock held.
 */
static void find_clock(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	if (libc)
		*(void **)&sys_clock = dlsym(libc, "clock_gettime");
}

static void adopt_now(void)
{
	sigmask_t mask;
	net_keep();
	lock_write_masked(&mask);
	scope_adopt_all();
	lock_write_end_masked(&mask);
}

static void watch(void)
{
	door_start();
	real_start();
	/* Somebody else's rights: do nothing that the environment asks for. */
	if (getauxval(AT_SECURE))
		return;
	bool inherited = mark_environment();
	options_start(environ, !inherited);
	if (inherited && !(options.output && options.follow))
		return;
	find_clock();
	report_start();
	layout_start(&(struct layout_exclusions){scope_never, scope_next_never});
	process_start();
	struct thread *self = thread_begin(NULL);
	if (!self)
		return;
	self->inside++; /* what libunwind maps now is ours */
	output_start(inherited);
	stacks_start(options.stack_depth);
	scope_start();
	door_judge();
	guard_start();
	bool net = options.net && options.mode != MODE_TRUTH && net_start();
	signals_start((int)options.signal, net ? (int)options.mode_signal : 0, net);
	if (!net && options.mode != MODE_TRUTH)
		mappings_give_up_all(REGION_NO_NET);
	mode_start(options.mode == MODE_EXACT, net);
	if (net && options.mode == MODE_STANDBY)
		net_keep();
	if (scope_makes_rings())
		net_keep();
	if (options.scope == SCOPE_ALL)
		adopt_now();
	self->inside--;
	calls_started = true;
}

/* A program finds errno 0 when it starts. */
__attribute__((constructor(101))) static void start(void)
{
	int saved = errno;
	watch();
	errno = saved;
}

/* With the net on, exit_group comes last of all and reports. */
__attribute__((destructor(101))) static void stop(void)
{
	if (!net_active() || !region_selector)
		process_end(REPORT_EXIT);
}
