#!/bin/bash
# A million first writes with ten thousand stacks are reported in at most 2 s of CPU and 200 MB.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy

/usr/bin/python3 "$TOP/tests/programs/make_trace.py" "$WORK/large.trace" "$cowspy" \
	1000000 10000 30 || exit 1
/usr/bin/python3 - "$cowspy" "$WORK/large.trace" <<'END' || wrong "too slow or too large"
import os
import sys

cowspy, trace = sys.argv[1:]
for arguments in (["report"], ["report", "--by", "function", "--json"],
                  ["export", "--format", "folded"], ["export", "--format", "pprof"],
                  ["export", "--format", "speedscope"]):
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.execv(cowspy, ["cowspy", *arguments, trace])
    _, status, usage = os.wait4(child, 0)
    seconds, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print("%-40s %5.2f s %6.1f MiB" % (" ".join(arguments), seconds, memory))
    assert status == 0 and seconds <= 2 and memory <= 190
END
