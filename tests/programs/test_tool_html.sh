#!/bin/bash
# cowspy html without a browser: use, damage, one file that fetches nothing, hostile names, completions.
. "$TOP/tests/lib.sh"
cowspy=$(dirname "$TEST_LIBRARY")/cowspy
cd "$WORK" || exit 1

# status_of STATUS ARGUMENT ...: standard output and error in files.
status_of()
{
	local status=$1
	shift
	"$cowspy" "$@" >out 2>err
	expect_equal "status of 'cowspy $*'" "$status" $?
}

"$(dirname "$TEST_LIBRARY")/fuzz/make_corpus" "$WORK" || wrong "make_corpus"
mkdir cowspy.tree.1
cp writes cowspy.tree.1/

echo "-- use"
status_of 0 html
[ -s cow.html ] || wrong "no cow.html of the newest folder"
grep -q "^cowspy html: cow.html ([0-9.]* KiB): open it in a browser$" err || wrong "no word where the page is: $(cat err)"
status_of 0 html --quiet --output page.html --limit 1 --no-names writes
expect_equal "words of --quiet" 0 "$(wc -c <err)"
status_of 0 html -o - writes
cmp -s out page.html && wrong "--limit does nothing"
status_of 0 html -q -o both.html writes snapshot
grep -q 'id="growth"' both.html || wrong "nothing about growth of two recordings"
status_of 2 html a b c
status_of 2 html --limit x writes
status_of 2 html --frob
status_of 3 html nothing
status_of 3 html writes nothing
status_of 1 html -o /nonexistent/page.html writes
"$cowspy" html -o - writes >/dev/full 2>err
expect_equal "status when the output is full" 1 $?
expect_equal "lines about it" 1 "$(wc -l <err)"
head -c 700 writes >shortened
status_of 4 html -o shortened.html shortened
grep -q 'damaged: ' shortened.html || wrong "damage is not named"

echo "-- one file, nothing to fetch, no names that are HTML"
# Everything outside of the two scripts that were built in.
page_without_scripts()
{
	/usr/bin/python3 - "$1" <<'END'
import re, sys
print(re.sub(r"<script>.*?</script>", "", open(sys.argv[1], encoding="utf-8").read(), flags=re.S))
END
}

for page in page.html both.html shortened.html cow.html; do
	page_without_scripts $page >shown
	grep -qiE '(src|href|action|srcset|data) *= *"?(http|//|data:)|url\(|@import|<(link|iframe|img|object|embed|base)\b' shown &&
		wrong "$page names something to fetch"
	grep -q "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-[A-Za-z0-9+/=]*'; script-src 'sha256-[A-Za-z0-9+/=]*' 'sha256-[A-Za-z0-9+/=]*'\"" shown ||
		wrong "$page: no strict policy"
	expect_equal "scripts of $page" 2 "$(grep -o '<script>' $page | wc -l)"
	tr -d '\n\t\040-\176\200-\377' <shown | grep -q . && wrong "$page: control characters came through"
done
# The hashes of the policy are those of what the page holds.
/usr/bin/python3 - page.html <<'END' || wrong "hashes"
import base64, hashlib, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
named = re.findall(r"sha256-([^']*)'", page.split("viewport")[0])
inside = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", page, flags=re.S)
assert named == [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in inside], named
END

echo "-- data"
/usr/bin/python3 - page.html <<'END' || wrong "data"
import base64, json, re, sys, zlib
page = open(sys.argv[1], encoding="utf-8").read()
names = json.loads(re.search(r'<script type="application/json" id="names0">(.*?)</script>', page, flags=re.S)[1])
assert "[heap]" in names["strings"] and names["processes"][0]["pid"] == 100, names
columns = zlib.decompress(base64.b64decode(re.search(r'id="columns0">(.*?)</script>', page)[1]))
assert len(columns) > 50
END

echo "-- completions"
complete_words()
{
	bash -c '. "$1/tools/completion/cowspy.bash"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cowspy; printf "%s\n" "${COMPREPLY[@]}"' _ "$TOP" "$cowspy" "$@"
}
for word in html record; do
	complete_words "" | grep -qx $word || wrong "completion of verbs lacks $word"
done
complete_words html -- | grep -qx -e --output || wrong "completion of html lacks --output"
complete_words html pa | grep -qx page.html || wrong "completion of html lacks files"
complete_words record -- | grep -qx -e --scope || wrong "completion of record lacks --scope"
expect_equal "scopes" "auto mmap all" "$(complete_words record --scope "" | xargs)"
complete_words record ca | grep -qx cat || wrong "completion of record lacks programs"

echo "-- built without D3"
# All but D3 is there already.
mkdir build
cp -a "$(dirname "$TEST_LIBRARY")"/{tools,common,common.a,generated} build/
make -C "$TOP" --no-print-directory BUILD="$WORK/build" D3= "$WORK/build/cowspy" >make.out 2>make.err ||
	wrong "make without D3: $(tail -3 make.err)"
grep -q "cowspy html is left out: .*node-d3" make.err || wrong "the build does not say what to install"
cowspy=$WORK/build/cowspy
status_of 1 html writes
grep -q "^cowspy html: .*install the package node-d3" err || wrong "no clear error: $(cat err)"
status_of 0 report writes
