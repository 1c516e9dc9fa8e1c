"""Puts memory into known states, says where it is, and waits: at each "w" read, a page more."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tool_judge import PAGE, address_of, anonymous, private_file

inherited = anonymous(8)
for i in range(8):
    inherited[i * PAGE] = 1
child = os.fork()
if child == 0:
    signal.pause()
inherited[0] = 2
file = private_file(int(sys.argv[1]), 4)
file[0] = 1
file[2 * PAGE] = 1
file[3 * PAGE]
memory = anonymous(64)
for i in range(8, 16):
    memory[i * PAGE]
for i in range(16, 24):
    memory[i * PAGE] = 1
print(os.getpid(), *(hex(address_of(m)) for m in (file, memory, inherited)), flush=True)
page = 32
while os.read(0, 1) == b"w":
    memory[page * PAGE] = 1
    page += 1
    os.write(1, b"written\n")
os.kill(child, signal.SIGKILL)
