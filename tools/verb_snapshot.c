/* cowspy snapshot: ask a process that runs with libcowspy.so for its report. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cowspy.h"
#include "process.h"
#include "report_file.h"

#define DEFAULT_TIMEOUT 10.0

static const char help[] =
	"usage: cowspy snapshot [OPTION]... PID\n"
	"\n"
	"Asks a process that was started with LD_PRELOAD=libcowspy.so for a report of\n"
	"this moment and prints it. The process must have been started with\n"
	"COWSPY_OUTPUT; else its report appears on its own standard error, and this\n"
	"command says where that is.\n"
	"\n"
	"  -t, --timeout SECONDS   how long to wait for the report (10)\n"
	"  -h, --help              this text\n"
	"\n"
	"No signal is sent to a process that does not run the library or does not catch\n"
	"it.\n"
	"\n"
	"example: cowspy snapshot 4250\n";

/*
 * Programs that show a title of their own write it over their environment. The trace that the
 * library keeps mapped lies beside the report, and is named after it. NULL when there is none.
 */
static char *pattern_of_trace(const struct process *process)
{
	static const char suffix[] = ".trace\n";
	FILE *file = process_file(process, "maps");
	char *line = NULL, *pattern = NULL;
	size_t room = 0;
	ssize_t length;

	while (file && !pattern && (length = getline(&line, &room, file)) > 0) {
		char *path = strchr(line, '/');
		if (!path || !strstr(line, " rw-s ") || length < (ssize_t)sizeof(suffix) ||
		    strcmp(line + length - (sizeof(suffix) - 1), suffix) != 0)
			continue;
		line[length - (ssize_t)(sizeof(suffix) - 1)] = '\0';
		pattern = strdup(path);
	}
	free(line);
	if (file)
		fclose(file);
	return pattern;
}

/* A variable of the environment the process was started with; NULL when it has none. */
static char *environment_value(const struct process *process, const char *name)
{
	FILE *file = process_file(process, "environ");
	size_t size = 0, length = strlen(name);
	char *entry = NULL, *value = NULL;

	if (!file)
		return NULL;
	while (!value && getdelim(&entry, &size, '\0', file) > 0)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			value = strdup(entry + length + 1);
	free(entry);
	fclose(file);
	return value;
}

/* The library takes none of these and falls back to its default. */
static bool is_reserved(long signal)
{
	return signal == SIGKILL || signal == SIGSTOP || signal == SIGSEGV || signal == SIGBUS ||
	       signal == SIGILL || signal == SIGFPE || signal == SIGSYS || signal == 32 ||
	       signal == 33;
}

/* As the library reads COWSPY_SIGNAL; 0: none. */
static int snapshot_signal(const char *value)
{
	char *end;
	long number;

	if (!value || !*value)
		return SIGUSR1;
	if (strcmp(value, "none") == 0)
		return 0;
	number = strtol(value, &end, 10);
	if (end != value && !*end)
		return number < 0 || number > 64 || is_reserved(number) ? SIGUSR1 : (int)number;
	if (strncmp(value, "SIG", 3) == 0)
		value += 3;
	for (int i = 1; i < 32; i++)
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), value) == 0 && !is_reserved(i))
			return i;
	return SIGUSR1;
}

static bool has_library(const struct process *process)
{
	for (size_t i = 0; i < process->count; i++) {
		const char *slash = strrchr(process->mappings[i].path, '/');
		if (slash && strncmp(slash, "/libcowspy.so", 13) == 0)
			return true;
	}
	return false;
}

static bool is_in_mask(const struct process *process, const char *field, int signal)
{
	char value[32];
	if (!process_status(process, field, value, sizeof(value)))
		return false;
	return strtoull(value, NULL, 16) >> (signal - 1) & 1;
}

/* May the signal be sent? Otherwise it might end a process that never heard of us. */
static int check(struct process *process, int *signal)
{
	int error = process_read_mappings(process, 0, UINTPTR_MAX);
	char *value;

	if (error) {
		process_complain("snapshot", process->pid, error);
		return STATUS_PROCESS;
	}
	if (!has_library(process)) {
		complain("snapshot",
			 "process %d does not run libcowspy.so; start it with "
			 "LD_PRELOAD=libcowspy.so, or look at it with 'cowspy pages %d'",
			 process->pid, process->pid);
		return STATUS_PROCESS;
	}
	value = environment_value(process, "COWSPY_SIGNAL");
	*signal = snapshot_signal(value);
	free(value);
	if (!*signal) {
		complain("snapshot", "process %d was started with COWSPY_SIGNAL=none",
			 process->pid);
		return STATUS_PROCESS;
	}
	if (!is_in_mask(process, "SigCgt", *signal)) {
		complain("snapshot", "process %d does not catch SIG%s: nothing was sent",
			 process->pid, *signal < 32 ? sigabbrev_np(*signal) : "RT");
		return STATUS_PROCESS;
	}
	return STATUS_OK;
}

static int ask(int process_fd, const struct process *process, int signal)
{
	if (syscall(SYS_pidfd_send_signal, process_fd, signal, NULL, 0) == 0)
		return STATUS_OK;
	if (errno == EPERM)
		complain("snapshot", "process %d may not be signalled: this needs CAP_KILL",
			 process->pid);
	else
		process_complain("snapshot", process->pid, -errno);
	return STATUS_PROCESS;
}

static int print_file(const struct process *process, struct report_file *file, int signal,
		      double timeout)
{
	int error = report_file_wait(file, timeout);
	if (!error)
		error = report_file_print(file);
	if (!error)
		return STATUS_OK;
	if (error == -ESRCH)
		complain("snapshot", "process %d ended before its report was complete",
			 process->pid);
	else if (error == -ETIMEDOUT && is_in_mask(process, "SigBlk", signal))
		complain("snapshot",
			 "no report: process %d blocks the signal and will write to %s once it "
			 "lets it through",
			 process->pid, file->base);
	else if (error == -ETIMEDOUT)
		complain("snapshot",
			 "no complete report in %s after %g seconds (longer: --timeout)",
			 file->base, timeout);
	else
		complain("snapshot", "%s: %s", file->base, strerror(-error));
	return error == -ESRCH ? STATUS_PROCESS : STATUS_FAILED;
}

static int say_standard_error(const struct process *process)
{
	char where[256];
	ssize_t length = readlinkat(process->folder, "fd/2", where, sizeof(where) - 1);
	where[length > 0 ? length : 0] = 0;
	complain("snapshot",
		 "process %d writes its report to its standard error%s%s; started with "
		 "COWSPY_OUTPUT=PATH it would be shown here",
		 process->pid, length > 0 ? ", " : "", where);
	return STATUS_OK;
}

static int run(struct process *process, double timeout)
{
	int process_fd = (int)syscall(SYS_pidfd_open, process->pid, 0), signal = 0, status;
	struct report_file file;
	char *pattern;

	if (process_fd < 0) {
		process_complain("snapshot", process->pid, -errno);
		return STATUS_PROCESS;
	}
	status = check(process, &signal);
	pattern = environment_value(process, "COWSPY_OUTPUT");
	if (!pattern)
		pattern = pattern_of_trace(process);
	if (status == STATUS_OK && pattern && *pattern) {
		report_file_start(&file, process, pattern);
		status = ask(process_fd, process, signal);
		if (status == STATUS_OK)
			status = print_file(process, &file, signal, timeout);
		report_file_end(&file);
	} else if (status == STATUS_OK) {
		status = ask(process_fd, process, signal);
		if (status == STATUS_OK)
			status = say_standard_error(process);
	}
	free(pattern);
	close(process_fd);
	return status;
}

int verb_snapshot(int argc, char **argv)
{
	static const struct option longs[] = {
		{"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct process process;
	double timeout = DEFAULT_TIMEOUT;
	int option, error, status;
	pid_t pid;

	while ((option = getopt_long(argc, argv, "t:h", longs, NULL)) >= 0) {
		switch (option) {
		case 't':
			if (!parse_seconds(optarg, &timeout))
				return usage_error("snapshot", "'%s' is not a number of seconds",
						   optarg);
			break;
		case 'h': fputs(help, stdout); return STATUS_OK;
		default: return wrong_option("snapshot", argv);
		}
	}
	if (argc - optind != 1)
		return usage_error("snapshot", "one process id is needed");
	if (!parse_pid(argv[optind], &pid))
		return usage_error("snapshot", "'%s' is not a process id", argv[optind]);
	error = process_open(&process, pid);
	if (error) {
		process_complain("snapshot", pid, error);
		return STATUS_PROCESS;
	}
	status = run(&process, timeout);
	process_close(&process);
	return status;
}
