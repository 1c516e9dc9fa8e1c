#!/bin/bash
# slow
# timeout: 600
# The programs that exports are meant for read them: go tool pprof; speedscope, its schema, and
# its reading of folded stacks.
. "$TOP/tests/lib.sh"

"$TOP/tests/install.sh" export
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

"$cowspy" record --quiet -o recording -- /usr/bin/python3 -c '
import gc, os
graph = [[i] for i in range(50000)]
if os.fork() == 0:
    gc.collect()
    os._exit(0)
os.wait()' || wrong "record"
for format in pprof speedscope folded; do
	"$cowspy" export --format $format -o $format recording || wrong "export --format $format"
done

# ---- pprof ----
export HOME=$WORK
go tool pprof -top pprof >top 2>/dev/null || wrong "go tool pprof -top"
sed -n 2,4p top
grep -q '^File: python3' top || wrong "the main program is not python: $(head -1 top)"
grep -q '^Type: copied' top || wrong "the default is not bytes copied"
grep -q ' PyRun_SimpleStringFlags' <(go tool pprof -peek PyRun_SimpleStringFlags pprof 2>/dev/null) || wrong "no PyRun_SimpleStringFlags"
total()
{
	go tool pprof -top -sample_index=copies pprof 2>/dev/null |
		sed -n 's/.*Total samples = \([0-9]*\) .*/\1/p;s/.* of \([0-9]*\) total.*/\1/p' | tail -1
}
expect_equal "copies in pprof" "$("$cowspy" report --json recording |
	/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["copies"])')" "$(total)"

go tool pprof -no_browser -http 127.0.0.1:38127 pprof >http 2>&1 &
server=$!
for page in top flamegraph; do
	fetched=$(curl -s --retry 20 --retry-delay 1 --retry-connrefused "http://127.0.0.1:38127/ui/$page")
	grep -q PyRun_SimpleStringFlags <<<"$fetched" || wrong "pprof -http: no PyRun_SimpleStringFlags in $page"
done
kill $server

# ---- speedscope ----
npm install --silent --no-audit --no-fund --prefix "$WORK" speedscope >npm 2>&1 || wrong "npm: $(cat npm)"
release=$WORK/node_modules/speedscope/dist/release
/usr/bin/python3 -c '
import json, jsonschema, sys
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' \
	"$release/file-format-schema.json" speedscope || wrong "not by the schema of speedscope"
# opens FORMAT TITLE: the page loads a script, as speedscope's own command line makes it.
opens()
{
	echo "speedscope.loadFileFromBase64('$1', '$(base64 -w0 "$1")')" >load.js
	chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files \
		--user-data-dir="$WORK/chromium" --virtual-time-budget=8000 --dump-dom \
		"file://$release/index.html#localProfilePath=$WORK/load.js" >page 2>chromium.log
	grep -q "<title>$2 - speedscope</title>" page ||
		wrong "speedscope did not load $1: $(head -c 600 page)"
}
opens speedscope "first writes to private pages"
# A flame graph of the folded stacks, which many tools read.
opens folded folded
