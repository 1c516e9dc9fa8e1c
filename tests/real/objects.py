"""A pre-forking server in small: N objects, then a fork whose child does WORK with them.

  objects.py iterate|collect|freeze N

It stops itself just before the fork. Then the child prints its process id and what it has found,
and both wait for a line each on standard input.
"""
import gc
import os
import signal
import sys


def build(count):
    """Dictionaries, lists, texts and numbers."""
    return [{f'key{i}': [i, str(i)], 'pair': (i, float(i))} for i in range(count)]


def iterate(data):
    total = 0
    for item in data:
        for key in item:
            total += len(key)
    return total


def main(work, count):
    gc.disable()
    data = build(count)
    if work == 'freeze':
        gc.collect()
        gc.freeze()
    os.kill(os.getpid(), signal.SIGSTOP)
    child = os.fork()
    if child == 0:
        found = iterate(data) if work == 'iterate' else gc.collect()
        os.write(1, f'{os.getpid()} {found}\n'.encode())
        os.read(0, 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print('child ended with status', status)


main(sys.argv[1], int(sys.argv[2]))
