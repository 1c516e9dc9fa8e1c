"""Shared by the tests of the command cowspy: memory in known states, and the tool's own JSON."""
import ctypes
import json
import mmap
import os
import struct
import subprocess

PAGE = 4096


def address_of(memory):
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def private_file(fd, pages):
    return mmap.mmap(fd, pages * PAGE, flags=mmap.MAP_PRIVATE)


def anonymous(pages):
    memory = mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory


def run(*command):
    """Standard output; the tool has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.returncode, done.stderr)
    return done.stdout


def letters(mappings, start, pages):
    """One letter a page from the runs of all mappings; None where no mapping is."""
    found = [None] * pages
    for mapping in mappings:
        low, high = int(mapping["start"], 16), int(mapping["end"], 16)
        for i in range(pages):
            if low <= start + i * PAGE < high:
                found[i] = "."
        for piece in mapping["runs"]:
            first = (int(piece["start"], 16) - start) // PAGE
            for i in range(max(first, 0), min(first + piece["pages"], pages)):
                found[i] = piece["state"]
    return found


def entries(pid, start, pages):
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        file.seek(start // PAGE * 8)
        return struct.unpack(f"{pages}Q", file.read(pages * 8))


def pages_of(tool, pid, *options):
    return json.loads(run(tool, "pages", "--json", *options, str(pid)))


def has_frame_numbers():
    memory = anonymous(1)
    memory[0] = 1
    return entries(os.getpid(), address_of(memory), 1)[0] & ((1 << 55) - 1) != 0


def expect(what, expected, got):
    assert expected == got, f"{what}: expected {expected}, got {got}"
    print(f"{what}: {got}")
