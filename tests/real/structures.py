"""Builds large structures, forks children that read and change them, and prints digests."""
import gc
import hashlib
import json
import mmap
import os
import re
import subprocess
import tempfile
import threading


def build(n):
    return {f'key{i}': {'id': i, 'text': 'x' * (i % 50), 'list': list(range(i % 10))}
            for i in range(n)}


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def in_child(work):
    """Run work() in a forked child; what it returned."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, work().encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        result = stream.read()
    _, status = os.waitpid(pid, 0)
    return f'{result} status {status}'


def change(data):
    for value in data.values():
        value['id'] += 1
    return digest(data)


def private_file():
    """Pages of a file, changed in memory only."""
    with tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * 16 * 64)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as view:
            for page in range(0, 64, 3):
                view[page * 4096:page * 4096 + 5] = b'dirty'
            changed = hashlib.sha256(view[:]).hexdigest()[:16]
        file.seek(0)
        return changed, hashlib.sha256(file.read()).hexdigest()[:16]


def in_threads():
    results = [None] * 4

    def work(i):
        results[i] = digest(build(2000 + i))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def main():
    data = build(20000)
    print('built', digest(data))
    print('child reads', in_child(lambda: digest(data)))
    print('child collects', in_child(lambda: str(gc.collect() >= 0)))
    print('child changes', in_child(lambda: change(data)))
    print('parent after', digest(data))
    print('parent changes', change(data))
    print('private file', *private_file())
    print('threads', *in_threads())
    print('words', len(re.findall(r'\b\w+\b', json.dumps(data))))
    print('shell', subprocess.run(['sh', '-c', 'echo $((6 * 7))'], capture_output=True,
                                  text=True, check=True).stdout.strip())


main()
