#!/bin/bash
# Other allocators preloaded together with the library, before and after it. The fast form runs
# python3 and redis with one of them only.
# timeout: 300
. "$TOP/tests/lib.sh"

real=$TOP/tests/real
folder=/usr/lib/$(uname -m)-linux-gnu
gcc -O1 -g -pthread -o "$WORK/allocate" "$real/allocate_work.c" || wrong "the compiler"

"$real/compare.sh" "$WORK/allocate" || wrong "libc's own"
for library in libjemalloc.so.2 libtcmalloc.so.4 libtcmalloc_minimal.so.4 libmimalloc.so.2; do
	[ -e "$folder/$library" ] || skip "$library is not installed"
	for side in before after; do
		compare=("$real/compare.sh" "--$side" "$folder/$library")
		"${compare[@]}" "$WORK/allocate" || wrong "$library $side: threads"
		[ -n "${TEST_SLOW:-}" ] || [ "$library $side" = "libmimalloc.so.2 before" ] || continue
		"${compare[@]}" /usr/bin/python3 "$real/structures.py" || wrong "$library $side: python3"
		"${compare[@]}" bash "$real/redis_work.sh" || wrong "$library $side: redis"
	done
done
