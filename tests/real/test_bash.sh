#!/bin/bash
# bash: subshells, pipes, traps, substitutions, background jobs, and the signals between them.
. "$TOP/tests/lib.sh"

cat >"$WORK/script.bash" <<'SCRIPT'
set -u
declare -A words
while read -r word; do
	words[$word]=$((${words[$word]:-0} + 1))
done < <(for i in {1..3000}; do echo "w$((i * i % 97))"; done)
for word in "${!words[@]}"; do echo "$word ${words[$word]}"; done | sort | head -20
text=$(printf '%s ' {1..2000})
echo "${#text} ${text//1/one}" | cksum
for i in 1 2 3 4 5; do (echo "subshell $i"; exit "$i"); echo "status $?"; done
trap 'echo got USR2' USR2
kill -USR2 $$
sleep 0.2 & wait $!; echo "waited $?"
(sleep 10) & kill $!; wait $! 2>/dev/null; echo "killed $?"
trap 'echo bye' EXIT # from here on: a subshell that is killed as it starts would say it, too
seq 20000 | grep 7 | sed 's/7/seven/' | sort -r | tail -3
cat <<END | tr a-z A-Z
here $((1 << 20))
END
exec 5< <(seq 5); read -r -u 5 line; echo "$line"
[[ "abc123" =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[@]}"
coproc cat; echo through >&"${COPROC[1]}"; read -r -u "${COPROC[0]}" line; echo "$line"
exit 42
SCRIPT
compare=$TOP/tests/real/compare.sh
"$compare" --filter 's/(process|pid) [0-9]+/\1 N/' bash "$WORK/script.bash" || wrong "bash"
"$compare" --files 'sorted tree out numbers' --filter 's/(line [0-9]+): +[0-9]+ /\1: N /' --killed \
	bash "$TOP/tests/real/shell_work.sh" || wrong "bash and coreutils"
