#!/bin/bash
# cowspy doctor: this machine, programs that can be watched and others, limits, JSON.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

# doctor STATUS ARGUMENT ...: standard output and error in files.
doctor()
{
	local status=$1
	shift
	"$cowspy" doctor "$@" >out 2>err
	expect_equal "status of 'cowspy doctor $*'" "$status" $?
}

# finding NAME: its state and text.
finding()
{
	/usr/bin/python3 -c '
import json, sys
print(*(f["state"] + " " + f["text"] for f in json.load(sys.stdin)["findings"] if f["name"] == sys.argv[1]))' "$1" <out
}

doctor 0
expect_equal "lines on stderr" 0 "$(wc -l <err)"
grep -q '^cowspy works here' out || wrong "no answer in the first line: $(head -1 out)"

echo "-- programs"
doctor 0 --json cat
expect_equal "a good program" "good $(command -v cat)" "$(finding program)"
expect_equal "the library" "good $TEST_LIBRARY" "$(finding libcowspy.so)"
doctor 0 --json "$cowspy"
expect_equal "symbols of cowspy" "good functions, files and lines" "$(finding symbols)"
ln -s "$cowspy" linked
doctor 0 --json ./linked
expect_equal "symbols of a link by a relative path" "good functions, files and lines" "$(finding symbols)"
doctor 1 --json no-such-program
finding program | grep -q '^bad .*No such file' || wrong "a missing program: $(finding program)"
echo 'int main(void) { return 0; }' | gcc -static -x c -o static - || wrong "no static program"
doctor 1 --json ./static
finding program | grep -q '^bad .*linked statically' || wrong "a static program: $(finding program)"
expect_equal "words on stderr" 0 "$(wc -l <err)"
doctor 1 ./static
grep -q '^cowspy does not work here with ./static: 1 finding$' out || wrong "$(head -1 out)"
gcc -x c -o stripped - -s <<<'int main(void) { return 0; }' || wrong "no stripped program"
doctor 0 --json ./stripped
finding symbols | grep -q '^less stripped' || wrong "a stripped program: $(finding symbols)"
cp static $'static\e[31m'
doctor 1 $'./static\e[31m'
grep -q $'\e' out && wrong "control characters came through"
# Not of this machine: a program of 32 bits by its header.
{ printf '\177ELF\001\001\001'; head -c 200 /dev/zero; } >foreign && chmod +x foreign
doctor 1 --json ./foreign
finding program | grep -q '^bad .*64 bits' || wrong "a foreign program: $(finding program)"

echo "-- limits"
doctor 0 --json
expect_equal "limit of file sizes" "good unlimited" "$(finding "limit of file sizes")"
(
	ulimit -f 1000
	doctor 0 --json
	expect_equal "limit of file sizes" "less 1000 KiB" "$(finding "limit of file sizes")"
	exit $failures
) || wrong "a limit of file sizes"

echo "-- use"
doctor 2 --frob
doctor 2 cat ls
"$cowspy" doctor >/dev/full 2>err
expect_equal "status when the output is full" 1 $?
