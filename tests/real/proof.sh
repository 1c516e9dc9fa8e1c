# For tests that prove a report on real processes by the kernel's frame numbers; see frames.py.
# shellcheck shell=bash

# The library with the page maps and stacks that the proof reads: "${proven[@]}" COMMAND ... &
# Servers have a use for SIGUSR1 and SIGUSR2 themselves: frames.py asks by signal 50.
# shellcheck disable=SC2034 # for the tests
proven=(env LD_PRELOAD="$TEST_LIBRARY" COWSPY_OUTPUT="$WORK/report.%p" COWSPY_PAGE_MAP=1000000
	COWSPY_STACKS=1000 COWSPY_SIGNAL=50)

frames()
{
	/usr/bin/python3 -B "$TOP/tests/real/frames.py" "$@"
}

# Skips the test where there is no proof.
proof_begin()
{
	frames possible now || skip "no frame numbers: this needs CAP_SYS_ADMIN"
}

# until_true SECONDS COMMAND ...: until it succeeds.
until_true()
{
	local tries=$(($1 * 20))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

is_stopped()
{
	grep -q '^State:.T' "/proc/$1/status"
}

# proof_fork PID NAME: the process stops itself just before its fork; its frames go to NAME.
proof_fork()
{
	until_true 120 is_stopped "$1" || { wrong "process $1 does not stop for its fork"; return 1; }
	frames save "$1" "$WORK/$2"
	kill -CONT "$1"
}

# prove WHAT PID BEFORE [FIRST]: a report of the process, now at rest, against its frames.
prove()
{
	echo "-- $1"
	if ! frames moment "$2" "${reports:-$WORK/report.}$2" "$WORK/now"; then
		wrong "$1: no moment to judge"
		return
	fi
	frames judge "$WORK/$3" "$WORK/now" 99.5 ${4:+"$WORK/$4"} || wrong "$1: report and kernel differ"
}
