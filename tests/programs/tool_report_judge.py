"""tool_report_judge.py COWSPY RECORDING FIRST_WRITES PROTO_FOLDER

Judges what report and export say of a recording of a parent and its forked child, which has this
many first writes: every format has to come to the same sums."""
import collections
import csv
import gzip
import io
import json
import re
import subprocess
import sys

COPIES = {"file", "zero", "fork"}
cowspy, recording, first_writes, protos = sys.argv[1:]
first_writes = int(first_writes)


def run(*arguments, text=True):
    done = subprocess.run([cowspy, *arguments, recording], capture_output=True, text=text,
                          timeout=60)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr)
    assert not done.stderr, done.stderr
    return done.stdout


def report(*options):
    return json.loads(run("report", "--json", "--limit", "0", *options))


# --- report
whole = report()
assert whole["first_writes"] == first_writes, whole["first_writes"]
assert sum(whole["kinds"].values()) == first_writes
assert sum(whole["causes"].values()) == first_writes
assert whole["copies"] == sum(whole["kinds"].get(kind, 0) for kind in COPIES) > 0
for by in "stack function module mapping object process time label slice".split():
    groups = report("--by", by)["groups"]
    assert sum(group["first_writes"] for group in groups) == first_writes, by
    if by not in ("time", "label", "slice"):
        copied = [group["copied_bytes"] for group in groups]
        assert copied == sorted(copied, reverse=True), by
assert sum(report("--side", side)["first_writes"] for side in ("none", "parent", "child")) == \
    first_writes
assert sum(report("--epoch", epoch)["first_writes"] for epoch in "01") == first_writes
assert report("--kind", "copied")["first_writes"] == whole["copies"]
parent, child = whole["processes"]
assert child["parent"] == parent["pid"] and child["origin"] == "fork", whole["processes"]
assert child["epoch"] == parent["forks"] == 1
assert report("--pid", str(child["pid"]))["first_writes"] == child["first_writes"] == \
    report("--side", "child")["first_writes"]
assert child["still_shared_bytes"] > 0
for process in whole["processes"]:
    pages = process["snapshot_pages"]
    assert process["closed"] and pages["copied"] >= pages["attributed"] > 0, process
stacks = [group["stack"] for group in whole["groups"]]
functions = {frame.get("function") for stack in stacks for frame in stack}
assert "_PyEval_EvalFrameDefault" in functions and "Py_BytesMain" in functions, functions

text = run("report")
assert text.startswith("2 processes copied "), text[:100]
assert re.search(r"^    child %d .* forked at \+" % child["pid"], text, re.M), text
assert re.search(r"copied (\d+) = attributed (\d+) \+ unattributed \d+ \(pages; first touches count", text)
assert "_PyEval_EvalFrameDefault (python3" in text

# --- folded
weights = collections.Counter()
for line in run("export", "--format", "folded").splitlines():
    stack, weight = line.rsplit(" ", 1)
    assert stack not in weights, stack
    weights[stack] = int(weight)
assert sum(weights.values()) == first_writes
assert sum(weight for stack, weight in weights.items() if "(pid %d);" % child["pid"] in stack) == \
    child["first_writes"]
assert any(stack.split(";")[1] == "_start" for stack in weights)

# --- speedscope
scope = json.loads(run("export", "--format", "speedscope", "--unit", "bytes"))
assert scope["$schema"] == "https://www.speedscope.app/file-format-schema.json"
names = [frame["name"] for frame in scope["shared"]["frames"]]
assert all(isinstance(name, str) and name for name in names)
folded = collections.Counter()
assert len(scope["profiles"]) == 2
for profile in scope["profiles"]:
    assert profile["type"] == "sampled" and profile["unit"] == "bytes" and profile["name"]
    assert len(profile["samples"]) == len(profile["weights"])
    assert profile["startValue"] == 0 and profile["endValue"] == sum(profile["weights"])
    for sample, weight in zip(profile["samples"], profile["weights"]):
        frames = [names[index].replace(";", ":") for index in sample]
        folded[";".join([profile["name"], *frames])] += weight // 4096
assert folded == weights

# --- pprof
message = subprocess.run(
    ["protoc", "--decode=perftools.profiles.Profile", "--proto_path=" + protos, "profile.proto"],
    input=gzip.decompress(run("export", "--format", "pprof", text=False)), capture_output=True,
    check=True).stdout.decode()


def parse(lines):
    """The text form of a message: a list of (name, value or message)."""
    fields = []
    for line in lines:
        if line.strip() == "}":
            break
        if line.endswith("{"):
            fields.append((line.split()[0], parse(lines)))
        else:
            name, value = line.strip().split(": ", 1)
            fields.append((name, value[1:-1] if value[0] == '"' else json.loads(value)))
    return fields


def all_of(fields, name):
    return [value for key, value in fields if key == name]


profile = parse(iter(message.splitlines()))
strings = all_of(profile, "string_table")
assert strings[0] == ""
types = [[strings[dict(kind)[key]] for key in ("type", "unit")]
         for kind in all_of(profile, "sample_type")]
assert types == [["copies", "count"], ["copied", "bytes"], ["first_writes", "count"],
                 ["first_written", "bytes"]], types
assert strings[dict(profile)["default_sample_type"]] == "copied"
samples = all_of(profile, "sample")
values = [sum(column) for column in zip(*(all_of(sample, "value") for sample in samples))]
assert values == [whole["copies"], whole["copied_bytes"], first_writes, whole["bytes"]], values
locations = {dict(location)["id"]: location for location in all_of(profile, "location")}
names = {dict(function)["id"]: strings[dict(function)["name"]]
         for function in all_of(profile, "function")}
mappings = {dict(mapping)["id"]: dict(mapping) for mapping in all_of(profile, "mapping")}
assert any(len(strings[mapping["build_id"]]) == 40 for mapping in mappings.values())
kinds = collections.Counter()
for sample in samples:
    assert all(number in locations for number in all_of(sample, "location_id"))
    labels = {strings[dict(label)["key"]]: dict(label) for label in all_of(sample, "label")}
    assert set(labels) == {"pid", "side", "kind", "cause", "region"}
    assert labels["pid"]["num"] in (parent["pid"], child["pid"])
    kinds[strings[labels["kind"]["str"]]] += all_of(sample, "value")[2]
assert kinds == whole["kinds"], kinds
for location in locations.values():
    of = dict(location)
    if of.get("mapping_id"):
        mapping = mappings[of["mapping_id"]]
        assert mapping["memory_start"] <= of["address"] < mapping["memory_limit"], of
    assert all(dict(line)["function_id"] in names for line in all_of(location, "line"))

# --- csv, json, openmetrics
rows = list(csv.DictReader(io.StringIO(run("export", "--format", "csv"))))
assert len(rows) == first_writes
assert collections.Counter(row["kind"] for row in rows) == whole["kinds"]
everything = json.loads(run("export", "--format", "json"))
assert sum(sample["pages"] for sample in everything["samples"]) == first_writes
assert all(sample["stack"] < len(everything["stacks"]) for sample in everything["samples"])
assert all(frame < len(everything["frames"]) for stack in everything["stacks"] for frame in stack)
metrics = run("export", "--format", "openmetrics")
assert metrics.endswith("# EOF\n")
total = 0
for line in metrics.splitlines():
    match = re.fullmatch(r'(\w+)\{(\w+="[^"]*",?)+\} (\d+)|# .*', line)
    assert match, line
    if match[1] == "cowspy_first_writes_bytes_total":
        total += int(match[3])
assert total == whole["bytes"]
