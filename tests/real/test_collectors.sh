#!/bin/bash
# Programs that protect their own memory and handle the faults: Boehm's collector in incremental
# mode, GNU libsigsegv; and C++ exceptions, with libgcc's unwinder and with libunwind's.
# timeout: 120
. "$TOP/tests/lib.sh"

real=$TOP/tests/real
gcc -O1 -g -o "$WORK/gc" "$real/gc_work.c" -lgc || wrong "libgc"
gcc -O1 -g -o "$WORK/sigsegv" "$real/sigsegv_work.c" -lsigsegv || wrong "libsigsegv"
g++ -O1 -g -pthread -o "$WORK/exceptions" "$real/exceptions_work.cc" || wrong "g++"
g++ -O1 -g -pthread -o "$WORK/exceptions_libunwind" "$real/exceptions_work.cc" \
	-Wl,--no-as-needed -lunwind || wrong "libunwind"
for program in gc sigsegv exceptions exceptions_libunwind; do
	"$real/compare.sh" "$WORK/$program" || wrong "$program"
done
