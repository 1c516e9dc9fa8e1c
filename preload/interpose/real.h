/*
 * The next definition of a wrapped function.
 *
 * Resolved at first use, so that a wrapper works before our start-up has run.
 */
#ifndef COWSPY_INTERPOSE_REAL_H
#define COWSPY_INTERPOSE_REAL_H

#include <dlfcn.h>

/* Declares and yields `real_name`, of the type of `name`, inside a wrapper. */
#define REAL(name)                                                                                \
	static __typeof__(name) *real_##name;                                                     \
	if (!real_##name)                                                                         \
	*(void **)&real_##name = dlsym(RTLD_NEXT, #name)

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))

#endif
