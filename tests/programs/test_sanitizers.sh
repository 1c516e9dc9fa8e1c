#!/bin/bash
# Programs built with sanitizers, which come with handlers, allocators and shadow memory of their
# own, and see every call that the library makes through libc: the same stress as elsewhere.
# timeout: 240
. "$TOP/tests/lib.sh"

# run SANITIZER LINK: linked statically, since its library would have to come before ours.
run()
{
	local folder=$WORK/$1 out
	mkdir "$folder"
	gcc -std=gnu11 -D_GNU_SOURCE -g -O1 "-fsanitize=$1" "$2" -pthread -I"$TOP/include" \
		-o "$folder/program" "$TOP/tests/programs/stress_events.c" 2>"$folder/messages"
	local status=$?
	if [ $status != 0 ]; then
		wrong "$1: gcc: $(tail -1 "$folder/messages")"
		return
	fi
	out=$(setarch -R timeout 60 env LD_PRELOAD="$TEST_LIBRARY" COWSPY_QUIET=on \
		COWSPY_OUTPUT="$folder/report.%p" "$folder/program" 10 "$folder/shadow" \
		2>"$folder/stderr")
	expect_equal "$1: status" 0 $?
	expect_equal "$1: output" "10 forks, 0 values out of place" "$out"
	! grep -e SUMMARY -e ERROR -A 20 "$folder/stderr" || wrong "$1 complains"
	/usr/bin/python3 "$TOP/tests/programs/stress_events_judge.py" "$folder/shadow" \
		"$folder"/*.trace || wrong "$1: the traces"
}

run address -static-libasan
echo "not run: thread, which did not end in one of a few runs on a quiet machine"
run undefined -static-libubsan
