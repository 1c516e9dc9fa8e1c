#!/bin/bash
# cowspy top: what a process copies while it runs, as lines and on terminals of two widths.
# timeout: 60
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

# check_use STATUS WORD ARGUMENT ...: one line on stderr, with WORD.
check_use()
{
	local status=$1 word=$2
	shift 2
	"$cowspy" top "$@" >out 2>err
	expect_equal "status of 'cowspy top $*'" "$status" $?
	expect_equal "lines on stderr of 'cowspy top $*'" 1 "$(wc -l <err)"
	grep -q -e "$word" err || wrong "'cowspy top $*' does not say $word: $(cat err)"
}
check_use 2 "no option --frob" --frob
check_use 2 "number of seconds" --delay x
check_use 2 "number of looks" --count 0
check_use 3 "No such file" missing
check_use 3 "writes no trace" $$
check_use 2 "which recording"
"$cowspy" top --help | grep -q "example: cowspy top" || wrong "no example"
for option in $("$cowspy" top --help | grep -o -e '--[a-z-]*'); do
	grep -q -e "${option//-/\\\\-}" "$TOP/tools/man/cowspy-top.1" || wrong "cowspy-top.1: no $option"
done

# Before the fork 100 pages are touched first; after it the parent copies 300, the child none. A line
# on its input ends the program.
mkdir recording
coproc victim { COWSPY_SCOPE=all watched COWSPY_OUTPUT="$WORK/recording/%p" /usr/bin/python3 -c '
import mmap, os, sys
memory = mmap.mmap(-1, 400 * 4096, flags=mmap.MAP_PRIVATE)
def write(first, last):
    for page in range(first, last):
        memory[page * 4096] = 1
write(0, 300)
ends = os.pipe()
if os.fork() == 0:
    os.close(ends[1])
    os.read(ends[0], 1)
    os._exit(0)
write(0, 300)
print("ready", flush=True)
sys.stdin.readline()
os.close(ends[1])
os.wait()' 2>/dev/null; }
read -r -u "${victim[0]}" _

"$cowspy" top recording >out 2>err
expect_equal "status" 0 $?
cat err
head -3 out
# 300 pages of 4 KiB are 1.2 MiB.
grep -q '^cowspy top  1\.[2-9] MiB copied since the last fork' out || wrong "not 1.2 MiB: $(head -1 out)"
grep -q '2 processes, 2 running; 1 fork, the last' out || wrong "processes: $(sed -n 2p out)"
grep -q '^ *1\.[2-9] MiB .* python3 (pid' out || wrong "no line for the parent"
"$cowspy" top --all recording >all
touched()
{
	sed -n 's/.*touched first \([0-9.]*\) \([KM]\).*/\1 \2/p' "$1" |
		awk '{print int($1 * ($2 == "M" ? 1024 : 1))}'
}
[ "$(touched all)" -ge $(($(touched out) + 1000)) ] || wrong "--all shows no more than since the fork"
# Later, nothing is copied in the last moment.
"$cowspy" top --count 2 --delay 0.5 recording | grep '^cowspy top' | tail -1 | grep -q ', 0 B/s;' ||
	wrong "a rate without writes"

if type tmux >/dev/null 2>&1; then
	tmux() { command tmux -f /dev/null -L "cowspy-$$-$width" "$@"; }
	for width in 80 200; do
		tmux new-session -d -x $width -y 24 "'$cowspy' top --delay 0.3 recording; echo status \$?; cat"
		for ((i = 0; i < 50; i++)); do
			tmux capture-pane -p >screen
			grep -q "stack of the first write" screen && break
			sleep 0.1
		done
		expect_equal "first line at $width columns" 1 "$(grep -c '^cowspy top  1' screen)"
		expect_equal "keys at $width columns" 1 "$(grep -c '^ q quit  space pause' screen)"
		grep -q " python3 (pid" screen || wrong "no process at $width columns: $(cat screen)"
		# Nothing of a line that is too long stands in the next one.
		grep -v -e '^ ' -e '^cowspy top' -e '^$' screen && wrong "a line at $width columns"
		tmux send-keys s
		sleep 0.5
		tmux capture-pane -p >screen
		grep -q "python3 (pid" screen && wrong "s does not hide processes"
		tmux send-keys q
		sleep 0.5
		tmux capture-pane -p >screen
		grep -q '^status 0' screen || wrong "q does not end it: $(cat screen)"
		tmux kill-server
	done
else
	echo "not checked on a terminal: tmux is not installed"
fi

victim_end=${victim[1]}
echo >&"$victim_end"
# shellcheck disable=SC2154 # set by coproc
wait "$victim_PID"
"$cowspy" top --batch recording >out
expect_equal "headings when all has ended" 1 "$(grep -c '^cowspy top' out)"
# What was copied stands first, not what copied last.
awk '/ mapping$/ { getline; print; exit }' out | grep -q '^ *1\.[2-9] MiB ' ||
	wrong "the largest mapping is not the first: $(cat out)"
grep -q '2 processes, all ended' out || wrong "not ended: $(sed -n 2p out)"
printf 'x' >>"$(find recording -name '*.trace' | head -1)"
truncate -s 1000 "$(find recording -name '*.trace' | head -1)"
"$cowspy" top recording >out
expect_equal "status of a damaged recording" 4 $?
