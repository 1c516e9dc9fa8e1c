#!/bin/bash
# git: a repository made, packed, cloned and checked; ids and contents are the same in both runs.
. "$TOP/tests/lib.sh"

cat >"$WORK/script" <<'SCRIPT'
set -e
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2020-01-01 00:00 +0000' \
	GIT_COMMITTER_DATE='2020-01-01 00:00 +0000' GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org \
	GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org
git init -q -b main repository
cd repository
for i in 1 2 3 4 5; do
	mkdir -p folder$i
	for j in $(seq 20); do seq $((i * 10)) $((i * 10 + j * 50)) >folder$i/file$j; done
	git add .
	git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~2
echo side >folder1/file1
git commit -q -am side
git merge -q -m merge main
git log --oneline --graph
git gc -q
git fsck --strict 2>&1
git diff --stat HEAD~3
git blame -s folder3/file3 | tail -2
cd ..
git clone -q repository copy
git -C copy rev-parse HEAD
SCRIPT
"$TOP/tests/real/compare.sh" --files 'copy/folder*' sh "$WORK/script" || wrong "git"
