#!/bin/bash
# Programs that read asynchronously: liburing's own examples, fio, which verifies what it reads,
# and curl.
. "$TOP/tests/lib.sh"

compare()
{
	"$TOP/tests/real/compare.sh" --files 'copied*' timeout 20 "$@" || wrong "$*"
}

examples=/usr/share/doc/liburing-dev/examples
[ -e $examples/link-cp.c ] || skip "liburing-dev is not installed"
command -v fio >/dev/null || skip "fio is not installed"
command -v curl >/dev/null || skip "curl is not installed"

mkdir "$WORK/served"
head -c 3000001 /dev/urandom >"$WORK/served/data"
for example in io_uring-cp link-cp io_uring-test; do
	gcc -O1 -D_GNU_SOURCE -w -o "$WORK/$example" $examples/$example.c -luring ||
		wrong "$example cannot be built"
	compare "$WORK/$example" "$WORK/served/data" copied
done

# Its files hold the time; it finds itself whether they hold what it wrote.
verified=(--name=made --iodepth=16 --rw=randwrite --bs=4k-64k --size=4m --numjobs=2
	--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=7 --allrandrepeat=1
	--output=/dev/null --eta=never)
for engine in psync libaio io_uring posixaio; do
	compare fio --ioengine=$engine "${verified[@]}"
	compare fio --ioengine=$engine --thread=1 --direct=1 "${verified[@]}"
done
# Registered buffers, and a thread of the kernel's that takes requests without a call.
for option in --fixedbufs=1 --registerfiles=1 --sqthread_poll=1; do
	compare fio --ioengine=io_uring $option "${verified[@]}"
done

/usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory "$WORK/served" 0 \
	>"$WORK/server" 2>/dev/null &
for _ in $(seq 200); do
	grep -q 'port [0-9]' "$WORK/server" && break
	sleep 0.05
done
address=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$WORK/server")
compare curl -sS -o copied1 "$address/data" -o copied2 "$address/data" \
	-o copied3 "$address/missing"
