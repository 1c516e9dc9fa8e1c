#!/bin/bash
# The command line of cowspy: help, wrong use, exit statuses, each one clear line.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy

# check_use STATUS LINES WORD ARGUMENT ...: LINES lines on stderr, among them one with WORD.
check_use()
{
	local status=$1 lines=$2 word=$3
	shift 3
	"$cowspy" "$@" >"$WORK/out" 2>"$WORK/err"
	expect_equal "status of 'cowspy $*'" "$status" $?
	expect_equal "lines on stderr of 'cowspy $*'" "$lines" "$(wc -l <"$WORK/err")"
	grep -q -e "$word" "$WORK/out" "$WORK/err" || wrong "'cowspy $*' does not say $word"
}

check_use 2 "$("$cowspy" 2>&1 | wc -l)" "usage: cowspy"
check_use 0 0 "usage: cowspy" --help
check_use 0 0 "^cowspy [0-9]" --version
check_use 2 1 "no verb 'frob'" frob
check_use 2 1 'x1b.2J' $'\e[2J'
for verb in pages compare snapshot; do
	check_use 0 0 "example: cowspy $verb" $verb --help
	check_use 2 1 "process id" $verb
	pids=(x1)
	[ $verb != compare ] || pids=(1 x1)
	check_use 2 1 "'x1' is not a process id" $verb "${pids[@]}"
	check_use 2 1 "no option --frob" $verb --frob
	man -l "$TOP/tools/man/cowspy-$verb.1" >/dev/null 2>&1 || [ -z "$(command -v man)" ] ||
		wrong "man page of $verb"
	for option in $("$cowspy" $verb --help | grep -o -e '--[a-z]*'); do
		grep -q -e "${option//-/\\\\-}" "$TOP/tools/man/cowspy-$verb.1" ||
			wrong "cowspy-$verb.1 does not name $option"
	done
done
check_use 3 1 "no process 4194304" pages 4194304
check_use 3 1 "no process 4194304" snapshot 4194304
check_use 3 1 "no process 4194304" compare $$ 4194304
check_use 2 1 "at least two" compare $$
check_use 2 1 "named twice" compare $$ $$
check_use 2 1 "no range" pages $$ 2000-1000
check_use 2 1 "not a number of seconds" pages --watch -1 $$
check_use 2 1 "not a number of looks" pages --count x $$

"$cowspy" pages $$ >/dev/full 2>"$WORK/err"
expect_equal "status when the output is full" 1 $?
expect_equal "lines about it" 1 "$(grep -c 'standard output: No space' "$WORK/err")"
