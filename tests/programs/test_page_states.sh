#!/bin/bash
# The same four pages through the report, through cowspy_copied inside the program, and through
# `cowspy pages` outside: as root, with the kernel's frame flags, and as an ordinary user.
. "$TOP/tests/lib.sh"

chmod 755 "$WORK"
cp "$(dirname "$TEST_LIBRARY")/cowspy" "$TEST_LIBRARY" "$PROGRAMS/page_states" \
	"$TOP"/tests/programs/{tool_judge,page_states_judge}.py "$WORK"
export PYTHONDONTWRITEBYTECODE=1

# look [COMMAND]: as which user the program runs, and whoever looks.
look()
{
	local folder
	folder=$(mktemp -d "$WORK/XXXXXX")
	chmod 777 "$folder"
	mkfifo "$folder/in" "$folder/out"
	"$@" env TMPDIR="$folder" LD_PRELOAD="$WORK/libcowspy.so" \
		COWSPY_OUTPUT="$folder/report" "$WORK/page_states" wait \
		<"$folder/in" >"$folder/out" 2>"$folder/stderr" &
	exec 9>"$folder/in" 7<"$folder/out"
	read -r -a said <&7
	kill -USR1 "${said[1]}"
	"$@" /usr/bin/python3 "$WORK/page_states_judge.py" "$WORK/cowspy" "${said[@]}" \
		"$folder/report" "$(stat -f -c %T "$WORK")" || wrong "page states: $*"
	echo >&9
	exec 9>&- 7<&-
	wait $!
	expect_equal "status of the program" 0 $?
}

look env
[ "$(id -u)" != 0 ] || look setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all
