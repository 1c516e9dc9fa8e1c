/* The kernel and its limits, as they are for processes that we start. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"
#include "observe/pagemap.h"

#define USUAL_MAP_COUNT 65530
#define UNPOPULATED (1 << 13) /* UFFD_FEATURE_WP_UNPOPULATED, newer than some headers */

static void look_at_kernel(struct findings *findings)
{
	unsigned major = 0, minor = 0;
	struct utsname system;

	uname(&system);
	sscanf(system.release, "%u.%u", &major, &minor);
	finding_add(findings, major > 5 || (major == 5 && minor >= 11) ? FINDING_GOOD : FINDING_BAD,
		    "kernel", "Linux 5.11 or later is needed", "Linux %s, %s", system.release,
		    system.machine);
}

/* Switching it off where it is off changes nothing, and fails where the kernel does not know it. */
static void look_at_dispatch(struct findings *findings)
{
	bool there = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0;

	finding_add(findings, there ? FINDING_GOOD : FINDING_BAD, "system call dispatch",
		    "use a kernel with Syscall User Dispatch (5.11); without it no first write is "
		    "recorded, only the kernel's word on pages",
		    there ? "system calls into protected pages are caught" : "not there: %s",
		    strerror(errno));
}

static void look_at_pagemap(struct findings *findings)
{
	struct pagemap pagemap;
	int error = pagemap_open(&pagemap, "/proc/self/pagemap");

	if (error) {
		finding_add(findings, FINDING_BAD, "pagemap", "mount /proc, with its pagemap files",
			    "/proc/self/pagemap: %s", strerror(-error));
		return;
	}
	finding_add(findings, pagemap.scan ? FINDING_GOOD : FINDING_LESS, "pagemap",
		    "with Linux 6.7 or later zero pages are told from pages shared since a fork",
		    pagemap.scan ? "PAGEMAP_SCAN tells zero pages and huge pages"
				 : "without PAGEMAP_SCAN: zero pages are inferred");
	pagemap_close(&pagemap);
}

static void look_at_userfaultfd(struct findings *findings)
{
	static const char advice[] =
		"with userfaultfd of Linux 6.4 memory that is written in very many places stays "
		"protected page by page";
	struct uffdio_api api = {.api = UFFD_API};
	int fd = (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0)
		finding_add(findings, FINDING_LESS, "userfaultfd", advice, "not allowed: %s",
			    strerror(errno));
	else
		finding_add(findings, api.features & UNPOPULATED ? FINDING_GOOD : FINDING_LESS,
			    "userfaultfd", advice,
			    api.features & UNPOPULATED ? "protects pages, untouched ones too"
						       : "cannot protect untouched pages");
	if (fd >= 0)
		close(fd);
}

/* A number in a file of /proc/sys; -1: it cannot be read. */
static long setting(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = -1;
	if (file && fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);
	return value;
}

static void look_at_settings(struct findings *findings)
{
	long maps = setting("/proc/sys/vm/max_map_count");
	long overcommit = setting("/proc/sys/vm/overcommit_memory");

	finding_add(findings, maps >= USUAL_MAP_COUNT || maps < 0 ? FINDING_GOOD : FINDING_LESS,
		    "vm.max_map_count",
		    "more lets more pages be protected one by one: sysctl vm.max_map_count=65530",
		    "%ld mappings a process; cowspy takes 30 %% of them, or COWSPY_VMA_SHARE",
		    maps);
	finding_add(findings, overcommit == 2 ? FINDING_LESS : FINDING_GOOD, "vm.overcommit_memory",
		    "the library's own memory, some MiB a process, counts towards the limit",
		    overcommit == 2 ? "%ld: memory is accounted strictly" : "%ld", overcommit);
}

static void look_at_limit(struct findings *findings, int resource, const char *name,
			  const char *advice)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	getrlimit(resource, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		finding_add(findings, FINDING_GOOD, name, NULL, "unlimited");
	else
		finding_add(findings, advice ? FINDING_LESS : FINDING_GOOD, name, advice, "%ju KiB",
			    (uintmax_t)limit.rlim_cur / 1024);
}

static void look_at_unwinder(struct findings *findings)
{
	void *library = dlopen("libunwind.so.8", RTLD_LAZY | RTLD_LOCAL);

	finding_add(findings, library ? FINDING_GOOD : FINDING_LESS, "libunwind",
		    "install it (Debian: libunwind8): without it first writes have no stacks",
		    library ? "found" : "not found");
	if (library)
		dlclose(library);
}

void doctor_machine(struct findings *findings)
{
	look_at_kernel(findings);
	look_at_dispatch(findings);
	look_at_pagemap(findings);
	look_at_userfaultfd(findings);
	look_at_settings(findings);
	look_at_limit(findings, RLIMIT_MEMLOCK, "limit of locked memory", NULL);
	look_at_limit(findings, RLIMIT_FSIZE, "limit of file sizes",
		      "a trace that reaches it ends there: ulimit -f unlimited");
	look_at_unwinder(findings);
}
