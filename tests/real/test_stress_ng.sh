#!/bin/bash
# Stressors of stress-ng that verify what they do, for a second each: memory, signals, processes,
# threads, and what the kernel writes. One that fails may only fail if it does so without the
# library. Without --slow only a dozen.
# timeout: 1200
. "$TOP/tests/lib.sh"

type stress-ng >/dev/null 2>&1 || skip "stress-ng is not installed"

fast="mmap mremap fork vfork clone signal sigsegv bad-altstack sigsuspend pthread mprotect poll"
slow="$fast
	alarm aio aiol brk clock close context daemon dup dynlib env epoll eventfd exec
	exit-group fanotify fault fcntl fifo flock forkheavy fstat funccall funcret futex get getdent
	getrandom handle hsearch inotify io iomix io-uring itimer kcmp kill landlock lease locka lockf
	lockofd longjmp madvise malloc mcontend membarrier memcpy memfd mergesort mincore mlock mlockmany
	mmapaddr mmapfixed mmapfork mmapmany mq msg msync msyncmany munmap mutex nanosleep nice null numa
	opcode open pagemove personality physpage pidfd pipe pipeherd pkey plugin prctl procfs ptrace
	pty qsort randlist readahead remap rename resources ring-pipe rlimit rmap rseq seal seccomp
	secretmem seek sem sem-sysv sendfile session set shm shm-sysv sigabrt sigchld sigfd sigfpe sigio
	sigpending sigpipe sigq sigrt sigtrap sleep sock sockabuse sockfd sockmany sockpair spawn
	splice stack stackmmap str stream switch symlink sysbadaddr sysinfo sysinval tee timer
	timerfd tlb-shootdown touch tree tsearch tun udp unshare userfaultfd usersyscall utime vdso
	vforkmany vm vm-addr vm-rw vm-segv vm-splice wait x86syscall yield zero zombie"

run()
{
	# shellcheck disable=SC2086 # words
	timeout 60 env "$@" stress-ng $arguments
}

list=$fast
[ -z "${TEST_SLOW:-}" ] || list=$slow
equal=0
for stressor in $list; do
	arguments="--$stressor 2 --verify --timeout 1 --temp-path $WORK"
	run COWSPY_OUTPUT="$WORK/report.%p" LD_PRELOAD="$TEST_LIBRARY" >"$WORK/watched" 2>&1
	status=$?
	find "$WORK" -name 'report.*' -delete
	[ $status != 0 ] || { equal=$((equal + 1)); continue; }
	run PLAIN=1 >"$WORK/plain" 2>&1
	plain=$?
	if [ $status = $plain ]; then
		echo "skipped: $stressor fails here without the library, too (status $plain):" \
			"$(grep -E 'fail|error|unrecognized|skipp' "$WORK/plain" | head -1)"
	else
		wrong "$stressor: $plain, watched $status: $(grep fail "$WORK/watched")"
	fi
done
echo "$equal stressors"
[ $equal -ge 10 ] || wrong "only $equal stressors ran"
