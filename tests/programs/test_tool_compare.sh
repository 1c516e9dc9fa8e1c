#!/bin/bash
# cowspy compare gives the same sets as comparing frame numbers directly.
. "$TOP/tests/lib.sh"
head -c 65536 /dev/zero >"$WORK/file"
export PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 "$TOP/tests/programs/tool_compare_judge.py" \
	"$(dirname "$TEST_LIBRARY")/cowspy" "$WORK/file" || wrong "compare"
