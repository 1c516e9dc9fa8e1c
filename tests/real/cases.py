#!/usr/bin/python3
"""The cases of a test suite that went otherwise watched than plain.

cases.py PLAIN WATCHED: two files in JUnit's format. Prints a line "CASE: PLAIN RESULT, watched
RESULT" for each that does not end as it does without the library; one that is gone has vanished.
cases.py --count FILE: how many cases it holds.
"""
import sys
import xml.etree.ElementTree

WORST = ["passed", "skipped", "failed"]


def result_of(case):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def read(path):
    """The worst result of each case: one with subtests may be there several times."""
    results = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        results[name] = max(results.get(name, "passed"), result_of(case), key=WORST.index)
    return results


def main(arguments):
    if arguments[0] == "--count":
        print(len(read(arguments[1])))
        return
    plain, watched = read(arguments[0]), read(arguments[1])
    for name, result in sorted(plain.items()):
        now = watched.get(name, "vanished")
        if result != "failed" and now != result:
            print(f"{name}: {result}, watched {now}")


main(sys.argv[1:])
