/*
 * The next definition of a wrapped function.
 *
 * Looked up at our start, with one thread, so that wrappers may run in signal handlers and in the
 * children of forks; at first use by whoever calls a wrapper before that.
 */
#ifndef COWSPY_INTERPOSE_REAL_H
#define COWSPY_INTERPOSE_REAL_H

#include <dlfcn.h>

struct real {
	const char *name;
	void *function;
};

/* Look all of them up. */
void real_start(void);

static inline void *real_function(struct real *real)
{
	if (!real->function)
		real->function = dlsym(RTLD_NEXT, real->name);
	return real->function;
}

/* Declares `real_name`, of the type of `name`, inside a wrapper. The linker collects the entries. */
#define REAL(name) \
	static struct real real_entry_##name \
		__attribute__((section("reals"), used)) = {#name, NULL}; \
	__typeof__(name) *real_##name = real_function(&real_entry_##name)

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))

#endif
