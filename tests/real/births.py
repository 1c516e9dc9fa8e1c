#!/usr/bin/python3
"""The frames of every child of a server at its birth, for moment.py. Needs root: frame numbers.

  births.py PID FOLDER

Traces PID until SIGTERM, FOLDER/ready is there from when on. Each child that it forks is stopped before its first instruction: all its
pages are its parent's then. FOLDER/CHILD says which frame lies behind each, and the child goes on,
traced no more.
"""
import ctypes
import os
import pickle
import signal
import struct
import sys

PAGE = 4096
CONT, DETACH, SEIZE, INTERRUPT, LISTEN = 7, 17, 0x4206, 0x4207, 0x4208
OPTION_FORK = 2
EVENT_STOP = 128
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, pid, data=0):
    if libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f'ptrace {request:#x} of {pid}')


def frames(pid):
    """{page address: frame} of what is present in private mappings."""
    found = {}
    with open(f'/proc/{pid}/maps', encoding='utf-8', errors='replace') as maps, \
            open(f'/proc/{pid}/pagemap', 'rb', buffering=0) as pagemap:
        for line in maps:
            area, protection = line.split()[:2]
            start, end = (int(side, 16) for side in area.split('-'))
            if protection[3] != 'p' or '[v' in line:
                continue
            entries = os.pread(pagemap.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
            for number, (entry,) in enumerate(struct.iter_unpack('Q', entries)):
                if entry >> 63:
                    found[start + number * PAGE] = entry & (1 << 55) - 1
    return found


def keep(pid, folder):
    with open(f'{folder}/{pid}.new', 'wb') as file:
        pickle.dump(frames(pid), file)
    os.rename(f'{folder}/{pid}.new', f'{folder}/{pid}')


def trace(parent, folder):
    ending = []

    def end(*_):
        ending.append(True)
        ptrace(INTERRUPT, parent)

    ptrace(SEIZE, parent, OPTION_FORK)
    signal.signal(signal.SIGTERM, end)
    with open(f'{folder}/ready', 'wb'):
        pass
    while True:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            if pid == parent:
                return
            continue
        event, number = status >> 16, os.WSTOPSIG(status)
        if pid != parent:
            keep(pid, folder)
            ptrace(DETACH, pid)
        elif event == EVENT_STOP and ending:
            ptrace(DETACH, pid)
            return
        elif event == EVENT_STOP and number != signal.SIGTRAP:
            ptrace(LISTEN, pid)
        else:
            ptrace(CONT, pid, 0 if event else number)


if __name__ == '__main__':
    trace(int(sys.argv[1]), sys.argv[2])
