#!/bin/bash
# Names of what was written: variables by the symbol table, heap, malloc arenas, named memory; in
# programs with and without symbols. Labels, periods since the fork, pages, callers.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

record()
{
	mkdir "$1"
	watched COWSPY_OUTPUT="$WORK/$1/%p" "$2" 2>/dev/null
	expect_equal "status of the recorded program" 0 $?
}

by()
{
	local folder=$1 what=$2
	shift 2
	"$cowspy" report --json --limit 0 --side child --by "$what" "$@" "$folder" |
		/usr/bin/python3 -c '
import json, sys
for group in json.load(sys.stdin)["groups"]:
    print(group["copies"], group["name"])'
}

record with "$PROGRAMS/owners"
by with object >objects
cat >expected <<'EOF'
3 hidden_table (owners), 32.0 KiB
1 initialised_table (owners), 32.0 KiB
1 [malloc arena]
1 [heap]
1 session table
1 by the kernel
EOF
sort -o expected expected
grep -v '^0 ' objects | sort | diff expected - || wrong "objects"

echo "-- the place in a page"
"$cowspy" report --pages --limit 0 with >pages
for place in 'initialised_table+0x2040 (owners)' 'hidden_table+0x3123 (owners)'; do
	grep -qF "write_all (owners)                    $place" pages || wrong "no $place"
done
"$cowspy" report --json --pages --limit 0 with | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
pages = report["pages"]
assert len(pages) == report["first_writes"]
assert [page["page"] for page in pages if page["pid"] == pages[-1]["pid"]] == \
    sorted(page["page"] for page in pages if page["pid"] == pages[-1]["pid"])
assert {page["object"] for page in pages} >= {"hidden_table+0x4000 (owners)", "[heap]"}
' || wrong "--json --pages"

echo "-- without names, stripped"
by with object --no-names | grep -q '_table' && wrong "--no-names names objects"
cp "$PROGRAMS/owners" stripped && strip stripped || exit 1
record without "$WORK/stripped"
by without object >objects
grep -qx '3 .bss (stripped)' objects || wrong "the section of what has no symbol"
grep -qx '1 .data (stripped)' objects || wrong "the section of what has no symbol"

echo "-- labels and periods"
by with label | diff - <(printf '%s\n' '6 [before any label]' '1 after first round' \
	'1 after second\x0around') || wrong "labels"
by with time | grep -q '^[1-8] .* \(ms\|fork\)$' || wrong "periods"
"$cowspy" report --by time with | grep -q 'before any fork' || wrong "nothing before the fork"

echo "-- callers"
"$cowspy" report --json --callers --side child --kind fork with | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
def chain(nodes):
    return [nodes[0]["function"], *chain(nodes[0]["callers"])] if nodes else []
def weight(nodes):
    for node in nodes:
        callers = node.get("callers", [])
        assert not callers or sum(n["bytes"] for n in callers) <= node["bytes"], node
        weight(callers)
callers = report["callers"]
assert callers[0]["function"] == "write_all" and callers[0]["callers"][0]["function"] == "main"
assert sum(node["copied_bytes"] for node in callers) == report["copied_bytes"]
weight(callers)
' || wrong "callers"
"$cowspy" report --callers --side child with | grep -A1 '^ .*write_all (owners)$' |
	grep -q '^ *main (owners)$' || wrong "the only caller is not below"

echo "-- forks"
"$cowspy" report --json with | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
fork, = report["forks"]
child = fork["child_side"]
assert child["pid"] == fork["child"], fork
page = 4096
assert child["copied_bytes"] == child["copied_in_first_minute_bytes"] == 8 * page, child
assert child["shared_before_bytes"] == 7 * page, child
kinds = report["kinds"]
sides = child, fork["parent_side"]
assert sum(side["reused_bytes"] for side in sides) == kinds["reuse"] * page
assert kinds.get("fill", 0) * page >= sum(side["filled_bytes"] for side in sides)
' || wrong "forks"

grep -qE '^  [0-9a-f]+-[0-9a-f]+ .* yes +\[\.bss\] .*/owners$' "$(grep -l 'a forked child' with/*)" ||
	wrong "the .bss has no name in the report"

echo "-- what is never protected is listed, with sizes and copied pages"
text=$(grep -l 'a forked child' with/*)
for why in 'stacks of threads and of signals' 'of libc, the loader, libunwind and cowspy'; do
	grep -qE "^  not tracked: [0-9]+ mappings?, [0-9.]+ [KM]iB, [1-9][0-9]* pages? copied: $why" \
		"$text" || wrong "no line: $why"
done
grep -qE '^    .* \[stack\], a stack$' "$text" || wrong "the stack is not listed"
grep -qE '^    .*/libc\.so\.6, of a library$' "$text" || wrong "libc is not listed"
"$cowspy" report with | grep -qE '^  not protected: .* copied [1-9][0-9.]* KiB: of libc' ||
	wrong "the recording does not tell what is not protected"
exit 0
