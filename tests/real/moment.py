#!/usr/bin/python3
"""Running servers: what their reports say against what the kernel says at the same moment.

  moment.py COWSPY SIGNAL PID BIRTHS

PID and all its descendants are stopped. Then, one by one: `cowspy pages` reads the process's
pagemap and smaps from outside, the snapshot signal is sent, the process goes on and is stopped
again when its report is there. The signal is pending when the process goes on: the report is made
before its next instruction, so both describe one moment. (Unless it was stopped within the library,
which holds signals back for a moment: then the two may differ, and the look is repeated.)

Must hold for each process:
  - every page of every tracked mapping has the letter that the pagemap gives it: 0 pages differ.
    From outside, pages copied (C), reused in place (r), and left to this process alone by the
    others (i) all are "mapped only here";
    Where nothing was copied, the report draws no map: there its row in the table must fit;
  - the sum line fits the letters: all C are in it, and those pages of an earlier epoch that were
    copied then (r), or are shared (s) or left alone (i) since a fork after that;
  - where births.py noted the frames of a process at its birth (in the folder BIRTHS): the pages that
    the report counts as copied are as many as the anonymous pages with another frame than at birth.
    Allowed difference: one page, for relatives that write it in the same microseconds. The kernel
    then says to both that they share it, and copies it for one;
  - of the copied pages 99.5 % or more are attributed;
  - smaps: in mappings that are tracked as a whole, Private_Dirty is the pages C, r and i, and
    Shared_Dirty the pages s. Allowed difference: pages f of a file not yet written to its disk, which
    are dirty to smaps, private or shared. Elsewhere (a mapping that the library tracks in part, for
    it holds a thread block or libc's data), the part left out comes on top, at most.

Prints a line for each process and one for all, with the functions at the top.
"""
import collections
import contextlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../programs'))
import births  # noqa: E402
import report  # noqa: E402

PAGE = 4096
FITS = {'C': 'Cri', 'H': 'HCri', 'S': 'Sri', 's': 's', 'z': 'z', 'f': 'f', '?': '?', '.': '. '}
TRIES = 5
RACED_MOST = 1


def fields(pid):
    """Of /proc/PID/stat, from the state on; the name before may hold anything."""
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        return file.read().rpartition(')')[2].split()


def family(pid):
    parents = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parents[int(name)] = int(fields(name)[1])
    found = [pid]
    for one in found:
        found += sorted(child for child, parent in parents.items() if parent == one)
    return found


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    for _ in range(1000):
        if fields(pid)[0] in 'TZ':
            return
        time.sleep(0.005)
    sys.exit(f'{pid} does not stop')


def smaps(pid):
    """[(start, end, {field: pages})] of the private mappings."""
    found = []
    with open(f'/proc/{pid}/smaps', encoding='utf-8', errors='replace') as file:
        for line in file:
            if match := re.match(r'([0-9a-f]+)-([0-9a-f]+) (....) ', line):
                private = match[3][3] == 'p'
                if private:
                    found.append((int(match[1], 16), int(match[2], 16), {}))
            elif private and (match := re.match(r'(\w+): +(\d+) kB', line)):
                found[-1][2][match[1]] = int(match[2]) * 1024 // PAGE
    return found


def seen_from_outside(cowspy, pid):
    """{page address: letter}"""
    pages = {}
    told = json.loads(subprocess.run([cowspy, 'pages', '--json', '--all', str(pid)], check=True,
                                     capture_output=True).stdout)
    for mapping in told['mappings']:
        for run in mapping['runs']:
            start = int(run['start'], 16)
            for page in range(start, start + run['pages'] * PAGE, PAGE):
                pages[page] = run['state']
    return pages


def report_path(pid):
    with open(f'/proc/{pid}/maps', encoding='utf-8', errors='replace') as file:
        for line in file:
            if match := re.search(r' rw-s .*?(/.*)\.trace$', line.rstrip('\n')):
                return match[1]
    return None


def ask(pid, number, path):
    """The report of this moment."""
    before = os.path.getsize(path) if os.path.exists(path) else 0
    os.kill(pid, number)
    os.kill(pid, signal.SIGCONT)
    for _ in range(2000):
        time.sleep(0.01)
        if fields(pid)[0] in 'ZX':
            raise ProcessLookupError
        if os.path.exists(path) and os.path.getsize(path) > before:
            with open(path, 'rb') as file:
                file.seek(before)
                if re.search(rb'this report took [^\n]*\n$', file.read()):
                    return report.read_reports(path)[-1]
    sys.exit(f'{pid}: no report in {path} in time')


class Look:
    """One process at one moment."""

    def __init__(self, cowspy, number, pid, path, born):
        self.pid = pid
        self.born = born
        self.frames = births.frames(pid) if born is not None else {}
        self.smaps = smaps(pid)
        self.outside = seen_from_outside(cowspy, pid)
        self.report = ask(pid, number, path)
        stop(pid)
        self.tracked = {page for start, end, *_ in self.report.mappings
                        for page in range(start, end, PAGE)}
        self.letters = {page: self.letter(page) for page in self.tracked}
        self.faults = [*self.pages_differ(), *self.rows_differ(), *self.sums_differ(), *self.frames_differ(), *self.smaps_differ()]

    def is_without_truth(self):
        """A child of a process that gave up root's rights may not read its own pagemap."""
        return any(line.startswith('no kernel truth') for line in self.report.text)

    def is_drawn(self, mapping):
        return any(page in self.report.letters for page in range(*mapping[:2], PAGE))

    def letter(self, page):
        """As drawn, or as the mapping without a drawing leaves no other choice."""
        if page in self.report.letters or self.is_drawn(self.report.mapping_at(page)):
            return self.report.letters.get(page, ' ')
        outside = self.outside.get(page, '.')
        return 'i' if outside in 'CHS' else outside

    def count(self, letters, pages=None):
        return sum(self.letters[page] in letters for page in pages or self.tracked)

    def pages_differ(self):
        wrong = [(page, letter) for page, letter in self.letters.items()
                 if letter not in FITS[self.outside.get(page, '.')]]
        for page, letter in sorted(wrong)[:10]:
            yield f'page {page:#x}: {self.outside.get(page, ".")!r} outside, {letter!r} reported'
        if len(wrong) > 10:
            yield f'and {len(wrong) - 10} pages more'

    def rows_differ(self):
        for mapping in self.report.mappings:
            start, end, (copied, zero, clean, resident, swapped, _), *_ = mapping
            if self.is_drawn(mapping):
                continue
            seen = collections.Counter(self.outside.get(page, '.') for page in range(start, end, PAGE))
            row = 0, seen['z'], seen['f'], sum(seen[c] for c in 'CHszf'), seen['S']
            if row != (copied, zero, clean, resident, swapped):
                yield f'{start:x}-{end:x}: {row} outside, {mapping[2]} reported'

    def sums_differ(self):
        yield from self.report.faults()
        drawn = self.count('CSH')
        copied = self.report.totals['copied']
        if copied != sum(mapping[2][0] for mapping in self.report.mappings):
            yield f'copied {copied}, but the mappings add up to another sum'
        if not drawn <= copied <= drawn + self.count('rsi'):
            yield f'copied {copied}, but {drawn} pages drawn as copied'

    def frames_differ(self):
        self.raced = 0
        if self.born is None:
            return
        moved = {page for page in self.tracked if self.outside.get(page) in ('C', 'H', 's') and
                 self.frames[page] != self.born.get(page)}
        reported = self.report.totals['copied']
        odd = sorted(page for page in self.tracked - moved if self.letters[page] in 'CH')
        self.raced = reported - len(moved) if len(odd) == reported - len(moved) else 0
        if len(moved) + self.raced != reported or self.raced > RACED_MOST:
            yield f'{len(moved)} frames are not those of its birth, {reported} pages are reported ' \
                  f'as copied; drawn as copied, in its old frame: {[*map(hex, odd)]}'

    def smaps_differ(self):
        for start, end, fields_of in self.smaps:
            pages = [page for page in range(start, end, PAGE) if page in self.tracked]
            if not pages:
                continue
            left_out = (end - start) // PAGE - len(pages)
            for field, letters in ('Private_Dirty', 'CrHi'), ('Shared_Dirty', 's'):
                more = fields_of[field] - self.count(letters, pages)
                if not 0 <= more <= left_out + self.count('f', pages):
                    yield f'{start:x}-{end:x}: {field} {fields_of[field]} pages in smaps, ' \
                          f'{self.count(letters, pages)} reported'


def frames_at_birth(folder, pid):
    try:
        with open(f'{folder}/{pid}', 'rb') as file:
            return pickle.load(file)
    except FileNotFoundError:
        return None


def look(cowspy, number, pid, folder):
    """None for a process that is not watched, ends, or is not told about its pages by the kernel."""
    try:
        path = report_path(pid) if fields(pid)[0] == 'T' else None
        if not path:
            return None
        for _ in range(TRIES):
            result = Look(cowspy, number, pid, path, frames_at_birth(folder, pid))
            if not result.faults:
                break
        return None if result.is_without_truth() else result
    except (FileNotFoundError, ProcessLookupError):
        return None


def top_functions(looks):
    """The innermost functions with a name, most copied pages first."""
    pages = collections.Counter()
    for one in looks:
        for count, kinds, functions in one.report.stacks:
            copies = kinds.get('fork', 0) + kinds.get('file', 0) + kinds.get('zero', 0)
            if functions and copies:
                pages[functions[0]] += copies
    return pages.most_common(5)


def print_line(name, looks):
    copied = sum(one.report.totals['copied'] for one in looks)
    attributed = sum(one.report.totals['attributed'] for one in looks)
    share = 100 * attributed / copied if copied else 100
    born = sum(one.born is not None for one in looks)
    born = f', {born} from birth on' if born else ''
    raced = sum(one.raced for one in looks)
    born += f', {raced} copied by a relative instead' if raced else ''
    print(f'{name:>9} {sum(len(one.tracked) for one in looks):8} pages compared '
          f'{sum(one.count("s") for one in looks):7} shared {copied:7} copied '
          f'{share:7.2f} % attributed{born}')
    return share


def main(cowspy, number, pid, folder):
    pids = family(pid)
    stopped = []
    try:
        for one in pids:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                stop(one)
                stopped.append(one)
        looks = [result for one in stopped if (result := look(cowspy, number, one, folder))]
    finally:
        for one in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)
    faults = [f'{one.pid}: {fault}' for one in looks for fault in one.faults]
    for one in looks:
        if print_line(one.pid, [one]) < 99.5:
            faults.append(f'{one.pid}: less than 99.5 % attributed: {one.report.totals}')
    print_line('all', looks)
    print('top:', ', '.join(f'{name} {count}' for name, count in top_functions(looks)))
    if len(looks) < 2:
        faults.append(f'only {len(looks)} of {len(pids)} processes are watched')
    print('\n'.join(faults), end='\n' if faults else '')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
