#!/bin/bash
# slow
# timeout: 600
# The page of cowspy html in headless Chromium: real recordings, two million pages, hostile names.
. "$TOP/tests/lib.sh"

"$TOP/tests/install.sh" html
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

python_program='
import gc, os, sys
graph = [[str(i)] for i in range(40000)]
if sys.argv[1] == "frozen":
    gc.freeze()
for i in range(2):
    if os.fork() == 0:
        gc.collect()
        os._exit(0)
    graph[i].append("x")
    os.wait()'
for how in plain frozen; do
	"$cowspy" record --quiet -o $how -- /usr/bin/python3 -c "$python_program" $how || wrong "record"
done
"$cowspy" html -q -o python.html plain || wrong "python.html"
"$cowspy" html -q -o change.html plain frozen || wrong "change.html"
"$cowspy" report --json plain >python.json

# redis-server while BGSAVE's child saves.
mkdir data
"$cowspy" record --quiet -o redis -- redis-server --port 0 --unixsocket "$WORK/socket" --save '' \
	--dir "$WORK/data" --rdb-key-save-delay 50 >redis.log &
server=$!
cli=(redis-cli -s "$WORK/socket")
for _ in $(seq 100); do
	[ "$("${cli[@]}" ping 2>/dev/null)" != PONG ] || break
	sleep 0.1
done
seq 10000 | awk '{ print "SET key:" $1 " before-before-before-before" $1 }' | "${cli[@]}" --pipe >/dev/null
"${cli[@]}" bgsave >/dev/null
seq 10000 | awk '{ print "SET key:" $1 " during-during-during-during" $1 }' | "${cli[@]}" --pipe >/dev/null
"${cli[@]}" shutdown nosave
wait $server
"$cowspy" html -q -o redis.html redis || wrong "redis.html"

# Hostile names: of the program's file, a function, a mapping, a label, the arguments.
hostile='</script><script>hit()</script><img src=x onerror=hit()>'
mkdir -p "hostile<" "hostile</script><script>hit()<"
program="hostile</script><script>hit()</<img src=x onerror=hit()>"
gcc -O0 -I"$TOP/include" -c -o plain.o "$TOP/tests/real/html_hostile.c" &&
	objcopy --redefine-sym "plain_name=$hostile" plain.o hostile.o &&
	gcc -o "$program" hostile.o || wrong "the hostile program was not built"
"$cowspy" record --quiet -o hostile -- "$WORK/$program" "$hostile" || wrong "record a hostile program"
"$cowspy" html -q -o hostile.html hostile || wrong "hostile.html"

/usr/bin/python3 "$TOP/tests/programs/make_trace.py" large.trace "$cowspy" 2000000 10000 30 || wrong "make_trace.py"
"$cowspy" html -q -o large.html large.trace || wrong "large.html"
[ "$(stat -c %s large.html)" -lt 30000000 ] || wrong "large.html is $(stat -c %s large.html) bytes"

/usr/bin/python3 "$TOP/tests/real/html_judge.py" "$WORK" || wrong "in the browser"
