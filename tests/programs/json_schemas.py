"""The forms of what the verbs print with --json, as JSON schemas. json_schemas.py VERB FILE"""
import json
import sys

import jsonschema

COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
SECONDS = {"type": "number", "minimum": 0}
ADDRESS = {"type": "string", "pattern": "^0x[0-9a-f]+$"}
PERCENT = {"type": ["number", "null"]}


def form(required, optional=None):
    """An object with all of these keys, perhaps some of those, and no other."""
    return {"type": "object", "additionalProperties": False, "required": list(required),
            "properties": {**required, **(optional or {})}}


def words(names, value):
    return {"type": "object", "additionalProperties": False,
            "properties": {name: value for name in names.split()}}


def any_of(names):
    return {"enum": names.split()}


def array(items):
    return {"type": "array", "items": items}


KINDS = "unknown file zero fill fork reuse ?"
CAUSES = "write syscall lock populate window ?"
SIDES = "none parent child"
COUNTS = {"first_writes": COUNT, "bytes": COUNT, "copies": COUNT, "copied_bytes": COUNT,
          "kinds": words(KINDS, COUNT), "causes": words(CAUSES, COUNT)}
FRAME = form({"module": TEXT, "address": ADDRESS},
             {"function": TEXT, "file": TEXT, "line": COUNT, "inlined": FLAG})
SIDE = form({"pid": COUNT, "epoch": COUNT, "copied_bytes": COUNT,
             "copied_in_first_second_bytes": COUNT, "copied_in_first_minute_bytes": COUNT,
             "shared_before_bytes": COUNT, "reused_bytes": COUNT, "filled_bytes": COUNT})
SNAPSHOT_PAGES = form({"copied": COUNT, "attributed": COUNT, "reused": COUNT, "ambiguous": COUNT,
                       "from_kernel": FLAG})
DAMAGE = form({"what": TEXT, "offset": COUNT, "records_left_out": COUNT},
              {"unreadable_from": COUNT})
COST = form({"faults": COUNT, "faults_timed": COUNT, "handler_nanoseconds": COUNT,
             "mprotect_calls": COUNT, "pages_handed_over": COUNT, "vmas_added": COUNT,
             "vmas_added_most": COUNT, "address_space_bytes": COUNT, "report_nanoseconds": COUNT},
            {"resident_bytes": COUNT})
PROCESS = form({"pid": COUNT, "parent": COUNT, "program": TEXT,
                "origin": any_of("start fork exec program"), "epoch": COUNT, "forks": COUNT,
                "trace": TEXT, "start_seconds": SECONDS, "closed": FLAG, "page_size": COUNT,
                "still_shared_bytes": COUNT, "lost": COUNT, "pending": COUNT, **COUNTS},
               {"snapshot_pages": SNAPSHOT_PAGES, "cost": COST, "damage": DAMAGE})
GROUP = form({"name": TEXT, "first_seconds": SECONDS, **COUNTS},
             {"stack": array(FRAME), "stack_uncertain": COUNT, "stack_other": COUNT})
CALLER = form({"copied_bytes": COUNT, "bytes": COUNT},
              {"function": TEXT, "module": TEXT, "address": ADDRESS,
               "callers": array({"$ref": "#/$defs/caller"})})
PAGE = form({"page": ADDRESS, "pid": COUNT, "kind": any_of(KINDS), "cause": any_of(CAUSES),
             "epoch": COUNT, "thread": COUNT, "seconds": SECONDS},
            {"function": TEXT, "object": TEXT})
REPORT = form({"answer": TEXT, **COUNTS, "by": TEXT, "groups": array(GROUP),
               "groups_left_out": COUNT, "processes": array(PROCESS),
               "processes_left_out": COUNT},
              {"forks": array(form({"seconds": SECONDS, "child": COUNT},
                                   {"parent_side": SIDE, "child_side": SIDE})),
               "callers": array({"$ref": "#/$defs/caller"}), "pages": array(PAGE),
               "pages_left_out": COUNT})

GROWTH = form({"before_bytes": COUNT, "after_bytes": COUNT, "growth_percent": PERCENT,
               "frames": array(TEXT)})
DIFF = form({"counted": any_of("copies first_writes"), "before_bytes": COUNT,
             "after_bytes": COUNT, "growth_percent": PERCENT},
            {"functions": array(GROWTH), "stacks": array(GROWTH)})

STATES = form({name: COUNT for name in
               "copied copied_huge copied_swapped shared zero file unknown untouched "
               "anonymous_huge".split()})
SMAPS = words("Rss Private_Clean Private_Dirty Anonymous AnonHugePages Swap Locked "
              "Shared_Clean Shared_Dirty Pss", COUNT)
FRAMES = form({"present": COUNT, "mapped_only_here": COUNT},
              {"mapped_once": COUNT, "mapped_more": COUNT,
               "flags": {"type": "object", "additionalProperties": COUNT}})
MAPPING = form({"start": ADDRESS, "end": ADDRESS,
                "protection": {"type": "string", "pattern": "^[r-][w-][x-]p$"}, "offset": COUNT,
                "inode": COUNT, "raw_frames": FLAG, "changed": FLAG, "pages": STATES,
                "runs": array(form({"start": ADDRESS, "pages": COUNT, "state": TEXT}))},
               {"path": TEXT, "smaps": SMAPS, "frames": FRAMES})
PAGES = form({"pid": COUNT, "name": TEXT, "page_size": COUNT, "seconds": SECONDS, "bytes": COUNT,
              "process_ended": FLAG, "mappings_changed": COUNT, "zero_inferred": FLAG,
              "missing": array(TEXT), "pages": STATES, "mappings": array(MAPPING)},
             {"smaps": SMAPS, "frames": FRAMES})

SHARING = form({name: COUNT for name in
                "same some own unknown zero file changed untouched".split()})
COMPARE = form({"page_size": COUNT, "frame_numbers": FLAG,
                "processes": array(form({"pid": COUNT, "name": TEXT, "anonymous": COUNT,
                                         "only_here": COUNT, "process_ended": FLAG})),
                "pairs": array(form({"pid": COUNT, "other": COUNT, "same_anonymous": COUNT,
                                     "same_file": COUNT})),
                "pages": SHARING, "mappings": {"type": "array"}},
               {"missing": array(TEXT)})

EXPORT = form({"format": {"const": "cowspy"}, "version": COUNT, "processes": {"type": "array"},
               "frames": array(form({"module": TEXT, "address": ADDRESS},
                                    {"lines": array(form({"name": TEXT},
                                                         {"file": TEXT, "line": COUNT}))})),
               "stacks": array(array(COUNT)),
               "samples": array(form({"process": COUNT, "stack": COUNT, "kind": any_of(KINDS),
                                      "cause": any_of(CAUSES), "side": any_of(SIDES),
                                      "pages": COUNT, "bytes": COUNT}, {"region": TEXT}))})

FORMS = {"report": REPORT, "diff": DIFF, "pages": PAGES, "compare": COMPARE, "export": EXPORT}

if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    try:
        jsonschema.validate(document, {**FORMS[sys.argv[1]], "$defs": {"caller": CALLER}})
    except jsonschema.ValidationError as error:
        sys.exit(f"{sys.argv[1]}: {error.message[:300]} at {list(error.absolute_path)}")
