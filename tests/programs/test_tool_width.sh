#!/bin/bash
# Long lines of the verbs: folded at a terminal's width, untouched elsewhere and for a pager.
# timeout: 120
. "$TOP/tests/lib.sh"
cowspy=$(realpath "$(dirname "$TEST_LIBRARY")/cowspy")
cd "$WORK" || exit 1
type tmux >/dev/null 2>&1 || skip "no tmux"

mkdir recording
watched COWSPY_OUTPUT="$WORK/recording/%p" /usr/bin/python3 \
	"$TOP/tests/programs/tool_report_victim.py" 30 2>/dev/null
expect_equal "status of the recorded program" 0 $?

tmux() { command tmux -f /dev/null -L "cowspy-$$-$width" "$@"; }

# on_terminal WIDTH COMMAND: what it shows in `screen`; in `joined` lines that the terminal had to wrap
# are one again. The window is higher than all that is shown.
on_terminal()
{
	width=$1
	rm -f ended
	tmux new-session -d -x "$width" -y 1000 "cd '$WORK'; $2; echo \$? >ended; cat"
	for ((i = 0; i < 100; i++)); do
		[ -s ended ] && break
		sleep 0.1
	done
	expect_equal "status of '$2'" 0 "$(cat ended)"
	sleep 0.2
	tmux capture-pane -p >screen
	tmux capture-pane -p -J >joined
	tmux kill-server
}

words()
{
	tr -d ' \n' <"$1"
}

widest()
{
	awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' "$1"
}

sleep 100 &
sleeper=$!
sleep 100 &
other=$!
for verb in "report --limit 3" "report --callers --limit 2" "report --pages --limit 5" \
	"diff --limit 3 recording" top\ --batch doctor "pages $sleeper" "compare $sleeper $other"; do
	command="'$cowspy' $verb"
	case $verb in
	report* | diff* | top*) command+=" recording" ;;
	esac
	bash -c "$command" >whole
	for width in 80 200; do
		on_terminal $width "PAGER= $command"
		[ "$(widest screen)" -le $width ] || wrong "$verb: wider than $width"
		sed 's/ *$//' screen >a
		sed 's/ *$//' joined >b
		cmp -s a b || wrong "$verb: lines wrapped by a terminal of $width columns: $(diff a b)"
		# A running program's own numbers may differ.
		[[ $verb == pages* || $verb == compare* ]] ||
			expect_equal "$verb: letters at $width columns" "$(words whole)" "$(words screen)"
	done
done
kill $sleeper $other

"$cowspy" report --limit 3 recording >whole
[ "$(widest whole)" -gt 80 ] || wrong "no line of the report is long enough"
on_terminal 80 "PAGER='cat >paged' '$cowspy' report --limit 3 recording"
cmp whole paged || wrong "a pager does not get the lines as they are"

width=80
on_terminal 80 "'$cowspy' record --progress -o long -- sleep 3.5"
grep -q '^cowspy: recorded 1 process, ' screen || wrong "no end: $(cat screen)"
grep -q ' s$' screen && wrong "the line of the progress stays: $(cat screen)"
for program in --help "record --help" "doctor --help" "report --help" "top --help" "export --help" \
	"html --help" "diff --help" "pages --help" "compare --help" "snapshot --help"; do
	# shellcheck disable=SC2086
	"$cowspy" $program >help
	[ "$(widest help)" -le 80 ] || wrong "$program: $(widest help) columns"
done
finish
