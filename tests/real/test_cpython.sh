#!/bin/bash
# CPython's own tests, plain and watched: no case may fail that does not fail without the library.
# The snapshot signal is off, since some cases want SIGUSR1 to kill.
# slow
# timeout: 1500
. "$TOP/tests/lib.sh"

[ -e /usr/lib/python3.11/test/test_signal.py ] || skip "libpython3.11-testsuite is not installed"

modules="test_signal test_threading test_subprocess test_mmap test_io test_socket test_ctypes
	test_faulthandler test_fork1 test_posix test_thread test_os test_select test_selectors test_wait4
	test_popen test_resource test_gc test_threadsignals test_eintr test_fcntl test_pty
	test_multiprocessing_fork"

# Those that fail are listed as "FAIL: name" or "ERROR: name"; a module that dies is one as well.
failing()
{
	local module=$1
	shift
	(
		mkdir -p "$WORK/folder" && cd "$WORK/folder" || exit 1
		timeout 400 env "$@" /usr/bin/python3 -m test -v "$module" >"$WORK/log" 2>&1
		case $? in 0 | 2) ;; *) echo "$module: status $?" ;; esac
		grep -E '^(FAIL|ERROR): ' "$WORK/log" | sort
	)
	rm -rf "$WORK/folder"
}

for module in $modules; do
	failing "$module" PLAIN=1 >"$WORK/plain"
	failing "$module" COWSPY_SIGNAL=none COWSPY_OUTPUT="$WORK/reports.%p" \
		LD_PRELOAD="$TEST_LIBRARY" >"$WORK/watched"
	new=$(comm -13 "$WORK/plain" "$WORK/watched")
	[ -z "$new" ] || wrong "$module: $new"
	rm -f "$WORK"/reports.*
done
