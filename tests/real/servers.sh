# What the tests of pre-forking servers share: each runs its server plain and watched, compares
# what the clients got and what the logs say, and has moment.py look at the watched one under load.
# shellcheck shell=bash disable=SC2034
. "$TOP/tests/lib.sh"

# A signal that none of these servers uses: SIGUSR1 means something else to each of them.
SNAPSHOT=50
midwife=

# Libraries may lie where other users cannot read them; reports come from several users.
chmod 755 "$WORK"
cp "$TEST_LIBRARY" "$(dirname "$TEST_LIBRARY")/cowspy" "$WORK"
chmod 755 "$WORK"/libcowspy.so "$WORK/cowspy"

port=$(/usr/bin/python3 -c 'import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])')

# use MODE: an empty folder for it in $folder, and in $environment how to run what is watched.
use()
{
	mode=$1
	folder=$WORK/$mode
	mkdir "$folder"
	environment=(PLAIN=1)
	[ "$mode" = watched ] || return 0
	reports=$folder/reports
	mkdir -m 1777 "$reports"
	environment=(LD_PRELOAD="$WORK/libcowspy.so" COWSPY_OUTPUT="$reports/%p"
		COWSPY_SIGNAL="$SNAPSHOT" COWSPY_PAGE_MAP=1000000
		COWSPY_STACKS=1000000 COWSPY_QUIET=on)
}

# become USER: "${as[@]}" before a command gives up root's rights; others run it as they are.
become()
{
	as=()
	[ "$(id -u)" != 0 ] ||
		as=(setpriv --reuid "$1" --regid "$(id -g "$1")" --clear-groups)
}

# wait_until COMMAND ...: for 20 seconds at most.
wait_until()
{
	for _ in $(seq 1000); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.02
	done
	wrong "$mode: not in time: $*"
	return 1
}

# stop SIGNAL PID: prints how the server ends.
stop()
{
	kill -"$1" "$2"
	wait "$2"
	echo "ended with status $?"
}

# load COUNT PATH [OPTION ...]: what ab says but for times and sizes of headers.
load()
{
	local count=$1 path=$2
	shift 2
	ab -q -r -s 20 -n "$count" -c 8 "$@" "http://127.0.0.1:$port/$path" 2>&1 |
		grep -E '^(Complete|Failed|Write|Non-2xx|   \(Connect|apr_|Document)' | sed "s|^|$path: |"
}

# get PATH [OPTION ...]: the status, and a sum of the body.
get()
{
	local path=$1
	shift
	rm -f "$folder/body"
	curl -sS --max-time 20 -o "$folder/body" -w "$path %{http_code} %{size_download} " "$@" \
		"http://127.0.0.1:$port/$path" 2>&1
	md5sum <"$folder/body"
}

# The server answers; its logs show that it was asked, more or less often.
wait_until_served()
{
	wait_until curl -s "http://127.0.0.1:$port/ready"
}

# note_births PID: until look_at, when we are root.
note_births()
{
	mkdir "$folder/births"
	[ "$mode" = watched ] && [ "$(id -u)" = 0 ] || return 0
	/usr/bin/python3 "$TOP/tests/real/births.py" "$1" "$folder/births" &
	midwife=$!
	wait_until test -e "$folder/births/ready"
}

# born COUNT: were as many children born since note_births?
born()
{
	[ -z "$midwife" ] || [ "$(find "$folder/births" -name '[0-9]*' | wc -l)" -ge "$1" ]
}

# look_at PID: the watched server's processes, report against kernel.
look_at()
{
	[ "$mode" = watched ] || return 0
	[ -z "$midwife" ] || stop TERM "$midwife" >/dev/null
	/usr/bin/python3 "$TOP/tests/real/moment.py" "$WORK/cowspy" $SNAPSHOT "$1" "$folder/births" ||
		wrong "report and kernel differ"
}

# compare_modes FILE ...: in both folders, after the sed script $filter.
compare_modes()
{
	local file
	for file; do
		for mode in plain watched; do
			sed -E -e "s@$WORK/$mode@FOLDER@g" -e "${filter:-}" "$WORK/$mode/$file" \
				>"$WORK/$mode.$file"
		done
		diff -u "$WORK/plain.$file" "$WORK/watched.$file" >"$WORK/diff" && continue
		wrong "$file differs"
		head -40 "$WORK/diff"
	done
}

# check_reports PROCESSES NAME ...: the sums of all reports, at least so many of them, and copies
# beneath functions with such names.
check_reports()
{
	local name reports=$WORK/watched/reports
	report check "$reports"/* || wrong "a report's sums"
	[ "$(find "$reports" -name '*.trace' | wc -l)" -ge "$1" ] ||
		wrong "fewer than $1 processes were watched"
	shift
	"$WORK/cowspy" report --by function --kind copied --limit 6 "$reports" 2>"$WORK/complaints" |
		sed -n '1p; /^by function/,/^$/p' || wrong "$(cat "$WORK/complaints")"
	"$WORK/cowspy" export --format folded --kind copied "$reports" >"$WORK/folded"
	for name; do
		awk -v name="$name" '{ all += $NF } $0 ~ name { beneath += $NF }
			END { printf "beneath %s: %.0f %%\n", name, 100 * beneath / all; exit !beneath }' \
			"$WORK/folded" || wrong "no copies beneath $name"
	done
}
