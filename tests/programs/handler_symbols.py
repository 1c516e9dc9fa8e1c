#!/usr/bin/python3
"""What our signal handlers can reach outside of the library, from the built library's own code.

    handler_symbols.py LIBRARY

The call graph comes from the disassembly. From a function one reaches what it calls or jumps to,
every function whose address it takes, and every function in a table that it touches: so a call
through a register is covered wherever the pointer comes from the library. A pointer from elsewhere
(dlsym, the program) shows in the call only: each function that calls through a pointer stands in
POINTERS with where it comes from, and fails if it does not.

Three sets of roots: the handlers; net_thunk, to which the SIGSYS handler returns, since what it
reaches runs in place of system calls of the program, in its handlers and forked children as well;
and the wrappers, which may be called there, too.
"""
import bisect
import re
import subprocess
import sys

HANDLERS = ['handlers_fault', 'handlers_dispatch', 'handlers_snapshot', 'handlers_forward']
CALLS = ['net_thunk']
# Pointers to these are stored by our start, for code that the handlers run.
STORED = ['trace_regions_all']
# The handlers write this address into the saved context: that code runs after they have returned.
RETURNED_TO = {'net_thunk'}

# Reads the thread pointer, no more.
ALLOWED = {'__errno_location'}
ALLOWED_IN_WRAPPERS = ALLOWED | {
    'dlsym',                  # before our start has run, and only then (interpose/real.h)
    'pthread_setcanceltype',  # changes a word of the thread; a cancellation point as libc's own is
    'stderr',                 # data: fclose compares it with its argument
}

POINTERS = {
    # Given by the caller, who takes the address of a function of the library.
    'sort_heap': 'its order',
    'unwind_step': '_dl_find_object of libc, made for signal handlers',
    'sift_down': 'order of sort_heap',
    'locks_walk': 'its visitor',
    'take_line': 'visitor of locks_walk',
    'maps_walk': 'its visitor',
    'walk_line': 'visitor of maps_walk',
    'pagemap_runs': 'its visitor',
    'runs_finish': 'visitor of pagemap_runs',
    'runs_by_entries': 'visitor of pagemap_runs',
    'runs_by_scan': 'visitor of pagemap_runs',
    'output_add_iovecs': 'reader of syscall_outputs',
    'output_add_pointed': 'reader of syscall_outputs',
    'output_add_value': 'reader of syscall_outputs',
    'output_read': 'reader of syscall_outputs',
    'guarded': 'writer of trace_file_append',
    'sys_saving_vectors': 'its argument',
    'issue_plain': 'argument of kernel_writes_fork',
    'call_found': 'argument of kernel_writes_fork',
    'issue': 'argument of kernel_writes_fork',
    'begin': 'what was given to trace_start',
    # From tables of the library.
    'call_issue': 'special[]',
    'syscall_outputs': 'the table of system calls',
    # Code outside.
    'land': 'back into the same thread: __builtin_longjmp',
    'net_thunk': 'back into the program: where the system call was made',
    'main_run': 'main of the program',
    'thread_run': 'the thread function of the program',
    'thread_run_c11': 'the thread function of the program',
    'sys_now': "libc's clock_gettime: reads the vDSO, never where that faults",
    # handler_allocations.c shows what the disassembly of a stripped library cannot.
    'unwind': "libunwind's unw_backtrace, warmed in each thread before its first use in a handler",
}

SYMBOL = re.compile(r'^\s*\d+: ([0-9a-f]+)\s+(\w+) (\w+)\s+(\w+)\s+(\w+)\s+(\w+) ([^@\s]+)')
SLOT = re.compile(r'^([0-9a-f]+)\s+[0-9a-f]+ R_X86_64_(?:GLOB_DAT|JUMP_SLOT|64)\s+[0-9a-f]+ ([^@\s]+)')
RELATIVE = re.compile(r'^([0-9a-f]+)\s+[0-9a-f]+ R_X86_64_RELATIVE\s+([0-9a-f]+)')
LINE = re.compile(r'^ +([0-9a-f]+):\t(\S+) *([^#]*?)\s*(?:# ([0-9a-f]+) .*)?$')
DIRECT = re.compile(r'^([0-9a-f]+) <')
PLT = re.compile(r'<([^@>]+)@plt>')
INDIRECT = re.compile(r'(?:notrack )?(?:call|jmp) +\*')


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


class Library:
    def __init__(self, path):
        self.function_at, self.objects, self.outside, self.pointers = {}, [], {}, {}
        self.wrappers = set()
        self.reached_from, self.indirect_calls = {}, set()
        self.read_symbols(path)
        self.starts = sorted(self.function_at)
        self.read_relocations(path)
        self.slots = sorted(self.pointers)
        self.read_code(path)

    def read_symbols(self, path):
        for line in lines('readelf', '--wide', '--symbols', path):
            found = SYMBOL.match(line)
            if not found or found[6] == 'UND':
                continue
            address, size, kind, bind, visibility, _, name = found.groups()
            if kind == 'FUNC':
                self.function_at[int(address, 16)] = name
                if bind == 'GLOBAL' and visibility == 'DEFAULT' and not name.startswith('cowspy_'):
                    self.wrappers.add(name)
            elif kind == 'OBJECT':
                self.objects.append((int(address, 16), int(size, 0)))
        self.objects.sort()

    def read_relocations(self, path):
        for line in lines('readelf', '--wide', '--relocs', path):
            if found := SLOT.match(line):
                self.outside[int(found[1], 16)] = found[2]
            elif found := RELATIVE.match(line):
                self.pointers[int(found[1], 16)] = int(found[2], 16)

    def function_of(self, address):
        place = bisect.bisect_right(self.starts, address) - 1
        return self.starts[place] if place >= 0 else None

    def in_object(self, address):
        """The addresses of functions that the data object around `address` points to."""
        place = bisect.bisect_right(self.objects, (address, 1 << 60)) - 1
        start, size = self.objects[place] if place >= 0 else (0, 0)
        if not start <= address < start + size:
            start, size = address, 8
        first, end = bisect.bisect_left(self.slots, start), bisect.bisect_left(self.slots, start + size)
        return [self.pointers[slot] for slot in self.slots[first:end]]

    def read_code(self, path):
        """Fills reached_from (function -> addresses and outside names) and indirect_calls."""
        own = {name: address for address, name in self.function_at.items()}
        before = ''
        for line in lines('objdump', '--disassemble', '--no-show-raw-insn', path):
            found = LINE.match(line)
            if not found:
                continue
            function = self.function_of(int(found[1], 16))
            reached = self.reached_from.setdefault(function, set())
            if plt := PLT.search(found[3]):
                reached.add(own.get(plt[1], plt[1]))
            elif direct := DIRECT.match(found[3]):
                reached.add(self.function_of(int(direct[1], 16)))
            elif found[4]:
                reached |= self.at(int(found[4], 16), own)
            if INDIRECT.match(found[2] + ' ' + found[3]) and not is_switch(before, found[3]) \
                    and not self.is_linked(found[4]):
                self.indirect_calls.add(function)
            before = found[2] + ' ' + found[3]

    def is_linked(self, address):
        """Whether the linker filled in the pointer at `address` (hexadecimal, None: a register)."""
        return address and (int(address, 16) in self.outside or int(address, 16) in self.pointers)

    def at(self, address, own):
        """What code can reach that uses this address, of code or data."""
        if address in self.outside:
            name = self.outside[address]
            return {own.get(name, name)}
        if address in self.function_at:
            return {address}
        return {pointer for pointer in self.in_object(address) if pointer in self.function_at}

    def named(self, name):
        return next(address for address, own in self.function_at.items() if own == name)

    def reachable(self, roots, stop):
        """Everything reachable: {function or outside name: who refers to it}."""
        origin = {self.named(root): None for root in roots}
        queue = list(origin)
        stop = {self.named(name) for name in stop}
        while queue:
            function = queue.pop()
            for next_one in self.reached_from.get(function, ()):
                if next_one not in origin and next_one not in stop:
                    origin[next_one] = function
                    queue.append(next_one)
        return origin


def is_switch(before, operand):
    """The computed jump of a switch: a distance from the table has just been added."""
    return re.match(r'(notrack )?add .*,' + re.escape(operand.lstrip('*')) + '$', before)


def path_to(library, origin, place):
    names = []
    while place is not None:
        names.append(library.function_at.get(place, place))
        place = origin[place]
    return ' <- '.join(str(name) for name in names)


def judge(library, what, roots, stop, allowed):
    origin = library.reachable(roots, stop)
    outside = {place for place in origin if isinstance(place, str)}
    wrong = [f'{what} can reach {path_to(library, origin, name)}' for name in outside - allowed]
    for place in sorted(library.indirect_calls & set(origin)):
        # A wrapper's own pointers lead to the next definition of the same function.
        name = library.function_at[place]
        if name not in POINTERS and name not in library.wrappers:
            wrong.append(f'{what} can reach a call through a pointer that POINTERS does not explain, in '
                         f'{path_to(library, origin, place)}')
    print(f'{what}: {len(origin) - len(outside)} functions, outside: {" ".join(sorted(outside))}')
    for line in sorted(wrong):
        print(line)
    return wrong


def main():
    library = Library(sys.argv[1])
    wrong = judge(library, 'a handler', HANDLERS + STORED, RETURNED_TO, ALLOWED)
    wrong += judge(library, 'a call', CALLS + STORED, HANDLERS, ALLOWED)
    wrong += judge(library, 'a wrapper', sorted(library.wrappers), HANDLERS, ALLOWED_IN_WRAPPERS)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
