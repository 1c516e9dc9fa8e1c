#!/usr/bin/python3
"""Reads a trace by include/cowspy/trace.h alone, for tests.

trace_dump.py count FILE...        lines "TYPE NUMBER" over all files
trace_dump.py pages FILE           pages of first writes, in hexadecimal
trace_dump.py tree FILE...         one line a file: pid, parent's pid, epoch, how it ended
trace_dump.py show FILE            every record
trace_dump.py shadow FILE SHADOW   pages that trace_writers has written are all in the trace
"""
import array
import struct
import sys

NAMES = ("pending filler program options module mapping stack first_write fork given_back label "
         "limit lost snapshot snapshot_mapping snapshot_runs snapshot_end close changes "
         "children cost").split()
HEADER = struct.Struct("<QIIIIIIIIQQQQQ64sI32s28s")
FIRST_WRITE = struct.Struct("<QQIIIIIHBBII")


class Trace:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.path = path
        self.damage = None
        if self.data[:8] != b"COWTRACE":
            raise SystemExit(f"{path}: no trace")
        (_, self.version, self.header_size, self.page_size, self.machine, self.pid, self.parent,
         self.epoch, self.flags, self.time, self.boot, self.wall, self.fork_time,
         self.parent_time, kernel, length, build_id, version) = HEADER.unpack_from(self.data)
        self.kernel = kernel.rstrip(b"\0").decode()
        self.build_id = build_id[:length].hex()
        self.program_version = version.rstrip(b"\0").decode()

    def records(self):
        at = self.header_size
        while at + 8 <= len(self.data):
            kind, size = struct.unpack_from("<II", self.data, at)
            if size == 0:
                break
            if size % 8 or size < 8 or at + size > len(self.data):
                self.damage = at
                break
            name = NAMES[kind] if kind < len(NAMES) else f"type {kind}"
            yield at, name, self.data[at + 8:at + size]
            at += size
        self.end = at
        if self.damage is None and self.data[at:].strip(b"\0"):
            self.damage = at


def first_writes(trace):
    for _, name, body in trace.records():
        if name == "first_write":
            yield FIRST_WRITE.unpack(body)


def count(paths):
    totals = {}
    for path in paths:
        trace = Trace(path)
        for _, name, _ in trace.records():
            totals[name] = totals.get(name, 0) + 1
        if trace.damage is not None:
            totals["damage"] = totals.get("damage", 0) + 1
    for name in sorted(totals):
        print(name, totals[name])


def ending(trace):
    end = "open"
    for _, name, body in trace.records():
        if name == "close":
            end = ("snapshot", "exit", "exec")[struct.unpack_from("<QI", body)[1]]
        if name == "lost":
            reason, error = struct.unpack_from("<II", body, 16)
            end += f" lost {struct.unpack_from('<Q', body, 8)[0]} reason {reason} error {error}"
    return end


def shadow(path, notes):
    trace = Trace(path)
    with open(notes, "rb") as file:
        words = array.array("Q", file.read())
    recorded = {write[0] for write in first_writes(trace)}
    written = [words[0] + page * 4096 for page, done in enumerate(words[1:]) if done]
    missing = [page for page in written if page not in recorded]
    print(f"{len(written)} written, {len(recorded)} recorded, {len(missing)} missing")
    if missing or trace.damage is not None:
        raise SystemExit(f"missing {missing[:5]}, damage at {trace.damage}")


def main():
    if sys.argv[1] == "shadow":
        shadow(*sys.argv[2:])
        return
    verb, paths = sys.argv[1], sys.argv[2:]
    if verb == "count":
        count(paths)
    elif verb == "pages":
        for write in first_writes(Trace(paths[0])):
            print(f"{write[0]:x}")
    elif verb == "tree":
        for trace in map(Trace, paths):
            print(trace.pid, trace.parent if trace.flags & 1 else "-", trace.epoch, ending(trace))
    elif verb == "show":
        trace = Trace(paths[0])
        print({k: v for k, v in vars(trace).items() if k != "data"})
        for at, name, body in trace.records():
            if name == "first_write":
                print(at, name, ["%x" % v for v in FIRST_WRITE.unpack(body)])
            elif name == "stack":
                number, depth = struct.unpack_from("<II", body)
                print(at, name, number, [hex(a) for a in struct.unpack_from(f"<{depth}Q", body, 8)])
            else:
                print(at, name, body if len(body) < 200 else body[:200])
        print("damage", trace.damage, "end", trace.end, "size", len(trace.data))


if __name__ == "__main__":
    main()
