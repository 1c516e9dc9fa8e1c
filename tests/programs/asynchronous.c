/*
 * Memory that the kernel writes when nobody calls it: AIO of both kinds, what is written as a
 * thread ends, futexes, rseq, userfaultfd, guests, other processes. Prints a transcript: plain and
 * watched must be equal.
 */
#include "check.h"

#include <aio.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void fork_and_wait(void)
{
	pid_t child = fork();
	if (!child)
		_exit(0);
	CHECK_EQUAL(wait_for(child), 0);
}

static char *fresh(void)
{
	return map_anonymous(4) + CHECK_PAGE - 8;
}

/* ---- POSIX AIO: threads of libc's ---- */

static sem_t done;

static void notified(union sigval value)
{
	(void)value;
	sem_post(&done);
}

static void test_posix_aio(void)
{
	int ends[2], fd = file_of_pages(2);
	struct aiocb file = {.aio_fildes = fd, .aio_buf = fresh(), .aio_nbytes = CHECK_PAGE};
	struct aiocb pipe_end = {.aio_buf = fresh(), .aio_nbytes = 100};
	const struct aiocb *both[2] = {&file, &pipe_end};
	sem_init(&done, 0, 0);
	file.aio_sigevent.sigev_notify = SIGEV_THREAD;
	file.aio_sigevent.sigev_notify_function = notified;
	CHECK_EQUAL(pipe(ends), 0);
	pipe_end.aio_fildes = ends[0];
	CHECK_EQUAL(aio_read(&pipe_end), 0);
	usleep(20000); /* it waits for data */
	fork_and_wait();
	CHECK_EQUAL(aio_read(&file), 0);
	CHECK_EQUAL(write(ends[1], "0123456789", 10), 10);
	while (aio_error(both[0]) == EINPROGRESS || aio_error(both[1]) == EINPROGRESS)
		aio_suspend(both, 2, NULL);
	sem_wait(&done);
	printf("aio: %zd %c, %zd %.10s\n", aio_return(&file), ((volatile char *)file.aio_buf)[4000],
	       aio_return(&pipe_end), (char *)(uintptr_t)pipe_end.aio_buf);
}

/* ---- io_submit ---- */

static void test_io_submit(void)
{
	aio_context_t context = 0;
	int fd = file_of_pages(4), event = eventfd(0, 0);
	char *at = fresh(), *direct = map_anonymous(2);
	struct iovec parts[2] = {{fresh(), 100}, {fresh(), 200}};
	struct iocb requests[3] = {
		{.aio_fildes = (unsigned)fd,
		 .aio_lio_opcode = IOCB_CMD_PREAD,
		 .aio_buf = (uintptr_t)at,
		 .aio_nbytes = CHECK_PAGE,
		 .aio_offset = CHECK_PAGE},
		{.aio_fildes = (unsigned)fd,
		 .aio_lio_opcode = IOCB_CMD_PREADV,
		 .aio_buf = (uintptr_t)parts,
		 .aio_nbytes = 2},
		{.aio_fildes = (unsigned)open("/proc/self/exe", O_RDONLY | O_DIRECT),
		 .aio_lio_opcode = IOCB_CMD_PREAD,
		 .aio_buf = (uintptr_t)direct,
		 .aio_nbytes = CHECK_PAGE}};
	struct iocb *list[3] = {&requests[0], &requests[1], &requests[2]};
	struct io_event *events = (struct io_event *)fresh();
	for (int i = 0; i < 3; i++) {
		requests[i].aio_flags = IOCB_FLAG_RESFD;
		requests[i].aio_resfd = (unsigned)event;
	}
	CHECK_EQUAL(syscall(SYS_io_setup, 8, &context), 0);
	CHECK_EQUAL(syscall(SYS_io_submit, context, 3L, list), 3);
	fork_and_wait();
	CHECK_EQUAL(syscall(SYS_io_getevents, context, 3L, 3L, events, NULL), 3);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			if (events[k].obj == (uintptr_t)list[i])
				printf("io_submit %d: %lld\n", i, (long long)events[k].res);
	printf("%c %c %c %.3s\n", at[4000], ((char *)parts[0].iov_base)[99],
	       ((char *)parts[1].iov_base)[199], direct + 1);
	CHECK_EQUAL(syscall(SYS_io_destroy, context), 0);
}

/* ---- what a thread's end writes ---- */

static sem_t begun, end_now;

static void *hold_and_end(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_lock(mutex), 0);
	sem_post(&begun);
	sem_wait(&end_now);
	return NULL;
}

static void test_robust(int protocol)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = (pthread_mutex_t *)fresh();
	pthread_t thread;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
	sem_init(&begun, 0, 0);
	sem_init(&end_now, 0, 0);
	CHECK_EQUAL(pthread_create(&thread, NULL, hold_and_end, mutex), 0);
	sem_wait(&begun);
	fork_and_wait();
	fork_and_wait();
	sem_post(&end_now);
	pthread_join(thread, NULL);
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec += 5;
	printf("robust mutex: %s\n", strerror(pthread_mutex_timedlock(mutex, &soon)));
}

static void *name_id(void *id)
{
	long tid = syscall(SYS_set_tid_address, id);
	*(volatile int *)id = (int)tid;
	sem_post(&begun);
	sem_wait(&end_now);
	syscall(SYS_exit, 0);
	return NULL;
}

static void test_thread_id(void)
{
	pthread_t thread;
	volatile int *id = (int *)(fresh() + 8);
	sem_init(&begun, 0, 0);
	sem_init(&end_now, 0, 0);
	CHECK_EQUAL(pthread_create(&thread, NULL, name_id, (void *)id), 0);
	sem_wait(&begun);
	fork_and_wait();
	sem_post(&end_now);
	for (int i = 0; i < 2000 && *id; i++)
		usleep(1000);
	printf("thread id cleared: %d\n", *id == 0);
}

/* With a stack of its own, and its ids in other memory. */
static int be_task(void *argument)
{
	(void)argument;
	return 0;
}

static void test_clone(void)
{
	char *stack = map_anonymous(16);
	volatile int *ids = (int *)fresh();
	ids[1] = 1;
	fork_and_wait();
	CHECK(clone(be_task, stack + 16 * CHECK_PAGE,
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			    CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		    NULL, ids, NULL, ids + 1) > 0);
	for (int i = 0; i < 2000 && ids[1]; i++)
		usleep(1000);
	printf("clone: id %s, cleared %d\n", ids[0] > 0 ? "set" : "not set", ids[1] == 0);
}

/* ---- futexes that the kernel writes ---- */

static void *take_and_give(void *mutex)
{
	for (int i = 0; i < 200; i++) {
		CHECK_EQUAL(pthread_mutex_lock(mutex), 0);
		if (i % 10 == 0)
			sched_yield();
		CHECK_EQUAL(pthread_mutex_unlock(mutex), 0);
	}
	return NULL;
}

static void test_futexes(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t *mutex = (pthread_mutex_t *)fresh();
	pthread_t threads[4];
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, take_and_give, mutex), 0);
	for (int i = 0; i < 10; i++)
		fork_and_wait();
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	int *word = (int *)(fresh() + 8);
	long woken = syscall(SYS_futex, fresh() + 8, FUTEX_WAKE_OP_PRIVATE, 1, 1, word,
			     FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0));
	printf("priority inheritance: done; wake and set: %ld, word %d\n", woken, *word);
}

/* ---- rseq ---- */

struct rseq_area {
	uint32_t cpu_start, cpu;
	uint64_t section;
	uint32_t flags, node, mm_cid;
	uint32_t unused[1];
} __attribute__((aligned(32)));

static int register_rseq(void)
{
	volatile struct rseq_area *area = (struct rseq_area *)(fresh() + 8);
	if (syscall(SYS_rseq, area, sizeof(*area), 0, 0x53053053)) {
		printf("rseq: %s\n", strerror(errno));
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		fork_and_wait();
		usleep(1000);
		sched_yield();
	}
	printf("rseq: cpu %d, same %d\n", area->cpu < 4096, area->cpu == area->cpu_start);
	CHECK_EQUAL(syscall(SYS_rseq, area, sizeof(*area), 1, 0x53053053), 0);
	return 0;
}

/* In a program whose libc does not register its own. */
static void test_rseq(void)
{
	pid_t child = fork();
	if (!child) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execl("/proc/self/exe", "asynchronous", "rseq", NULL);
		_exit(127);
	}
	CHECK_EQUAL(wait_for(child), 0);
}

/* ---- vmsplice: pages given to a pipe ---- */

static void test_vmsplice(void)
{
	int ends[2];
	char *pages = map_anonymous(2), *got = fresh();
	CHECK_EQUAL(pipe(ends), 0);
	memset(pages, 'v', CHECK_PAGE);
	fork_and_wait();
	struct iovec part = {pages, CHECK_PAGE};
	CHECK_EQUAL(vmsplice(ends[1], &part, 1, SPLICE_F_GIFT), CHECK_PAGE);
	CHECK_EQUAL(read(ends[0], got, CHECK_PAGE), CHECK_PAGE);
	printf("vmsplice: %c\n", got[CHECK_PAGE - 1]);
}

/* ---- userfaultfd ---- */

static int faults;

static void *serve_faults(void *page)
{
	struct uffd_msg message;
	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_copy copy = {.dst = message.arg.pagefault.address &
						  ~(uint64_t)(CHECK_PAGE - 1),
					   .src = (uintptr_t)page,
					   .len = CHECK_PAGE};
		ioctl(faults, UFFDIO_COPY, &copy);
	}
	return NULL;
}

/* Newer than the oldest headers. */
struct move {
	uint64_t to, from, length, mode;
	int64_t moved;
};
#define REQUEST_MOVE _IOWR(UFFDIO, 5, struct move)
#define MOVE_HOLES 2
#define MOVE_PAGES 600

/* The kernel refuses pages of more than one VMA. */
static void test_move(void)
{
	size_t size = MOVE_PAGES * CHECK_PAGE;
	char *from = map_anonymous(MOVE_PAGES), *to = map_anonymous(MOVE_PAGES);
	struct uffdio_register range = {.range = {(uintptr_t)to, size},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct move move = {(uintptr_t)to, (uintptr_t)from, size, MOVE_HOLES, 0};
	CHECK_EQUAL(ioctl(faults, UFFDIO_REGISTER, &range), 0);
	from[0] = from[400 * CHECK_PAGE] = 'm';
	printf("move: %d", ioctl(faults, REQUEST_MOVE, &move));
	printf(", %lld\n", (long long)move.moved);
}

static void test_userfaultfd(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api)) {
		printf("userfaultfd: %s\n", strerror(errno));
		return;
	}
	char *area = map_anonymous(16), *source = map_anonymous(4);
	struct uffdio_register range = {.range = {(uintptr_t)area, 16 * CHECK_PAGE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	memset(source, 'u', 4 * CHECK_PAGE);
	area[5 * CHECK_PAGE] = 1; /* so that it is in pieces when it is registered */
	CHECK_EQUAL(ioctl(faults, UFFDIO_REGISTER, &range), 0);
	struct uffdio_copy copy = {
		.dst = (uintptr_t)area, .src = (uintptr_t)source, .len = 4 * CHECK_PAGE};
	test_move();
	CHECK_EQUAL(ioctl(faults, UFFDIO_COPY, &copy), 0);
	printf("userfaultfd: %lld", (long long)copy.copy);
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, serve_faults, source), 0);
	area[10 * CHECK_PAGE] = 'w';
	printf(", %c%c%c\n", area[0], area[10 * CHECK_PAGE], area[10 * CHECK_PAGE + 1]);
	area[12 * CHECK_PAGE + 1] = 'x';
	printf("%c%c\n", area[12 * CHECK_PAGE], area[12 * CHECK_PAGE + 1]);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	close(faults);
}

/* ---- a guest that writes its memory ---- */

#if defined(__x86_64__)
/* mov $0x2a, %al; mov %al, 0x3000; hlt */
static const unsigned char guest_code[] = {0xb0, 0x2a, 0xa2, 0x00, 0x30, 0xf4};

static void test_guest(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = -1, cpu = -1;
	if (kvm >= 0)
		vm = ioctl(kvm, KVM_CREATE_VM, 0L);
	if (vm >= 0)
		cpu = ioctl(vm, KVM_CREATE_VCPU, 0L);
	if (cpu < 0) {
		printf("guest: none\n");
		return;
	}
	char *memory = map_anonymous(8);
	struct kvm_userspace_memory_region slot = {.memory_size = 8 * CHECK_PAGE,
						   .userspace_addr = (uintptr_t)memory};
	size_t size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0L);
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	struct kvm_sregs sregs;
	struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
	memcpy(memory + 0x1000, guest_code, sizeof(guest_code));
	CHECK_EQUAL(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), 0);
	fork_and_wait();
	CHECK_EQUAL(ioctl(cpu, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = sregs.cs.selector = 0;
	CHECK_EQUAL(ioctl(cpu, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQUAL(ioctl(cpu, KVM_SET_REGS, &regs), 0);
	CHECK_EQUAL(ioctl(cpu, KVM_RUN, 0L), 0);
	printf("guest: exit %u, wrote %d\n", run->exit_reason, memory[0x3000]);
}
#else
static void test_guest(void)
{
}
#endif

/* ---- another process ---- */

static void test_from_outside(void)
{
	char *pages = map_anonymous(4), path[64];
	long word = 0x1122334455667788;
	memset(pages, 'o', 4 * CHECK_PAGE);
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME);
		raise(SIGSTOP);
		printf("written from outside: %lx %c\n", *(long *)pages, pages[CHECK_PAGE]);
		fflush(stdout);
		_exit(0);
	}
	int status;
	CHECK_EQUAL(waitpid(child, &status, WUNTRACED), child);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	int fd = open(path, O_RDWR);
	printf("poke: %ld", ptrace(PTRACE_POKEDATA, child, pages, word));
	printf(", mem: %zd\n", pwrite(fd, "m", 1, (off_t)(uintptr_t)(pages + CHECK_PAGE)));
	fflush(stdout);
	CHECK_EQUAL(ptrace(PTRACE_DETACH, child, 0, 0), 0);
	CHECK_EQUAL(wait_for(child), 0);
}

static __attribute__((noinline)) void write_one(char *page)
{
	*(volatile char *)page = 1;
}

int main(int count, char **arguments)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count > 1 && !strcmp(arguments[1], "rseq"))
		return register_rseq();
	test_posix_aio();
	test_io_submit();
	test_robust(PTHREAD_PRIO_NONE);
	test_robust(PTHREAD_PRIO_INHERIT);
	test_thread_id();
	test_clone();
	test_futexes();
	test_rseq();
	test_vmsplice();
	test_userfaultfd();
	test_guest();
	test_from_outside();
	/* All else is still watched. */
	char *pages = map_anonymous(3);
	write_one(pages + CHECK_PAGE);
	expect_pages(pages, ".C.");
	expect_stack("write_one", "fill", 1);
	return 0;
}
