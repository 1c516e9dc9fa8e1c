#!/bin/bash
# A signal comes while a read into a protected page takes its buffer, and another before the bytes are
# where the program wants them: its handler reads, too. gdb makes it come at these moments.
. "$TOP/tests/lib.sh"
command -v gdb >/dev/null || skip "gdb is not installed"

# The one line that a handler must not come between.
line=$(grep -n 'buffer->frame = frame;' "$TOP/preload/track/staging.c" | cut -d: -f1)
[ -n "$line" ] || wrong "no such line in staging.c"

cat >"$WORK/commands" <<EOF
set confirm off
set breakpoint pending on
handle SIGSEGV SIGSYS SIGALRM nostop noprint pass
set exec-wrapper env LD_PRELOAD=$TEST_LIBRARY
tbreak staging.c:$line
break deliver
run
signal SIGALRM
continue
signal SIGALRM
continue
continue
EOF
timeout 60 gdb -nx -batch -x "$WORK/commands" "$PROGRAMS/nested_read" >"$WORK/out" 2>&1
[ "$(grep -cE '^(Temporary b|B)reakpoint [0-9]+, ' "$WORK/out")" -ge 4 ] || wrong "it did not stop there"
grep -q '^all bytes are its own' "$WORK/out" || wrong "$(cat "$WORK/out")"
exit 0
