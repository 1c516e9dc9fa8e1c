/* Calls that write by command, by flag, or through pointers inside a structure. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sysctl.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include "syscall_outputs.h"

/* For a command newer than this table: more than its structure will be. */
#define UNKNOWN_COMMAND_SPAN 256

static uintptr_t pointer(const long *args, int index)
{
	return (uintptr_t)args[index];
}

/* clone(flags, stack, parent_tid, child_tid, tls) */
void outputs_clone(struct output_list *list, const long *args)
{
	if (args[0] & (CLONE_PARENT_SETTID | CLONE_PIDFD))
		output_add(list, pointer(args, 2), 4);
	if (args[0] & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		output_add(list, pointer(args, 3), 4);
}

void outputs_clone3(struct output_list *list, const long *args)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid;
	} clone;
	if (!output_read(list, &clone, pointer(args, 0), sizeof(clone)))
		return;
	if (clone.flags & CLONE_PIDFD)
		output_add(list, clone.pidfd, 4);
	if (clone.flags & CLONE_PARENT_SETTID)
		output_add(list, clone.parent_tid, 4);
	if (clone.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		output_add(list, clone.child_tid, 4);
}

/* A struct msgbuf: the type, and the text whose size the program gives. */
void outputs_msgrcv(struct output_list *list, const long *args)
{
	if (args[2] >= 0)
		output_add(list, pointer(args, 1), sizeof(long) + (uintptr_t)args[2]);
}

/* GETALL writes one short for each semaphore, of which a set has 32,000 by default. */
void outputs_semctl(struct output_list *list, const long *args)
{
	if (output_is_address(pointer(args, 3)))
		output_add(list, pointer(args, 3),
			   (int)args[2] == 13 /* GETALL */ ? KIB(128) : 128);
}

void outputs_getxattrat(struct output_list *list, const long *args)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} value;
	if (output_read(list, &value, pointer(args, 4), sizeof(value)))
		output_add(list, value.value, value.size < KIB(64) ? value.size : KIB(64));
}

/* Gone since Linux 5.5. */
void outputs_sysctl(struct output_list *list, const long *args)
{
	struct __sysctl_args sysctl;
	size_t length;
	if (!output_read(list, &sysctl, pointer(args, 0), sizeof(sysctl)) ||
	    !output_read(list, &length, (uintptr_t)sysctl.oldlenp, sizeof(length)))
		return;
	output_add(list, (uintptr_t)sysctl.oldlenp, sizeof(length));
	output_add(list, (uintptr_t)sysctl.oldval, length);
}

#define GET_RW_HINT 1035
#define GET_FILE_RW_HINT 1037
#define GET_DELEGATION 1039
#define FCNTL_NEWEST 1040

void outputs_fcntl(struct output_list *list, const long *args)
{
	uint32_t command = (uint32_t)args[1];
	uintptr_t address = pointer(args, 2);
	switch (command) {
	case F_GETLK:
	case F_OFD_GETLK: output_add(list, address, sizeof(struct flock)); return;
	case F_GETOWN_EX:
	case 17: /* F_GETOWNER_UIDS */
	case GET_RW_HINT:
	case GET_FILE_RW_HINT:
	case GET_DELEGATION: output_add(list, address, 8); return;
	}
	if (command > FCNTL_NEWEST && output_is_address(address))
		output_add(list, address, UNKNOWN_COMMAND_SPAN);
}

#define PRCTL_NEWEST 81
#define PRCTL_SET_PTRACER 0x59616d61
#define PRCTL_SET_VMA 0x53564d41
#define PRCTL_GET_AUXV 0x41555856
#define PRCTL_GET_SHADOW_STACK_STATUS 74

static void prctl_unknown(struct output_list *list, const long *args)
{
	uint32_t option = (uint32_t)args[0];
	if (option <= PRCTL_NEWEST || option == PRCTL_SET_PTRACER || option == PRCTL_SET_VMA)
		return;
	for (int i = 1; i < 5; i++) {
		if (output_is_address(pointer(args, i)))
			output_add(list, pointer(args, i), UNKNOWN_COMMAND_SPAN);
	}
}

void outputs_prctl(struct output_list *list, const long *args)
{
	switch ((uint32_t)args[0]) {
	case PR_GET_PDEATHSIG:
	case PR_GET_UNALIGN:
	case PR_GET_FPEMU:
	case PR_GET_FPEXC:
	case PR_GET_ENDIAN:
	case PR_GET_TSC:
	case PR_GET_CHILD_SUBREAPER: output_add(list, pointer(args, 1), 4); return;
	case PR_GET_TID_ADDRESS:
	case PRCTL_GET_SHADOW_STACK_STATUS: output_add(list, pointer(args, 1), 8); return;
	case PR_GET_NAME: output_add(list, pointer(args, 1), 16); return;
	case PR_SET_MM:
		if (args[1] == PR_SET_MM_MAP_SIZE)
			output_add(list, pointer(args, 2), 4);
		return;
	case PR_SCHED_CORE:
		if (args[1] == PR_SCHED_CORE_GET)
			output_add(list, pointer(args, 4), 8);
		return;
	case PRCTL_GET_AUXV: output_add(list, pointer(args, 1), (uintptr_t)args[2]); return;
	default: prctl_unknown(list, args);
	}
}

/* All of its questions are answered with at most one long. */
void outputs_arch_prctl(struct output_list *list, const long *args)
{
	enum { SET_GS = 0x1001, SET_FS = 0x1002 };
	int code = (int)args[0];
	if (code != SET_GS && code != SET_FS && output_is_address(pointer(args, 1)))
		output_add(list, pointer(args, 1), 8);
}

void outputs_keyctl(struct output_list *list, const long *args)
{
	struct keyctl_pkey_params key;
	switch ((int)args[0]) {
	case KEYCTL_DESCRIBE:
	case KEYCTL_READ:
	case KEYCTL_GET_SECURITY:
	case KEYCTL_DH_COMPUTE: output_add(list, pointer(args, 2), (uintptr_t)args[3]); return;
	case KEYCTL_CAPABILITIES: output_add(list, pointer(args, 1), (uintptr_t)args[2]); return;
	case KEYCTL_PKEY_QUERY:
		output_add(list, pointer(args, 4), sizeof(struct keyctl_pkey_query));
		return;
	case KEYCTL_PKEY_ENCRYPT:
	case KEYCTL_PKEY_DECRYPT:
	case KEYCTL_PKEY_SIGN:
		if (output_read(list, &key, pointer(args, 1), sizeof(key)))
			output_add(list, pointer(args, 4), key.out_len);
		return;
	}
}

/* The requests of ptrace(2) on x86-64, most of them named by no header that we can rely on. */
enum {
	REQUEST_PEEKTEXT = 1,
	REQUEST_PEEKUSER = 3,
	REQUEST_GETREGS = 12,
	REQUEST_GETFPREGS = 14,
	REQUEST_GETFPXREGS = 18,
	REQUEST_GET_THREAD_AREA = 25,
	REQUEST_ARCH_PRCTL = 30,
	REQUEST_GETEVENTMSG = 0x4201,
	REQUEST_GETSIGINFO = 0x4202,
	REQUEST_GETREGSET = 0x4204,
	REQUEST_SETREGSET = 0x4205,
	REQUEST_PEEKSIGINFO = 0x4209,
	REQUEST_GETSIGMASK = 0x420a,
	REQUEST_SECCOMP_GET_FILTER = 0x420c,
	REQUEST_SECCOMP_GET_METADATA = 0x420d,
	REQUEST_GET_SYSCALL_INFO = 0x420e,
	REQUEST_GET_RSEQ_CONFIGURATION = 0x420f,
	REQUEST_GET_DISPATCH_CONFIG = 0x4211,
	REQUEST_NEWEST = 0x4212
};

#define SIGINFO_SIZE 128

static void ptrace_siginfos(struct output_list *list, const long *args)
{
	struct {
		uint64_t offset;
		uint32_t flags;
		int32_t count;
	} peek;
	if (output_read(list, &peek, pointer(args, 2), sizeof(peek)) && peek.count > 0)
		output_add(list, pointer(args, 3), (uintptr_t)peek.count * SIGINFO_SIZE);
}

void outputs_ptrace(struct output_list *list, const long *args)
{
	uintptr_t address = pointer(args, 2), data = pointer(args, 3);
	long request = args[0];
	switch (request) {
	case REQUEST_GETREGSET:
		output_add_iovecs(list, data, 1);
		/* fall through */
	case REQUEST_SETREGSET:
		output_add(list, data, sizeof(struct iovec)); /* its length becomes the true one */
		return;
	case REQUEST_GETREGS:
	case REQUEST_GETFPREGS:
	case REQUEST_GETFPXREGS: output_add(list, data, 512); return;
	case REQUEST_GETSIGINFO:
	case REQUEST_GET_THREAD_AREA: output_add(list, data, SIGINFO_SIZE); return;
	case REQUEST_GETEVENTMSG:
	case REQUEST_GETSIGMASK: output_add(list, data, 8); return;
	case REQUEST_ARCH_PRCTL: output_add(list, address, 8); return;
	case REQUEST_PEEKSIGINFO: ptrace_siginfos(list, args); return;
	case REQUEST_SECCOMP_GET_FILTER:
		output_add(list, data, KIB(32)); /* 4096 instructions of 8 bytes */
		return;
	case REQUEST_SECCOMP_GET_METADATA:
	case REQUEST_GET_SYSCALL_INFO:
	case REQUEST_GET_RSEQ_CONFIGURATION:
	case REQUEST_GET_DISPATCH_CONFIG: output_add(list, data, address); return;
	}
	if (request >= REQUEST_PEEKTEXT && request <= REQUEST_PEEKUSER)
		output_add(list, data, 8);
	if (request > REQUEST_NEWEST && output_is_address(data))
		output_add(list, data, UNKNOWN_COMMAND_SPAN);
}

/* Newer than the headers: BPF_PROG_STREAM_READ_BY_FD. */
#define BPF_STREAM_READ 37

/* Room for what a map element, a program's code or a batch may need: no argument tells. */
#define BPF_SPAN MIB(16)

static bool bpf_writes_through_pointers(uint32_t command)
{
	switch (command) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_PROG_TEST_RUN:
	case BPF_OBJ_GET_INFO_BY_FD:
	case BPF_PROG_QUERY:
	case BPF_TASK_FD_QUERY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH: return true;
	default: return command >= BPF_STREAM_READ;
	}
}

void outputs_bpf(struct output_list *list, const long *args)
{
	uint32_t command = (uint32_t)args[0], size = (uint32_t)args[2];
	uintptr_t address = pointer(args, 1);
	union bpf_attr attributes;
	memset(&attributes, 0, sizeof(attributes));
	output_add(list, address, size < KIB(4) ? size : KIB(4));
	if (bpf_writes_through_pointers(command))
		output_add_pointed(list, address, size < 256 ? size : 256, BPF_SPAN, 1);
	if (!output_read(list, &attributes, address,
			 size < sizeof(attributes) ? size : sizeof(attributes)))
		return;
	if (command == BPF_OBJ_GET_INFO_BY_FD)
		output_add_pointed(list, attributes.info.info,
				   attributes.info.info_len < 512 ? attributes.info.info_len : 512,
				   BPF_SPAN, 1);
	else if (command == BPF_PROG_LOAD)
		output_add(list, attributes.log_buf, attributes.log_size);
	else if (command == BPF_BTF_LOAD)
		output_add(list, attributes.btf_log_buf, attributes.btf_log_size);
}
