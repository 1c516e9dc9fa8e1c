/*
 * libc's functions that make processes and threads of their own accord. libc makes the system calls
 * itself, and blocks all signals around them: the net has to be on before that (net.h).
 */
#include <aio.h>
#include <mqueue.h>
#include <netdb.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "real.h"

EXPORT int posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	REAL(posix_spawn);
	net_watch_begin();
	int error = real_posix_spawn(child, path, actions, attributes, argv, envp);
	net_watch_end();
	return error;
}

EXPORT int posix_spawnp(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	REAL(posix_spawnp);
	net_watch_begin();
	int error = real_posix_spawnp(child, file, actions, attributes, argv, envp);
	net_watch_end();
	return error;
}

/* A cancellation point, so the watch may never end: it only costs time. */
EXPORT int system(const char *command)
{
	REAL(system);
	net_watch_begin();
	int status = real_system(command);
	net_watch_end();
	return status;
}

EXPORT FILE *popen(const char *command, const char *mode)
{
	REAL(popen);
	net_watch_begin();
	FILE *stream = real_popen(command, mode);
	net_watch_end();
	return stream;
}

EXPORT pid_t _Fork(void)
{
	REAL(_Fork);
	net_watch_begin();
	pid_t child = real__Fork();
	net_watch_end();
	return child;
}

/* The child may share our memory and go on for ever. */
EXPORT int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	REAL(clone);
	va_list rest;
	va_start(rest, argument);
	pid_t *parent_tid = va_arg(rest, pid_t *);
	void *thread_block = va_arg(rest, void *);
	pid_t *child_tid = va_arg(rest, pid_t *);
	va_end(rest);
	net_keep();
	return real_clone(function, stack, flags, argument, parent_tid, thread_block, child_tid);
}

/* Its frame may not be ours: see wrap_vfork in base/sys_x86_64.S. */
void *wrap_vfork_prepare(void);
void *wrap_vfork_prepare(void)
{
	REAL(vfork);
	net_keep();
	return (void *)real_vfork;
}

/* --- threads of libc's own --- */

EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	REAL(timer_create);
	if (event && event->sigev_notify == SIGEV_THREAD)
		net_keep();
	return real_timer_create(clock, event, timer);
}

EXPORT int mq_notify(mqd_t queue, const struct sigevent *event)
{
	REAL(mq_notify);
	if (event && event->sigev_notify == SIGEV_THREAD)
		net_keep();
	return real_mq_notify(queue, event);
}

EXPORT int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event)
{
	REAL(getaddrinfo_a);
	net_keep();
	return real_getaddrinfo_a(mode, list, count, event);
}

EXPORT int aio_read(struct aiocb *block)
{
	REAL(aio_read);
	net_keep();
	return real_aio_read(block);
}

EXPORT int aio_write(struct aiocb *block)
{
	REAL(aio_write);
	net_keep();
	return real_aio_write(block);
}

EXPORT int aio_fsync(int operation, struct aiocb *block)
{
	REAL(aio_fsync);
	net_keep();
	return real_aio_fsync(operation, block);
}

EXPORT int lio_listio(int mode, struct aiocb *const list[], int count, struct sigevent *event)
{
	REAL(lio_listio);
	net_keep();
	return real_lio_listio(mode, list, count, event);
}

EXPORT int aio_read64(struct aiocb64 *block)
{
	REAL(aio_read64);
	net_keep();
	return real_aio_read64(block);
}

EXPORT int aio_write64(struct aiocb64 *block)
{
	REAL(aio_write64);
	net_keep();
	return real_aio_write64(block);
}

EXPORT int aio_fsync64(int operation, struct aiocb64 *block)
{
	REAL(aio_fsync64);
	net_keep();
	return real_aio_fsync64(operation, block);
}

EXPORT int lio_listio64(int mode, struct aiocb64 *const list[], int count, struct sigevent *event)
{
	REAL(lio_listio64);
	net_keep();
	return real_lio_listio64(mode, list, count, event);
}
