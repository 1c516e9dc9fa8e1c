/*
 * The trace file: the one contract between libcowspy.so, which writes it, and whoever reads it.
 *
 * Version 1. All numbers are little-endian, all structures are laid out as written here, without
 * hidden padding. One file belongs to one process image: a forked child writes a file of its own
 * once it has something to record; a program that is exec'ed begins a new one.
 *
 * The file is a header, then records, one behind the other, in the order in which they were begun.
 * Each begins at a multiple of 8 with a struct trace_record; its size counts that structure too and
 * is a multiple of 8. Strings are bytes with a length, not terminated, not necessarily UTF-8, and
 * come from the traced program: never print them as they are. Bytes that fill up to the size are
 * zero.
 *
 * How a record comes to be (it tells what a reader can meet at any moment):
 *
 *	1. The writer takes its place in one atomic step that turns the eight zero bytes there into
 *	   type TRACE_PENDING and the final size.
 *	2. It writes the rest.
 *	3. It stores the real type, with release.
 *
 * So in a file that is being written, or whose process was killed, the walk from record to record
 * never breaks: a pending record is skipped by its size, and a size of 0 is the end of what was
 * recorded. The rest of the file is zero: it is allocated ahead. Whoever reads a growing file loads
 * the type with acquire before it looks at the rest, and comes back to pending records later.
 *
 * Rules for readers
 *	- A size that is not a multiple of 8, is below 8, or reaches beyond the file is damage: what
 *	  lies before is intact, nothing behind can be reached. Name the offset. (A record cut by the
 *	  end of a truncated file is the same.)
 *	- A type that is not known is skipped by its size. Types are never reused.
 *	- A record that is smaller than the structure of its type here, or whose lengths and counts
 *	  reach beyond its size, is damaged alone: skip it and go on. A larger one is of a newer
 *	  writer, which adds fields at the end of the fixed part: the variable part begins at `head`
 *	  bytes where a structure has that field.
 *	- An unknown value of an enum or an unknown flag is shown as unknown, never refused.
 *	- Records may follow TRACE_CLOSE (threads that still ran); later ones of one kind win.
 *	- A first write may name a stack that is not in the file (lost): the stack is unknown then.
 *	- Without TRACE_CLOSE the process still runs, or was killed.
 *	- Nothing is too large to be a lie: allocate by the size of the file, never by a field.
 *
 * Times are CLOCK_MONOTONIC in nanoseconds; the header relates them to the other clocks. Ranges are
 * [start, end) of the traced process. Epochs count the forks of a process: epoch n lies between its
 * n-th fork and the next; a child goes on counting from its parent's number.
 */
#ifndef COWSPY_TRACE_H
#define COWSPY_TRACE_H

#include <stdint.h>

#define TRACE_MAGIC 0x4543415254574f43u /* "COWTRACE" as the file's first eight bytes */
#define TRACE_VERSION 1u
#define TRACE_ALIGNMENT 8u
#define TRACE_RECORD_MOST 65536u /* no writer makes a larger record */
#define TRACE_BUILD_ID_MOST 32u

/*
 * `magic` is written last: a file without it holds nothing. A reader refuses a version above its
 * own, and finds the first record at `header_size`.
 */
struct trace_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint32_t page_size; /* of all pages counted here, huge ones count as many */
	uint32_t machine;   /* ELF machine number (e_machine) */
	uint32_t pid;       /* in the process's own pid namespace */
	uint32_t parent;    /* pid of its parent: the process that forked it, or started it */
	uint32_t epoch;     /* at the beginning of this file */
	uint32_t flags;     /* TRACE_FORKED, ... */
	/* These three are one moment, the beginning of this file. */
	uint64_t time;      /* CLOCK_MONOTONIC: the clock of all records */
	uint64_t boot_time; /* CLOCK_BOOTTIME */
	uint64_t wall_time; /* CLOCK_REALTIME, nanoseconds since 1970 */
	/* For TRACE_FORKED: the same time as in the parent's TRACE_FORK record. Else 0. */
	uint64_t fork_time;
	/* For TRACE_FORKED: `time` of the parent's header; 0 when the parent had no trace. With
	 * `parent` it names the parent's file even where pids were used again. */
	uint64_t parent_time;
	char kernel[64]; /* release as uname gives it, filled up with zeros */
	uint32_t build_id_length;
	uint8_t build_id[TRACE_BUILD_ID_MOST]; /* of libcowspy.so */
	char cowspy_version[28];               /* filled up with zeros */
	uint64_t reserved[4];
};

_Static_assert(sizeof(struct trace_header) == 240, "the header is 240 bytes");

#define TRACE_FORKED 1u    /* begun after a fork; else by the start of a program */
#define TRACE_INHERITED 2u /* started by a program that ran with the library */
#define TRACE_TOTALS 4u    /* of no process: sums of children (TRACE_CHILDREN) and nothing else */

struct trace_record {
	uint32_t type; /* enum trace_type */
	uint32_t size; /* with this structure; 0: no record here yet */
};

enum trace_type {
	TRACE_PENDING = 0, /* place taken, not complete: skip */
	TRACE_FILLER = 1,  /* space that no record fitted into: skip */
	TRACE_PROGRAM = 2,
	TRACE_OPTIONS = 3,
	TRACE_MODULE = 4,
	TRACE_MAPPING = 5,
	TRACE_STACK = 6,
	TRACE_FIRST_WRITE = 7,
	TRACE_FORK = 8,
	TRACE_GIVEN_BACK = 9,
	TRACE_LABEL = 10,
	TRACE_LIMIT = 11,
	TRACE_LOST = 12,
	TRACE_SNAPSHOT = 13,
	TRACE_SNAPSHOT_MAPPING = 14,
	TRACE_SNAPSHOT_RUNS = 15,
	TRACE_SNAPSHOT_END = 16,
	TRACE_CLOSE = 17,
	TRACE_CHANGES = 18,
	TRACE_CHILDREN = 19,
	TRACE_COST = 20,
};

/* ---- what runs ---- */

/* Once, at the beginning. Behind `head`: exe, directory, arguments. */
struct trace_program {
	struct trace_record record;
	uint32_t head;             /* size of this structure: where the strings begin */
	uint32_t exe_length;       /* path of the program's file */
	uint32_t directory_length; /* working directory; 0: not known */
	uint32_t arguments_length; /* argv: each argument with a zero behind it */
	uint32_t flags;            /* TRACE_CUT: the arguments were longer */
	uint32_t name_length;      /* the kernel's name of the process (comm), the last string */
};

#define TRACE_CUT 1u

/* Once, at the beginning: the options in force. */
struct trace_options {
	struct trace_record record;
	uint32_t scope;  /* 0 auto, 1 mmap, 2 all */
	uint32_t signal; /* snapshot signal; 0: none */
	uint32_t stack_depth;
	uint32_t net; /* 1: system calls that no wrapper sees are caught */
};

/*
 * An executable mapping of a file, as a debugger needs it to name addresses. At the beginning, when
 * one is loaded, and whenever a change is noticed: at snapshots at the latest. Address a in it is
 * at file offset a - start + offset.
 */
struct trace_module {
	struct trace_record record;
	uint32_t head;
	uint32_t action; /* enum trace_action: TRACE_ADD, TRACE_REMOVE */
	uint64_t time;   /* when it was noticed */
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* in the file */
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
	uint32_t build_id_length; /* 0: it has none; at most TRACE_BUILD_ID_MOST */
	uint32_t path_length;     /* behind `head`: the build id, then the path */
};

enum trace_action {
	TRACE_ADD = 0,
	TRACE_REMOVE = 1,
	TRACE_PROTECT = 2,
	TRACE_NAME = 3,
};

/*
 * The private mappings that are tracked, and their changes.
 *
 *	TRACE_ADD      [start, end) is tracked from now on, with protection, limit and flags. What
 *	               was there before is gone.
 *	TRACE_REMOVE   nothing of [start, end) is tracked any more.
 *	TRACE_PROTECT  [start, end) has this protection now, as the program sees it.
 *	TRACE_NAME     what backs [start, end), or how its owner calls it: the other fields do not
 *	               count. May come later than TRACE_ADD and may cover more than is tracked.
 */
struct trace_mapping {
	struct trace_record record;
	uint32_t head;
	uint32_t action; /* enum trace_action */
	uint64_t time;
	uint64_t start;
	uint64_t end;
	uint32_t protection; /* PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4 */
	uint32_t flags;      /* TRACE_FILE, ... */
	uint32_t limit;      /* enum trace_limit_reason */
	uint32_t device_major;
	uint32_t device_minor;
	uint32_t path_length; /* behind `head`; 0: anonymous, or not known here */
	uint64_t inode;
	uint64_t offset; /* in the file, of `start` */
};

#define TRACE_FILE 1u              /* backed by a file */
#define TRACE_BEFORE_FORK 2u       /* mapped before the fork that began this file, or adopted */
#define TRACE_SHARED_SINCE_FORK 4u /* its pages may be shared with others since a fork */
#define TRACE_UNTRACKED 8u         /* of snapshots: a private mapping that is not tracked */

/* ---- events ---- */

/* Before the first write that names it. The same stack may come twice, with one id or with two. */
struct trace_stack {
	struct trace_record record;
	uint32_t id;    /* from 1 */
	uint32_t depth; /* addresses that follow, each 8 bytes */
	/* The instruction itself, then return addresses outwards: look these up one byte back. */
	uint64_t addresses[];
};

/* A first write, recorded before it can happen. */
struct trace_first_write {
	struct trace_record record;
	uint64_t page; /* address */
	uint64_t time;
	uint32_t stack;  /* id, 0: none */
	uint32_t thread; /* thread id */
	uint32_t epoch;
	uint32_t event;    /* this event's number, unique in the process; 0: not numbered */
	uint32_t previous; /* number of the page's event before, 0: none; in a child it can be one
	                    * of its parent's */
	uint16_t syscall;  /* number + 1 for TRACE_CAUSE_SYSCALL, else 0 */
	uint8_t kind;      /* enum trace_kind */
	uint8_t cause;     /* enum trace_cause */
	uint32_t flags;    /* TRACE_STACK_UNCERTAIN, ... */
	uint32_t offset;   /* of the byte in the page that was written, + 1; 0: not known */
};

_Static_assert(sizeof(struct trace_first_write) <= 64, "at most 64 bytes a first write");

#define TRACE_STACK_UNCERTAIN 1u /* the page is right; the write may have been another thread's */
#define TRACE_STACK_OTHER 2u /* no stack, since as many different ones as can be kept were seen */

/* What the page was just before. */
enum trace_kind {
	TRACE_KIND_UNKNOWN = 0,
	TRACE_KIND_FILE = 1,  /* of a file: copied */
	TRACE_KIND_ZERO = 2,  /* the zero page: copied */
	TRACE_KIND_FILL = 3,  /* nothing: a first touch */
	TRACE_KIND_FORK = 4,  /* shared since a fork: copied */
	TRACE_KIND_REUSE = 5, /* exclusive already: written in place, no copy */
};

enum trace_cause {
	TRACE_CAUSE_WRITE = 0,    /* an instruction */
	TRACE_CAUSE_SYSCALL = 1,  /* the kernel, for a system call */
	TRACE_CAUSE_LOCK = 2,     /* mlock, MAP_LOCKED */
	TRACE_CAUSE_POPULATE = 3, /* MADV_POPULATE_WRITE, MAP_POPULATE */
};

/* This process has forked. The child's header carries the same time. */
struct trace_fork {
	struct trace_record record;
	uint64_t time;  /* just before the fork */
	uint32_t child; /* pid, as this process sees it */
	uint32_t epoch; /* the one that begins with this fork, on both sides */
	uint64_t done;  /* when the fork had returned here */
};

/* Pages went back to the kernel (MADV_DONTNEED) or may (MADV_FREE): their copies are gone. */
struct trace_given_back {
	struct trace_record record;
	uint64_t time;
	uint64_t start;
	uint64_t end;
	uint32_t epoch;
	uint32_t flags; /* TRACE_LATER: when the kernel wants them */
};

#define TRACE_LATER 1u

/* The program's own mark. */
struct trace_label {
	struct trace_record record;
	uint32_t head;
	uint32_t thread;
	uint64_t time;
	uint32_t epoch;
	uint32_t length; /* of the text behind `head` */
};

/* ---- what was not seen ---- */

/* A tracked range is not protected from now on: kernel truth alone tells of its pages. */
struct trace_limit {
	struct trace_record record;
	uint64_t time;
	uint64_t start;
	uint64_t end;
	uint32_t reason; /* enum trace_limit_reason */
	uint32_t reserved;
};

enum trace_limit_reason {
	TRACE_LIMIT_NONE = 0,         /* it is protected */
	TRACE_LIMIT_NO_VMA = 1,       /* the kernel refused to split the mapping any further */
	TRACE_LIMIT_STACK = 2,        /* a thread or signal stack lies in it */
	TRACE_LIMIT_HUGETLB = 3,      /* pages of hugetlbfs */
	TRACE_LIMIT_ASYNCHRONOUS = 4, /* the kernel may write it at any time */
	TRACE_LIMIT_SECCOMP = 5,      /* the program forbade itself the system calls needed */
	TRACE_LIMIT_NO_NET = 6,       /* nothing shows the system calls that write into it */
	TRACE_LIMIT_USER = 7,         /* by option or by the program's wish */
	/* Of mappings with TRACE_UNTRACKED in snapshots: */
	TRACE_LIMIT_LIBRARY = 8, /* libc's, the loader's, the unwinder's or cowspy's own */
	TRACE_LIMIT_UNSEEN = 9,  /* from before cowspy, or of libc's own since the last fork */
	TRACE_LIMIT_MODE = 10,   /* kernel truth was all that was wanted (COWSPY_MODE) */
	TRACE_LIMIT_TRACED = 11, /* its parent traces the process, and would see our signals */
};

/*
 * Recording stopped here, or records were lost. While the process runs, `count` grows in place:
 * first writes that came after and are not in this file.
 */
struct trace_lost {
	struct trace_record record;
	uint64_t time;
	uint64_t count;
	uint32_t reason; /* enum trace_lost_reason */
	uint32_t error;  /* errno; 0: none */
};

enum trace_lost_reason {
	TRACE_LOST_SPACE = 1,  /* the disk, the quota or the limit of file sizes is reached */
	TRACE_LOST_MEMORY = 2, /* the process has no memory or no mappings left */
	TRACE_LOST_FILE = 3,   /* the file was deleted, truncated or changed under the writer */
};

/* ---- page states ---- */

enum trace_reason {
	TRACE_REASON_SNAPSHOT = 0, /* it was asked for */
	TRACE_REASON_EXIT = 1,
	TRACE_REASON_EXEC = 2,
};

/*
 * A snapshot is: TRACE_SNAPSHOT; for each private mapping TRACE_SNAPSHOT_MAPPING and, if it is
 * tracked and holds pages, TRACE_SNAPSHOT_RUNS, several if there are many; with COWSPY_COMPARE
 * TRACE_CHANGES; TRACE_SNAPSHOT_END; TRACE_COST. All carry its number; other records may come in
 * between. One without an end is not complete; TRACE_COST comes once the report is written, or
 * never.
 */
struct trace_snapshot {
	struct trace_record record;
	uint32_t snapshot; /* number, from 1 */
	uint32_t reason;   /* enum trace_reason */
	uint64_t time;
	uint32_t epoch;
	uint32_t error; /* errno: page states are from events alone; 0: from the kernel */
};

/* Pages of one mapping. */
struct trace_snapshot_mapping {
	struct trace_record record;
	uint32_t head;
	uint32_t snapshot;
	uint64_t start;
	uint64_t end;
	uint32_t protection;
	uint32_t flags;       /* as in struct trace_mapping */
	uint32_t limit;       /* enum trace_limit_reason */
	uint32_t path_length; /* behind `head` */
	uint64_t copied;      /* pages of which this process has a copy of its own */
	uint64_t attributed;  /* of these, explained by a first write */
	uint64_t zero;
	uint64_t clean;
	uint64_t resident;
	uint64_t swapped;
	uint32_t index; /* of this mapping in this snapshot, from 0: named by its runs */
	uint32_t reserved;
};

/*
 * Page states of one mapping, ascending. The high byte of `pages` is the state's letter, its low 56
 * bits are how many pages have it. Pages in no run are untouched.
 *
 *	f clean file page    z zero page          C copied          s shared since a fork
 *	i inherited          r reused in place    S swapped copy    H copied, huge
 *	? no state
 */
struct trace_run {
	uint64_t start; /* address of the first page */
	uint64_t pages;
};

#define TRACE_RUN_PAGES(run) ((run)->pages & 0x00ffffffffffffffu)
#define TRACE_RUN_LETTER(run) ((char)((run)->pages >> 56))

struct trace_snapshot_runs {
	struct trace_record record;
	uint32_t snapshot;
	uint32_t mapping; /* its index */
	uint32_t count;   /* runs that follow */
	uint32_t reserved;
	struct trace_run runs[];
};

/*
 * How many bytes of a copied page differ at the snapshot from what was there before its first write.
 * Copied pages that no record of a snapshot names were not compared: what they were is not known.
 */
struct trace_change {
	uint32_t event; /* the first write's number */
	uint32_t bytes; /* 0: the page was written with what it held already */
};

struct trace_changes {
	struct trace_record record;
	uint32_t snapshot;
	uint32_t count; /* changes that follow */
	struct trace_change changes[];
};

/* Totals of tracked mappings, in pages. */
struct trace_snapshot_end {
	struct trace_record record;
	uint32_t snapshot;
	uint32_t flags; /* TRACE_INCOMPLETE: memory was short, counts are lower bounds */
	uint64_t copied;
	uint64_t attributed;
	uint64_t reused;    /* whose latest first write was in place */
	uint64_t ambiguous; /* zero page or shared since a fork: this kernel does not say which */
	uint64_t events;    /* first writes of this process so far */
	uint64_t kinds[8];  /* attributed pages by enum trace_kind */
	uint64_t causes[8]; /* attributed pages by enum trace_cause */
};

#define TRACE_INCOMPLETE 1u

/*
 * What watching this process has taken since it began, or was forked, up to a snapshot.
 *
 * Times are in nanoseconds. That of the fault handler is CPU time, without what the kernel does to
 * raise the signal and to return from it: `timed` of the faults were measured, the others count as
 * much as those.
 */
struct trace_cost {
	struct trace_record record;
	uint32_t snapshot;
	uint32_t flags;         /* TRACE_RESIDENT_UNKNOWN */
	uint64_t faults;        /* that the handler resolved */
	uint64_t timed;         /* of these */
	uint64_t handler_time;  /* of all of them */
	uint64_t mprotect;      /* calls */
	uint64_t handed;        /* pages handed over to userfaultfd */
	uint64_t vmas;          /* that protecting pages adds now */
	uint64_t vmas_most;     /* and at most so far */
	uint64_t address_space; /* bytes that are cowspy's own, before the snapshot was taken */
	uint64_t resident;      /* of these */
	uint64_t report_time; /* from the beginning of the snapshot to its end, the text included */
};

#define TRACE_RESIDENT_UNKNOWN 1u /* the kernel could not be asked */

/* ---- sums of children ---- */

/*
 * Processes that left no trace of their own (COWSPY_CHILDREN=totals), by their command. Changed in
 * place as they end, under flock; the same command may come again where a child could not wait for
 * the lock: add them up. Processes that were killed are not in it. Counts in pages.
 */
struct trace_children {
	struct trace_record record;
	uint64_t processes; /* that ended */
	uint64_t execs;     /* that executed another program: the rest of them is counted there */
	uint64_t events;    /* first writes */
	uint64_t copied, attributed, reused; /* as in struct trace_snapshot_end, when they ended */
	uint64_t most;                       /* copied by one process */
	uint64_t last_time;                  /* CLOCK_MONOTONIC, of the last one's end */
	uint64_t kinds[8];
	uint64_t causes[8];
	char command[16]; /* the kernel's name of the process (comm), zeros behind; empty: others */
};

/* ---- the end ---- */

struct trace_close {
	struct trace_record record;
	uint64_t time;
	uint32_t reason; /* enum trace_reason: TRACE_REASON_EXIT, TRACE_REASON_EXEC */
	uint32_t epoch;
	uint64_t events; /* first writes of this process */
	uint64_t lost;   /* of these not in this file */
};

#endif
