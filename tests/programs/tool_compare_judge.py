"""Judges `cowspy compare` after forks, against frame numbers that this program reads itself: TOOL FILE."""
import json
import os
import random
import signal
import sys

from tool_judge import PAGE, address_of, anonymous, entries, expect, has_frame_numbers, letters, \
    private_file, run

PAGES = 600
tool = sys.argv[1]
random.seed(7)
memory = anonymous(PAGES)
start = address_of(memory)
for i in range(500):
    if i % 7:
        memory[i * PAGE] = 1
with open(sys.argv[2], "rb") as opened:
    file = private_file(opened.fileno(), 16)
for i in range(4):
    file[i * PAGE] = 1
file[8 * PAGE]


def child(writes):
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        for i in writes:
            memory[i * PAGE] = 2
        file[0] = 2
        os.write(done, b"x")
        signal.pause()
    os.read(ready, 1)
    return pid


children = [child(random.sample(range(PAGES), 100)) for _ in range(3)]
for i in random.sample(range(PAGES), 50):
    memory[i * PAGE] = 3


def identities(pids):
    """For each page the frames of all processes; None where a process has no anonymous page."""
    table = [entries(pid, start, PAGES) for pid in pids]
    return [[e & ((1 << 55) - 1) if e >> 63 and not e >> 61 & 1 else None for e in page]
            for page in zip(*table)]


def expected_letter(frames):
    some = [f for f in frames if f]
    if not some:
        return "."
    if len(some) == len(frames) and len(set(some)) == 1:
        return "s"
    return "p" if len(set(some)) < len(some) else "C"


def judge(pids):
    frames = identities(pids)
    compared = json.loads(run(tool, "compare", "--json", *map(str, pids)))
    expect("letters of %d processes" % len(pids),
           "".join(map(expected_letter, frames)),
           "".join(letters(compared["mappings"], start, PAGES)))
    common = [m for m in compared["mappings"] if int(m["start"], 16) <= start < int(m["end"], 16)]
    for i, pid in enumerate(pids):
        own = sum(1 for page in frames if page[i] and page.count(page[i]) == 1)
        expect(f"pages only in process {i}", own, common[0]["only_here"][i])
    expect("a file page that all wrote", "C",
           letters(compared["mappings"], address_of(file), 1)[0])
    expect("a file page nobody copied", "f",
           letters(compared["mappings"], address_of(file) + 8 * PAGE, 1)[0])


def judge_without_frames(pids):
    command = [tool, "compare", "--json", *map(str, pids)]
    if has_frame_numbers():
        command = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", *command]
    compared = json.loads(run(*command))
    expect("frame numbers", False, compared["frame_numbers"])
    expect("what is missing", "CAP_SYS_ADMIN", compared["missing"])
    for i, letter in enumerate(letters(compared["mappings"], start, PAGES)):
        seen = [entries(pid, start + i * PAGE, 1)[0] for pid in pids]
        maybe = sum(1 for e in seen if e >> 63 and not e >> 61 & 1 and not e >> 56 & 1)
        some = any(e >> 63 and not e >> 61 & 1 for e in seen)
        assert letter == ("?" if maybe > 1 else "C" if some else "."), (i, letter, seen)
    text = run(*[word for word in command if word != "--json"])
    assert "CAP_SYS_ADMIN" in text, text
    print("without frame numbers: bit 56 agrees")


try:
    everyone = [os.getpid(), *children]
    judge_without_frames(everyone)
    judge_without_frames(children[:2])
    if has_frame_numbers():
        judge(everyone)
        judge(children)
        judge(children[:2])
    else:
        print("frame numbers need CAP_SYS_ADMIN: the exact part was left out")
finally:
    for pid in children:
        os.kill(pid, 9)
