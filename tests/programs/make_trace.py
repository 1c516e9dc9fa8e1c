"""make_trace.py FILE MODULE WRITES STACKS DEPTH

Writes a large trace by hand: first writes spread evenly over stacks, whose frames are spread evenly
over the code of a real ELF file."""

import re
import struct
import subprocess
import sys

MODULE, MAPPING, STACK, FIRST_WRITE, CLOSE = 4, 5, 6, 7, 17
HEAP = 0x100000000000
CODE = 0x550000000000


def record(kind, body):
    body += b"\0" * (-len(body) % 8)
    return struct.pack("<II", kind, len(body) + 8) + body


def readelf(option, path):
    return subprocess.run(["readelf", option, path], check=True, capture_output=True,
                          text=True).stdout


def main():
    path, module = sys.argv[1:3]
    writes, stacks, depth = map(int, sys.argv[3:6])
    build_id = bytes.fromhex(re.search(r"Build ID: ([0-9a-f]+)", readelf("-nW", module))[1])
    code = next(re.finditer(r"LOAD +0x(\w+) +0x\w+ +0x\w+ +0x(\w+) +0x\w+ R E",
                            readelf("-lW", module)))
    offset, size = int(code[1], 16), int(code[2], 16)
    end = CODE + (size + 4095) // 4096 * 4096
    out = [struct.pack("<QIIIIIIIIQQQQQ64sI32s28s4Q", 0x4543415254574f43, 1, 240, 4096, 62, 4250, 1,
                       0, 0, 1000, 1000, 1700000000 * 10**9, 0, 0, b"6.1", 0, b"", b"0.1", 0, 0, 0,
                       0)]
    name = module.encode()
    out.append(record(MODULE, struct.pack("<IIQQQQQIIII", 72, 0, 1000, CODE, end, offset, 0, 0, 0,
                                          len(build_id), len(name)) + build_id + name))
    out.append(record(MAPPING, struct.pack("<IIQQQIIIIIIQQ", 80, 0, 1000, HEAP,
                                           HEAP + writes * 4096, 3, 0, 0, 0, 0, 0, 0, 0)))
    places = 5000
    for i in range(stacks):
        frames = [CODE + (i * 7 + j * 131) % places * (size - 16) // places + 1
                  for j in range(depth)]
        frames[-1] = CODE + i % places
        out.append(record(STACK, struct.pack("<II%dQ" % depth, i + 1, depth, *frames)))
    pack = struct.Struct("<IIQQIIIIIHBBII").pack
    out.extend(pack(FIRST_WRITE, 56, HEAP + i * 4096, 2000 + i * 1000, i % stacks + 1, 4250, 0,
                    i + 1, 0, 0, 1 + i % 5, 0, 0, 0) for i in range(writes))
    out.append(record(CLOSE, struct.pack("<QIIQQ", 10**10, 1, 0, writes, 0)))
    with open(path, "wb") as file:
        file.write(b"".join(out))


main()
