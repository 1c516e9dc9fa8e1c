#!/bin/bash
# python3: a parent with many objects; its forked child iterates over them, collects garbage, or
# collects after the parent's gc.freeze(). Report and kernel agree in both, and the stacks name it.
# timeout: 300
. "$TOP/tests/lib.sh"
. "$TOP/tests/real/proof.sh"
proof_begin

objects=100000
[ -z "$TEST_SLOW" ] || objects=500000

# run WORK: with its reports under $WORK/WORK; the child's copied pages go to $copied.
run()
{
	local parent child found report
	copied=0
	mkfifo "$WORK/in" "$WORK/out"
	"${proven[@]}" /usr/bin/python3 "$TOP/tests/real/objects.py" "$1" $objects \
		<"$WORK/in" >"$WORK/out" &
	parent=$!
	exec 9>"$WORK/in" 7<"$WORK/out"
	proof_fork $parent before || return
	read -r -u 7 child found
	prove "$1: child $child found $found" "$child" before
	prove "$1: parent" $parent before
	report=$WORK/report.$child
	copied=$(report total copied "$report")
	exec 9>&-
	expect_equal "$1: the parent's last line" "child ended with status 0" "$(cat <&7)"
	exec 7<&-
	wait $parent
	expect_equal "$1: status" 0 $?
	mkdir "$WORK/$1"
	mv "$report" "$report.trace" "$WORK/$1"
	rm "$WORK"/in "$WORK"/out "$WORK"/report.*
	"${TEST_LIBRARY%/*}/cowspy" report --by function --limit 8 "$WORK/$1" >"$WORK/$1.functions"
	"${TEST_LIBRARY%/*}/cowspy" report --limit 3 "$WORK/$1" >"$WORK/$1.stacks"
	sed -n '/^by function/,/^$/p' "$WORK/$1.functions"
}

# names WORK FUNCTION: the first stack goes through it.
names()
{
	sed -n '/^by stack/,$p' "$WORK/$1.stacks" | sed -n '3,/^ .* % /p' | grep -qw "$2" ||
		wrong "$1: $2 is not in the first stack: $(cat "$WORK/$1.stacks")"
}

run iterate
iterated=$copied
names iterate _PyEval_EvalFrameDefault
run collect
collected=$copied
names collect deduce_unreachable
names collect gc_collect_main
run freeze
frozen=$copied
echo "copied pages: iterating $iterated, collecting $collected, after gc.freeze() $frozen"
[ "$iterated" -gt $((50 * frozen)) ] && [ "$collected" -gt $((50 * frozen)) ] ||
	wrong "gc.freeze() made no difference: $iterated, $collected, $frozen pages"
