#!/bin/bash
# CPython: its own tests of json and re, large structures, threads, fork with copying on both sides.
# timeout: 300
. "$TOP/tests/lib.sh"

python=/usr/bin/python3
compare()
{
	"$TOP/tests/real/compare.sh" "$@" || wrong "$*"
}

compare --filter 's/[0-9.]+ (sec|ms|min)[ 0-9.sec]*/TIME/; s/^[0-9:]+ load avg: [0-9.]+/TIME/;
	s/in [0-9.]+s/TIME/; s/pid=[0-9]+|worker_[0-9]+/ID/' \
	$python -m test test_json test_re
compare $python "$TOP/tests/real/structures.py"
