/*
 * A running process seen through /proc: its private mappings and what smaps says of them.
 *
 * The folder /proc/PID is kept open, so a process id that is used again is never mistaken for the
 * process that was asked for. Functions return 0 or -errno; -ESRCH: the process is gone.
 */
#ifndef COWSPY_TOOLS_PROCESS_H
#define COWSPY_TOOLS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "observe/pagemap.h"

/* Values of smaps in bytes, of one mapping or summed. */
struct smaps {
	uint64_t rss, private_clean, private_dirty, anonymous, anonymous_huge, swap, locked;
};

struct mapping {
	uintptr_t start, end;
	bool readable, writable, executable;
	uint64_t offset, inode;
	unsigned device_major, device_minor;
	char *path;   /* "" for anonymous memory */
	bool clipped; /* by the range asked for: smaps counts more than [start, end) */
	bool raw;     /* raw frames, not pages: nothing to be seen */
	bool changed; /* remapped while it was read */
	struct smaps smaps;
};

struct process {
	pid_t pid;
	int folder;
	char name[64];
	bool exited; /* it ended while it was read */
	struct mapping *mappings;
	size_t count;
};

/* Without a file; the vdso has none but consists of the kernel's own pages. */
bool mapping_is_anonymous(const struct mapping *mapping);

int process_open(struct process *process, pid_t pid);
void process_close(struct process *process);

/* Read (again) the private mappings that overlap [from, to). */
int process_read_mappings(struct process *process, uintptr_t from, uintptr_t to);

/* Look again which mappings are still the same; sets `changed` and `exited`. */
void process_check(struct process *process);

int process_open_pagemap(const struct process *process, struct pagemap *pagemap);

/* A file of the process's folder for reading; NULL with errno. */
FILE *process_file(const struct process *process, const char *name);

/* The value of a field of /proc/PID/status, e.g. "SigCgt"; false when there is none. */
bool process_status(const struct process *process, const char *field, char *value, size_t size);

/* True when the process has ended, a zombie included. */
bool process_ended(const struct process *process);

/* One line on standard error that says why a process cannot be read, with what would help. */
void process_complain(const char *verb, pid_t pid, int error);

#endif
