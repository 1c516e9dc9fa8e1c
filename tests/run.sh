#!/bin/bash
# Runs the tests and ends with the line "N passed, N failed, N skipped".
#
#   tests/run.sh [--slow] [--list] [NAME ...]
#
# NAME is a test as --list prints it, or a group (build, unit, programs, real). A test is
#   build/*              the second compiler, lint
#   unit/test_X          a cmocka program
#   programs/X           tests/programs/X.c: run plain, then watched; same output, judged report
#   programs/test_X      tests/programs/test_X.sh
#   real/test_X          tests/real/test_X.sh
# A test passes with status 0 and is skipped with 77. Lines of its source set what it needs:
# `timeout: SECONDS`, `environment: NAME=VALUE ...`, `run by: SCRIPT` (not a test of its own), `slow`.
set -u

cd "$(dirname "$0")/.." || exit 2
TOP=$PWD
export TOP
BUILD=${BUILD:-build}
BUILT=$(realpath -m "$BUILD")
export PROGRAMS=$BUILT/programs
export TEST_LIBRARY=$BUILT/libcowspy.so
DEFAULT_TIMEOUT=300

slow=
list=
one=
names=()
for argument; do
	case $argument in
	--slow) slow=1 ;;
	--list) list=1 ;;
	--one) one=1 ;; # from run_confined
	-*) echo "run.sh: unknown option $argument" >&2; exit 2 ;;
	*) names+=("$argument") ;;
	esac
done
[ -n "$one" ] || export TEST_SLOW=$slow

# The value of a line `KEY: VALUE` or, for a bare KEY, "yes", in the comments of a source file.
directive()
{
	sed -nE -e "s@^(/\*|#) $2: *@@p" -e "s@^(/\*|#) $2( \*/)?\$@yes@p" "$1" |
		sed 's@ *\*/$@@' | head -1
}

source_of()
{
	case $1 in
	unit/*) echo "tests/$1.c" ;;
	programs/test_* | real/*) echo "tests/$1.sh" ;;
	programs/*) echo "tests/$1.c" ;;
	*) echo /dev/null ;;
	esac
}

all_tests()
{
	local file name
	echo build/clang
	echo build/lint
	for file in tests/unit/test_*.c tests/programs/*.c tests/programs/test_*.sh \
		tests/real/test_*.sh; do
		[ -e "$file" ] || continue
		[ -z "$(directive "$file" 'run by')" ] || continue
		[ -n "$slow" ] || [ -z "$(directive "$file" slow)" ] || continue
		name=${file#tests/}
		echo "${name%.*}"
	done
}

chosen_tests()
{
	local name
	if [ ${#names[@]} = 0 ]; then
		all_tests
		return
	fi
	for name in "${names[@]}"; do
		slow=1 all_tests | grep -e "^$name\$" -e "^$name/" || echo "$name"
	done
}

# Plain first: what the program does by itself is what it must do when watched.
run_program()
{
	local name=${1#programs/} settings status
	read -r -a settings <<<"$(directive "tests/$1.c" environment)"
	CHECK_NOTES=$WORK/plain.notes "$PROGRAMS/$name" >"$WORK/plain.out"
	status=$?
	if [ $status != 0 ]; then
		echo "fails without the library: status $status"
		return $status
	fi
	env COWSPY_OUTPUT="$WORK/report.%p" COWSPY_PAGE_MAP=1000 COWSPY_STACKS=1000 \
		"${settings[@]}" CHECK_NOTES="$WORK/notes" LD_PRELOAD="$TEST_LIBRARY" \
		"$PROGRAMS/$name" >"$WORK/watched.out"
	status=$?
	if [ $status != 0 ]; then
		echo "watched: status $status, plain: 0"
		return 1
	fi
	diff "$WORK/plain.out" "$WORK/watched.out" || return 1
	/usr/bin/python3 "$TOP/tests/programs/report.py" judge "$WORK/notes" "$WORK/report."
}

run_test()
{
	case $1 in
	build/clang) "${MAKE:-make}" --no-print-directory CC=clang BUILD="$BUILD/clang" all tests ;;
	build/lint) "${MAKE:-make}" --no-print-directory -k lint ;;
	unit/*) "$BUILT/$1" ;;
	programs/test_* | real/test_*) "$TOP/tests/$1.sh" ;;
	programs/*) run_program "$1" ;;
	*) echo "no such test: $1"; return 1 ;;
	esac
}

# In a process group of its own, in a folder of its own, for a limited time, without core files.
run_confined()
{
	local limit=$1 name=$2
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/cowspy-test.XXXXXX") || return 1
	export WORK TMPDIR=$WORK
	ulimit -c 0
	BUILD=$BUILD timeout -k 5 "$limit" tests/run.sh ${slow:+--slow} --one "$name" </dev/null
	local status=$?
	[ $status != 124 ] && [ $status != 137 ] || echo "ended after $limit seconds"
	rm -rf "$WORK"
	return $status
}

if [ -n "$one" ]; then
	run_test "${names[0]}"
	exit
fi
if [ -n "$list" ]; then
	chosen_tests
	exit 0
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
passed=0 failed=0 skipped=0
for name in $(chosen_tests); do
	limit=$(directive "$(source_of "$name")" timeout)
	began=$EPOCHREALTIME
	(run_confined "${limit:-$DEFAULT_TIMEOUT}" "$name") >"$output" 2>&1
	status=$?
	ended=$EPOCHREALTIME
	took=$(((${ended/./} - ${began/./}) / 10000))
	case $status in
	0) word=pass; passed=$((passed + 1)) ;;
	77) word=skip; skipped=$((skipped + 1)) ;;
	*) word=FAIL; failed=$((failed + 1)) ;;
	esac
	printf '%s  %-32s %4d.%02d s' $word "$name" $((took / 100)) $((took % 100))
	[ $status != 77 ] || printf '  %s' "$(tail -1 "$output")"
	echo
	if [ $word = FAIL ] || [ -n "${VERBOSE:-}" ]; then
		cat "$output"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
