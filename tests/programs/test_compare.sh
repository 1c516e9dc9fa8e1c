#!/bin/bash
# COWSPY_COMPARE: how many bytes of the copied pages really changed, in the report and the recording.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

record()
{
	mkdir "$1"
	watched COWSPY_OUTPUT="$WORK/$1/%p" COWSPY_COMPARE="$2" "$PROGRAMS/changes" 2>/dev/null
	expect_equal "status" 0 $?
}

record kept 1
"$cowspy" report --json --limit 0 --by function --kind copied kept | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
PAGE = 4096
groups = {group["name"].split()[0]: group for group in report["groups"]}
def expect(name, pages, changed, identical):
    group = groups[name]
    found = group["compared_bytes"] // PAGE, group["changed_bytes"], group["identical_pages"]
    assert found == (pages, changed, identical), (name, found, group)
expect("silent", 15, 0, 15)
expect("one_byte", 10, 10, 0)
expect("by_read", 5, 5 * PAGE, 0)
assert next(groups[name] for name in groups if "memset" in name)["changed_bytes"] == 4 * PAGE
' || wrong "changed bytes in the recording"
"$cowspy" report kept | grep -q 'amplification: .* copied for .* of these pages are as they were' ||
	wrong "no line in the report"
child=$(grep -l 'a forked child' kept/*)
grep -qE '^  amplification: [0-9.]+ KiB copied for 12.0 KiB of changed bytes' "$child" ||
	wrong "no line in the text: $(grep amplification "$child")"
grep -q 'changed 0 B, identical 10,' "$child" || wrong "no silent stores by stack"

echo "-- not asked for"
record without 0
"$cowspy" report without | grep -q amplification && wrong "compared without being asked"
grep -q amplification without/* && wrong "compared without being asked"

echo "-- used up: 256 pages are kept, the others counted"
cat >many.py <<'EOF'
import mmap
import os
with open("pages", "wb") as file:
    file.write(b"x" * 4096 * 600)
with open("pages", "r+b") as file:
    memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE)
for page in range(600):
    memory[page * 4096] = 121
os._exit(0)
EOF
mkdir full
watched COWSPY_OUTPUT="$WORK/full/%p" COWSPY_COMPARE=1 /usr/bin/python3 many.py 2>/dev/null
report=$(grep -l 'amplification' full/*)
grep -q 'amplification: 1.0 MiB copied for 256 B of changed bytes' "$report" || wrong "the limit"
grep -q 'not compared: 344 copied pages' "$report" || wrong "pages that were not kept"
exit 0
