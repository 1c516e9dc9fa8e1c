#!/bin/bash
# What the verbs print with --json has the form that json_schemas.py says, whatever else is asked for.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

# check VERB ARGUMENT ...
check()
{
	local verb=$1
	"$cowspy" "$@" >out 2>err || wrong "status of 'cowspy $*': $? $(cat err)"
	/usr/bin/python3 "$TOP/tests/programs/json_schemas.py" "$verb" out || wrong "cowspy $*"
}

"$cowspy" record --quiet -o recording -- /usr/bin/python3 \
	"$TOP/tests/programs/tool_report_victim.py" 30 2>/dev/null || wrong "the recording"
for by in stack function module mapping object process time label slice; do
	check report --json --by $by recording
done
for option in --callers --pages --no-names "--kind copied" "--side child" "--limit 0"; do
	# shellcheck disable=SC2086 # two words
	check report --json $option recording
done
check diff --json recording recording
check diff --json --by function --no-names recording recording
check export --format json recording
sleep 60 &
check pages --json $!
check compare --json $! $$
cp -r recording damaged
truncate -s 1000 "$(find damaged -name '*.trace' | head -1)"
"$cowspy" report --json damaged >out
/usr/bin/python3 "$TOP/tests/programs/json_schemas.py" report out || wrong "a damaged recording"
