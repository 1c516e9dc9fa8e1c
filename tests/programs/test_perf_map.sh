#!/bin/bash
# Names of generated code: kept beside the trace, by the process itself or, when it was killed, by
# cowspy record; found again without /tmp. Maps that others could have written are not believed.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
name='JS:*write_pages \x1b[31mapp.js:7 ([generated])'
cd "$WORK" || exit 1

# The maps of a recording's processes go, as /tmp goes.
forget_maps()
{
	local trace
	for trace in "$1"/*.trace; do
		rm -f "/tmp/perf-$(basename "$trace" .trace | sed 's/\..*//').map"
	done
}

expect_named()
{
	"$cowspy" report --by function "$1" | grep -qF "$name" || wrong "$2: no name"
}

mkdir kept
watched COWSPY_OUTPUT="$WORK/kept/%p" "$PROGRAMS/generated_code" exit >/dev/null 2>&1
expect_equal "maps kept" 1 "$(find kept -name '*.perf-map' | wc -l)"
expect_equal "its mode" 600 "$(stat -c %a kept/*.perf-map)"
forget_maps kept
expect_named kept "kept"
"$cowspy" report --by function --side child kept | grep -qF "$name" ||
	wrong "the child runs its parent's code"
"$cowspy" report kept | tr -d '\n\r\t\040-\176' | grep -q . && wrong "control characters"

echo "-- killed"
coproc run { "$cowspy" record --output killed -- "$PROGRAMS/generated_code" wait 2>err; }
read -r -u "${run[0]}" _
for trace in killed/*.trace; do
	pid=$(basename "$trace" .trace)
	[ "$(readlink "/proc/$pid/exe")" != "$PROGRAMS/generated_code" ] || kill -KILL "$pid"
done
wait
forget_maps killed
expect_named killed "killed"

echo "-- of others"
mkdir others
watched COWSPY_OUTPUT="$WORK/others/%p" "$PROGRAMS/generated_code" exit >/dev/null 2>&1
rm others/*.perf-map
expect_named others "the map in /tmp"
map=$(ls /tmp/perf-"$(basename "$(ls -t others/*.trace | tail -1)" .trace)".map 2>/dev/null ||
	ls /tmp/perf-"$(basename "$(ls -t others/*.trace | head -1)" .trace)".map)
not_believed()
{
	"$cowspy" report --by function others | grep -qF "$name" && wrong "believed: $1"
}
chmod 666 "$map"
not_believed "a map that anybody may write"
chmod 644 "$map"
expect_named others "the map again"
ln "$map" linked
not_believed "a map with another link"
rm linked
mv "$map" moved
ln -s "$PWD/moved" "$map"
not_believed "a symbolic link"
rm "$map"
mv moved "$map"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$map"
	not_believed "a map of somebody else"
fi
rm -f "$map"
exit 0
