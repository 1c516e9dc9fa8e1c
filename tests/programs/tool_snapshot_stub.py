"""A process that answers the snapshot signal as the library does, as its first argument says.

  answer FILE     appends a report to FILE in pieces
  child FILE      the same in a forked child, whose process id is printed
  foreign         does not map the library but catches the signal
  deaf            maps the library but does not catch the signal
  silent FILE     catches the signal and writes nothing
  blocked FILE    catches the signal but blocks it
  ends FILE       ends in the middle of a report
"""
import mmap
import os
import signal
import sys
import time

how = sys.argv[1]
FOLDER = os.environ["WORK"]
if how != "foreign":
    library = open(f"{FOLDER}/libcowspy.so", "rb")
    mapped = mmap.mmap(library.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
number = 0


def report(_signal, _frame):
    global number
    number += 1
    if how in ("silent", "foreign"):
        return
    fd = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"report {number} begins\n".encode())
    time.sleep(0.5)
    if how == "ends":
        os._exit(0)
    os.write(fd, b"x" * 100000 + f"\nreport {number} ends\n".encode())
    os.close(fd)


if how != "deaf":
    signal.signal(signal.SIGUSR1, report)
if how == "blocked":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if how == "child" and (child := os.fork()):
    os.waitpid(child, 0)
    os._exit(0)
if how == "child":
    sys.argv[2] += f".{os.getpid()}"
print(os.getpid(), flush=True)
while True:
    time.sleep(100)
