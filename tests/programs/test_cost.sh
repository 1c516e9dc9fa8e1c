#!/bin/bash
# What reports and traces say that watching has cost, against what the program did.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

# number TRACE NAME: of a process's cost
number()
{
	"$cowspy" report --json "$1" | /usr/bin/python3 -c "import json, sys
[process] = json.load(sys.stdin)['processes']
print(process['cost']['$2'])" || wrong "$2 in $1"
}

# line WORDS FILE: a line of the section, without digits' commas
line()
{
	sed -n '/^cost$/,$p' "$2" | tr -d , | grep -q -- "$1" || wrong "no '$1' in $(tail -7 "$2")"
}

vmas=$(watched COWSPY_OUTPUT="$WORK/of.%p" "$PROGRAMS/cost" 2>stderr) || wrong "status: $(cat stderr)"
child=$(grep -l 'a forked child' of.*[0-9])
parent=$(grep -L 'a forked child' of.*[0-9])

expect_equal "VMAs of the program" 1001 "$vmas"
expect_equal "VMAs at most" 1200 "$(number "$parent.trace" vmas_added_most)"
[ "$(number "$parent.trace" vmas_added)" -lt 100 ] || wrong "VMAs are counted that a fork closed"
line 'VMAs added: [0-9]* now 1200 at most' "$parent"
faults=$(number "$parent.trace" faults)
[ "$faults" -ge 600 ] && [ "$faults" -lt 620 ] || wrong "$faults faults of 600"
timed=$(number "$parent.trace" faults_timed)
[ "$timed" -ge 25 ] && [ "$timed" -lt 40 ] || wrong "$timed of $faults faults were timed"
[ "$(number "$parent.trace" handler_nanoseconds)" -gt 60000 ] || wrong "no time in the handler"
[ "$(number "$parent.trace" mprotect_calls)" -ge 600 ] || wrong "mprotect calls are missing"
line "for $faults faults by $timed that were timed" "$parent"

faults=$(number "$child.trace" faults)
[ "$faults" -ge 10 ] && [ "$faults" -lt 30 ] || wrong "$faults faults of 10 in the child"
[ "$(number "$child.trace" report_nanoseconds)" -gt 0 ] || wrong "the report took no time"
resident=$(number "$child.trace" resident_bytes)
[ "$resident" -ge 4096 ] && [ "$resident" -le "$(number "$child.trace" address_space_bytes)" ] ||
	wrong "$resident bytes resident"
"$cowspy" report of.*.trace >both 2>&1 || "$cowspy" report . >both || wrong "status of report"
grep -q 'cost, up to the last snapshots of 2 processes' both || wrong "$(cat both)"
