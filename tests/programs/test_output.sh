#!/bin/bash
# Where reports go: a file for each process, none ever overwritten, stderr when nothing else works.
. "$TOP/tests/lib.sh"

plain=$("$PROGRAMS/fork_lists")

out=$(watched COWSPY_OUTPUT="$WORK/x.%p" "$PROGRAMS/fork_lists" 2>"$WORK/stderr")
expect_equal "status with a pattern" 0 $?
expect_equal "output with a pattern" "$plain" "$out"
expect_equal "files with a pattern" 2 "$(find "$WORK" -name "x.*" ! -name "*.trace" | wc -l)"
expect_equal "reports with a pattern" 4 "$(reports_in "$WORK"/x.*)"
report check "$WORK"/x.*[0-9] || wrong "a report's sums"
[ "$(wc -l <"$WORK/stderr")" -le 2 ] || wrong "more than a line a process on stderr: $(cat "$WORK/stderr")"

# The same name for both processes, and a file of the user's there already.
echo "not yours" >"$WORK/same"
watched COWSPY_OUTPUT="$WORK/same" "$PROGRAMS/fork_lists" >/dev/null 2>&1
expect_equal "status with one name" 0 $?
expect_equal "the user's file" "not yours" "$(head -1 "$WORK/same")"
expect_equal "reports with one name" 4 "$(reports_in "$WORK"/same*)"
expect_equal "bare names after a second run" 4 "$(reports_in "$WORK"/x.*)"

for path in /nonexistent/x "$WORK" /proc/x; do
	out=$(watched COWSPY_OUTPUT="$path" "$PROGRAMS/four_pages" 2>"$WORK/stderr")
	expect_equal "status with $path" 0 $?
	expect_equal "output with $path" "four pages: two copied" "$out"
	expect_equal "reports on stderr with $path" 1 "$(reports_in "$WORK/stderr")"
	expect_equal "lines that name $path" 1 "$(grep -c "cannot.*$path" "$WORK/stderr")"
done

# Bare use: the started program reports; what it executes does not.
out=$(watched sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/echo $i; done; ls / | wc -l' \
	2>"$WORK/stderr")
expect_equal "output of a script" "$(seq 10; find / -maxdepth 1 ! -name '.*' ! -path / | wc -l)" "$out"
expect_equal "reports of a script" 1 "$(reports_in "$WORK/stderr")"
