#!/bin/bash
# A server that forks a child for each request, 300 of them or, with --slow, 10,000: each process has
# its own trace, none is lost or overwritten, and the recording stays readable and small.
# timeout: 580
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

children=300
[ -z "$TEST_SLOW" ] || children=10000

cat >server.py <<'END'
import mmap, os, sys
memory = mmap.mmap(-1, 16 * 4096, flags=mmap.MAP_PRIVATE)
memory[:] = b"x" * (16 * 4096)
for request in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        memory[(request % 16) * 4096] = 1
        os._exit(request % 7)
    status = os.waitpid(pid, 0)[1]
    assert os.waitstatus_to_exitcode(status) == request % 7
END
"$cowspy" record --quiet -o recording -- /usr/bin/python3 server.py $children || wrong "the server: $?"

expect_equal "traces" $((children + 1)) "$(find recording -name '*.trace' | wc -l)"
expect_equal "reports" $((children + 1)) "$(find recording -type f ! -name '*.trace' | wc -l)"
[ "$(du -s --block-size=1K recording | cut -f1)" -lt $((children * 80 + 2000)) ] ||
	wrong "$(du -sh recording) on the disk"
"$cowspy" report --json --no-names --limit 0 recording >report || wrong "status of report: $?"
/usr/bin/python3 -c '
import json, sys
report = json.load(open("report"))
children = [process for process in report["processes"] if process["origin"] == "fork"]
assert len(children) == int(sys.argv[1]), len(children)
assert all(process["closed"] and not process["lost"] for process in children)
# The page that the request is written to is one of each childs copies.
assert all(process["copies"] for process in children)' $children || wrong "the report"
