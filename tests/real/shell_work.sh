#!/bin/bash
# A script as administrators write them: coreutils, findutils, tar, gzip, sed, and all that bash has
# for processes. Prints the same whenever it runs.
set -u
export LC_ALL=C

section()
{
	echo "--- $1"
}

section "sort, split, join, comm"
seq 30000 | awk '{ print ($1 * 7919) % 30011, $1 }' >numbers
sort -n --parallel=2 -S 1M -T . numbers | tee sorted | cksum
split -n l/7 --additional-suffix=.part numbers
cat x*.part | cmp - numbers && ls x*.part | wc -l
split -l 3000 --filter='gzip -n >$FILE.gz' numbers y
cat y*.gz | gzip -dc | cksum
cut -d ' ' -f 1 numbers | sort >left
seq 5 3 30000 | sort >right
comm -12 left right | cksum
join left right | wc -l
paste -d , <(head -5 left) <(head -5 right)
uniq -c <(cut -c 1 left) | sort -k 1nr | head -3
shuf --random-source=numbers -n 3 left
tac sorted | head -2
nl -b a sorted | tail -1
od -A d -t x1z sorted | sed -n 100p

section "sed -i, tr, find, xargs"
mkdir -p tree/{a,b,c}/{1,2}
for folder in tree/*/*; do echo "$folder" >"$folder/name"; done
find tree -name name -exec sed -i.old 's/tree/forest/' {} +
find tree -name name -exec cat {} \; | sort
find tree -name '*.old' -print0 | sort -z | xargs -0 -n 2 echo
seq 40 | xargs -P 4 -n 1 sh -c 'echo $(($1 * $1))' - | sort -n | cksum
seq 3 | xargs -I{} sh -c 'exit {}'; echo "xargs $?"
find tree -name '*.old' -delete; find tree -type f | wc -l
ln -s a tree/link; readlink -f tree/link | sed "s|$PWD||"; realpath --relative-to=tree tree/link

section "tar, gzip, dd, checksums"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tree.tar tree numbers
sha256sum <tree.tar
gzip -n9 <tree.tar | tee tree.tgz | sha256sum
mkdir out; tar -C out -xzf tree.tgz; diff -r tree out/tree && cmp numbers out/numbers && echo same
dd if=tree.tar bs=1000 skip=3 count=50 conv=swab status=none | md5sum
dd if=/dev/zero of=sparse bs=1 count=0 seek=1M status=none; stat -c '%s %b' sparse
truncate -s 3M sparse; cp --sparse=always sparse copy; cmp sparse copy && echo copied
install -m 640 numbers installed; stat -c %a installed; mv installed moved; cksum moved | cut -d ' ' -f 1
base64 -w 0 numbers | head -c 40; echo
base64 numbers | base64 -d | cmp - numbers && echo encoded

section "tail -f, timeout, tee"
: >log
timeout 20 tail -n +1 -f log 2>/dev/null | sed -u '/end/q' >followed &
for i in 1 2 3; do echo "line $i" >>log; done
echo end >>log
until grep -q end followed; do sleep 0.05; done
cat followed
echo more >>log # tail notices that nobody reads it any more
wait $!
timeout 0.2 sleep 10; echo "timeout $?"
timeout -s KILL 0.2 sleep 10; echo "killed $?"
timeout --preserve-status -s INT 0.2 sleep 10; echo "interrupted $?"
seq 1000 | tee >(wc -l >lines) >(md5sum >sum) | tail -1
until [ -s lines ] && [ -s sum ]; do sleep 0.05; done
cat lines sum
yes | head -1000 | wc -l; echo "${PIPESTATUS[0]}"

section "traps and signals"
trap 'echo "usr2 in $BASH_SUBSHELL"' USR2
trap 'echo "error at $LINENO"' ERR
exec 3>debugged
trap 'echo "$BASH_COMMAND" >&3' DEBUG
false
trap - DEBUG ERR
cat debugged
kill -USR2 $$
(trap 'echo "term in subshell"; exit 9' TERM; kill -TERM $BASHPID; sleep 10); echo "subshell $?"
bash -c 'trap "" INT; kill -INT $$; echo "ignored"; bash -c "kill -INT \$\$; echo inherited"'
bash -c 'kill -SEGV $$'; echo "segv $?"
bash -c 'ulimit -c 0; kill -ABRT $$'; echo "abrt $?"
for signal in HUP TERM KILL PIPE BUS; do sh -c "kill -$signal \$\$"; echo "$signal $?"; done

section "jobs, wait -n, coproc"
for i in 3 1 2; do (sleep "0.$((i * 3))"; exit "$i") & done
for i in 1 2 3; do wait -n; echo "done $?"; done
wait -n 2>/dev/null; echo "none left $?"
(sleep 0.2; exit 5) & wait -p pid -n $!; echo "$? $([ "$pid" = $! ] && echo mine)"
coproc DOUBLE { while read -r n; do echo $((n * 2)); done; }
for i in 4 5 6; do echo $i >&"${DOUBLE[1]}"; read -r -u "${DOUBLE[0]}" answer; echo "$answer"; done
eval "exec ${DOUBLE[1]}>&-"; wait "$DOUBLE_PID"; echo "coproc $?"
set -m; sleep 10 & kill -STOP %1; sleep 0.2; kill -CONT %1; kill %1; wait %1; echo "job $?"; set +m

section "redirections, here documents, substitution"
cat <<-'END'
	not $this
END
cat <<<"a string"
while read -r -d : field; do echo "<$field>"; done <<END
a:b c:$((6 * 7)):
END
exec 7<>both; echo text >&7; exec 7<&-; cat both
{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/piped /'
mapfile -t lines < <(seq 20000); echo "${#lines[@]} ${lines[19999]}"
big=$(head -c 300000 /dev/zero | tr '\0' x); echo ${#big} "$(cksum <<<"$big")"
diff <(seq 5) <(seq 2 6); echo "diff $?"
mkfifo pipe; seq 3 >pipe & cat pipe; wait
echo "$(<log)" | wc -l
ulimit -n 32; exec 8</dev/null; echo "descriptors $(ulimit -n)"
read -r -t 0.2 < <(sleep 2); echo "read $((${?} > 128))"
(exec -a renamed bash -c 'echo $0'); (exec /nonexistent) 2>/dev/null; echo "exec $?"
