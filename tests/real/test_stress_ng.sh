#!/bin/bash
# Stressors of stress-ng that verify what they do, two seconds each: memory, signals, processes,
# threads. One that fails may only fail if it does so without the library.
# slow
# timeout: 900
. "$TOP/tests/lib.sh"

type stress-ng >/dev/null 2>&1 || skip "stress-ng is not installed"

stressors="malloc mmap mremap fork vfork vforkmany clone signal sigsegv sigfd sigsuspend sigpending sigq
	sigaltstack sigabrt sigtrap sigrt sigio sigchld pthread mprotect madvise stack brk exec mincore
	mlock msync switch pipe poll eventfd timer futex context spawn daemon zombie wait tlb-shootdown
	resources mmapfork mmapmany memfd shm-sysv userfaultfd seccomp prctl aio pkey rseq funccall"

for stressor in $stressors; do
	arguments="--$stressor 2 --verify --timeout 2 --temp-path $WORK"
	# shellcheck disable=SC2086 # words
	timeout 60 env COWSPY_OUTPUT="$WORK/report.%p" LD_PRELOAD="$TEST_LIBRARY" \
		stress-ng $arguments >"$WORK/watched" 2>&1
	status=$?
	rm -f "$WORK"/report.*
	[ $status != 0 ] || continue
	# shellcheck disable=SC2086
	timeout 60 stress-ng $arguments >"$WORK/plain" 2>&1
	plain=$?
	[ $status = $plain ] || wrong "$stressor: $plain, watched $status: $(grep fail "$WORK/watched")"
done
