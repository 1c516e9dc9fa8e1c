#!/bin/bash
# cowspy record: the program behaves as by itself, the recording is where it was said to be, and what
# cannot be recorded is refused with the reason.
# timeout: 60
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

trace()
{
	/usr/bin/python3 "$TOP/tests/programs/trace_dump.py" "$@"
}

# --- output, status, names, lines
plain=$("$PROGRAMS/fork_lists")
out=$("$cowspy" record "$PROGRAMS/fork_lists" 2>err)
expect_equal "status" 0 $?
expect_equal "output" "$plain" "$out"
folder=$(echo cowspy.fork_lists.*)
pid=${folder##*.}
[ -s "$folder/$pid" ] && [ -s "$folder/$pid.trace" ] || wrong "files in $folder: $(ls "$folder")"
expect_equal "traces" 2 "$(find "$folder" -name '*.trace' | wc -l)"
expect_equal "first line" "cowspy: recording process $pid into $folder" "$(head -1 err)"
expect_equal "last line" "  cowspy report $folder" "$(tail -1 err)"
expect_equal "lines" 3 "$(wc -l <err)"
grep -q "recorded 2 processes, [0-9]* first writes" err || wrong "no sum: $(cat err)"
expect_equal "mode of the folder" 700 "$(stat -c %a "$folder")"
rm -rf cowspy.*

"$cowspy" record -q -o "100%p of it" -- sh -c 'exit 7' 2>err
expect_equal "status 7" 7 $?
expect_equal "lines when quiet" "" "$(cat err)"
expect_equal "traces in a folder with a strange name" 1 "$(find "100%p of it" -name '*.trace' | wc -l)"
"$cowspy" record -o "100%p of it" true 2>err
expect_equal "last line for a strange name" "  cowspy report '100%p of it'" "$(tail -1 err)"
expect_equal "traces of two runs" 2 "$(find "100%p of it" -name '*.trace' | wc -l)"

# --- ends by signals, and signals sent to us
for signal in TERM KILL SEGV USR2; do
	(
		ulimit -c 0
		exec "$cowspy" record -q -o "$signal" sh -c "kill -$signal \$\$"
	) 2>/dev/null
	status=$?
	expect_equal "status by $signal" $((128 + $(kill -l $signal))) $status
done
/usr/bin/python3 - "$cowspy" <<'END' || wrong "the signal that ended the program did not end us"
import signal, subprocess, sys
done = subprocess.run([sys.argv[1], "record", "-q", "-o", "x", "sh", "-c", "kill -TERM $$"])
sys.exit(done.returncode != -signal.SIGTERM)
END
for signal in TERM HUP USR2 WINCH; do
	"$cowspy" record -q -o passed bash -c "trap 'echo got $signal; exit 5' $signal
		touch ready.$signal; while :; do sleep 0.02; done" >out 2>err &
	pid=$!
	while [ ! -e ready.$signal ]; do sleep 0.02; done
	kill -$signal $pid
	wait $pid
	expect_equal "status after $signal" 5 $?
	expect_equal "output after $signal" "got $signal" "$(cat out)"
done
nohup "$cowspy" record -q -o ignored bash -c 'kill -HUP $$; echo alive' >out 2>/dev/null
expect_equal "an ignored signal" alive "$(cat out)"

# --- the environment
out=$(LD_PRELOAD=libc.so.6 "$cowspy" record -q -o preload sh -c 'echo "$LD_PRELOAD"' 2>err)
expect_equal "an existing LD_PRELOAD" "libc.so.6:$TEST_LIBRARY" "$out"
"$cowspy" record -q -o options -s all -d 5 -S USR2 sh -c \
	'echo $COWSPY_SCOPE $COWSPY_STACK_DEPTH $COWSPY_SIGNAL' >out
expect_equal "options" "all 5 USR2" "$(cat out)"

# --- children
"$cowspy" record -q -o follow sh -c '/bin/true; (:); exit 0'
[ "$(find follow -name '*.trace' | wc -l)" -ge 2 ] || wrong "children are not followed"
"$cowspy" record -q --no-follow -o alone "$PROGRAMS/fork_lists" >/dev/null
expect_equal "files without children" 2 "$(find alone -type f | wc -l)"
"$cowspy" record -q -n -o alone2 sh -c '/bin/true; exit 0'
expect_equal "files without started programs" 2 "$(find alone2 -type f | wc -l)"

# --- a line on the terminal
/usr/bin/python3 - "$cowspy" <<'END' || wrong "no line of progress"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "record", "--progress", "-o", "progress", "sleep", "1.5"])
text = b""
try:
    while True:
        text += os.read(terminal, 4096)
except OSError:
    pass
sys.exit(b"\r\x1b[Kcowspy: 1 process, " not in text or os.waitpid(pid, 0)[1])
END

# --- refusals: status, one line, a word, nothing left behind
refused()
{
	local status=$1 word=$2
	shift 2
	"$cowspy" record "$@" >out 2>err
	expect_equal "status of '$*'" "$status" $?
	expect_equal "lines of '$*'" 1 "$(wc -l <err)"
	grep -q -e "$word" err || wrong "'$*' does not say $word: $(cat err)"
	[ ! -e "$(echo cowspy.*)" ] || wrong "'$*' leaves $(echo cowspy.*)"
	rm -rf cowspy.*
}

refused 127 "no such program" there-is-no-such-program
refused 127 "No such file" ./there-is-no-such-file
touch plain
refused 126 "Permission denied" ./plain
refused 2 "which program" -q
refused 2 "auto, mmap, all" --scope some true
refused 2 "0 to 128" --depth 129 true
refused 2 "no option --frob" --frob true
refused 1 "No such file" --library /nowhere/libcowspy.so true
refused 1 "/nowhere/at/all: No such file" -o /nowhere/at/all true

echo 'int main(void) { return 0; }' | gcc -x c -static -o static - 2>/dev/null &&
	refused 1 "linked statically" ./static
printf '#!%s/static\n' "$WORK" >script
printf '#!/usr/bin/env -S %s/static\n' "$WORK" >script.env
printf '#!/nowhere/interpreter\n' >script.none
printf '\177ELF\001\001\001\0\0\0\0\0\0\0\0\0\002\0\003\0\001\0\0\0%044d' 0 >foreign
printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\363\0\001\0\0\0%044d' 0 >riscv
chmod +x script script.env script.none foreign riscv
[ ! -e static ] || refused 1 "linked statically" ./script
[ ! -e static ] || refused 1 "linked statically" ./script.env
refused 1 "/nowhere/interpreter" ./script.none
refused 1 "64 bits" ./foreign
refused 1 "64 bits" ./riscv
if [ "$(id -u)" = 0 ] && cp /bin/true setuid && chown 65534 setuid && chmod 4755 setuid; then
	grep -q nosuid <(findmnt -no OPTIONS -T .) || refused 1 "setuid" ./setuid
fi
