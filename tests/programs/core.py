#!/usr/bin/python3
"""Prints what a core file says of the death: signal, code, address, instruction.

Addresses are cut to their offset in a page, as mappings lie elsewhere in each run.
"""
import struct
import sys

NT_PRSTATUS, NT_SIGINFO = 1, 0x53494749
PT_NOTE = 4
# Offset in the note of the saved instruction pointer, by e_machine.
INSTRUCTION = {62: 112 + 16 * 8, 183: 112 + 32 * 8}


def notes(core):
    phoff, = struct.unpack_from('<Q', core, 32)
    phentsize, phnum = struct.unpack_from('<HH', core, 54)
    for i in range(phnum):
        kind, _, offset, _, _, size = struct.unpack_from('<IIQQQQ', core, phoff + i * phentsize)
        if kind != PT_NOTE:
            continue
        end = offset + size
        while offset < end:
            name, length, note = struct.unpack_from('<III', core, offset)
            offset += 12 + (name + 3 & ~3)
            yield note, core[offset:offset + length]
            offset += length + 3 & ~3


def main(path):
    with open(path, 'rb') as file:
        core = file.read(1 << 20)
    machine, = struct.unpack_from('<H', core, 18)
    found = {}
    for note, body in notes(core):
        found.setdefault(note, body)
    signal, _, code = struct.unpack_from('<iii', found[NT_SIGINFO])
    # A sent signal has the sender's process id where a fault has its address.
    address, = struct.unpack_from('<Q', found[NT_SIGINFO], 16)
    place = f'{address & 0xfff:#x}' if code > 0 else 'sent'
    instruction, = struct.unpack_from('<Q', found[NT_PRSTATUS], INSTRUCTION[machine])
    print(f'signal {signal} code {code} at {place} instruction {instruction & 0xfff:#x}')


if __name__ == '__main__':
    main(sys.argv[1])
