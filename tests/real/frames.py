#!/usr/bin/python3
"""What the kernel says of a process's pages, by frame numbers, against what cowspy reports of them.

  frames.py save PID FILE             the frames of its private mappings now (before a fork, say)
  frames.py moment PID REPORT FILE    asks for a report, and saves the frames of the same moment
  frames.py possible now              whether this system tells frame numbers
  frames.py judge BEFORE NOW [SHARE [FIRST]]
                                      a process's moment against the frames at the latest fork; of
                                      a parent that forks again, FIRST are those at its first fork

  frames.py aside BEFORE NOW           prints how many private pages of a moment are either new since
                                      or in no mapping that the report tracks

Judged are, page by page: that those with a new frame since the fork are those that the report calls
copied, no page more or less; that SHARE percent of them at least have a first write in the report;
and by sums, that the report and smaps agree on what is private and what is shared. All of it
without one line of cowspy's own code. Frame numbers need CAP_SYS_ADMIN.
"""
import array
import bisect
import ctypes
import mmap
import os
import pickle
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../programs'))
import report as text_report  # noqa: E402

PAGE = 4096
FRAME = (1 << 55) - 1
EXCLUSIVE, PROTECTED, FILE, SWAPPED, PRESENT = 1 << 56, 1 << 57, 1 << 61, 1 << 62, 1 << 63
COPIED = 0  # the column of a report's mappings
SNAPSHOT = 50  # the signal that asks for a report, see proof.sh
TIES = 3
VMA = re.compile(r'^([0-9a-f]+)-([0-9a-f]+) ([-rwxps]{4}) \S+ \S+ (\d+) *(.*)$')


def zero_frames():
    """Frames of the zero page: a page of ours that was only read has it."""
    memory = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    assert memory[0] == 0
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with open('/proc/self/pagemap', 'rb', buffering=0) as file:
        file.seek(address // PAGE * 8)
        return {array.array('Q', file.read(8))[0] & FRAME}


def read_smaps(pid):
    """[(start, end, mode, name, {field: bytes})] of its private mappings."""
    vmas = []
    with open(f'/proc/{pid}/smaps', encoding='utf-8', errors='replace') as file:
        for line in file:
            if match := VMA.match(line):
                vmas.append((int(match[1], 16), int(match[2], 16), match[3], match[5], {}))
            elif line.rstrip().endswith(' kB'):
                key, value = line.split(':')
                vmas[-1][4][key] = int(value.split()[0]) * 1024
    return [vma for vma in vmas if vma[2][3] == 'p' and vma[3] != '[vsyscall]']


def is_marker(entry):
    """userfaultfd's mark on a page that is not there shows as swapped out and write-protected."""
    return entry & (PRESENT | SWAPPED | PROTECTED) == SWAPPED | PROTECTED


def read_pages(pid, vmas):
    """{page: entry} of what is present or swapped."""
    pages = {}
    with open(f'/proc/{pid}/pagemap', 'rb', buffering=0) as file:
        for start, end, *_ in vmas:
            file.seek(start // PAGE * 8)
            left = (end - start) // PAGE
            at = start
            while left:
                entries = array.array('Q', file.read(min(left, 1 << 16) * 8))
                if not entries:
                    break
                for i, entry in enumerate(entries):
                    if entry & (PRESENT | SWAPPED) and not is_marker(entry):
                        pages[at + i * PAGE] = entry
                at += len(entries) * PAGE
                left -= len(entries)
    return pages


def look(pid):
    vmas = read_smaps(pid)
    return {'pid': pid, 'vmas': vmas, 'pages': read_pages(pid, vmas), 'zero': zero_frames()}


def wait_until(true, what):
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    sys.exit(f'frames.py: waited in vain for {what}')


def reports_of(path):
    return text_report.read_reports(path) if os.path.exists(path) else []


def complete(reports):
    """The last line that a report has."""
    return reports and any(line.startswith('  this report took ') for line in reports[-1].text)


def moment(pid, path):
    """The report and the frames of one moment: those before and after the report are the same."""
    for _ in range(20):
        before = look(pid)
        known = len(reports_of(path))
        os.kill(pid, SNAPSHOT)
        wait_until(lambda: len(reports_of(path)) > known and complete(reports_of(path)),
                   f'a report in {path}')
        now = look(pid)
        if before['pages'] == now['pages']:
            now['report'] = reports_of(path)[-1]
            return now
        print('written meanwhile:', len(before['pages'].items() ^ now['pages'].items()))
        time.sleep(0.2)
    return sys.exit(f'frames.py: {pid} does not come to rest')


class Truth:
    """By frame numbers: which pages does this process have for itself since `before`?"""

    def __init__(self, before, now, first=None):
        self.before, self.now, self.zero = before['pages'], now['pages'], now['zero']
        self.since_first = Truth(first, now).changed if first else set()
        self.sorted = sorted(self.now)
        self.own = self.anonymous(before=False)
        old = self.anonymous(before=True)
        self.changed = {page for page in self.own
                        if page not in old or (self.now[page] ^ self.before[page]) & FRAME}
        self.tied = set()

    def tie(self, report):
        """
        Pages that both sides of the fork wrote at once: this process found its page shared, but
        before its instruction ran again the other side had made the one copy. No process can see
        that; it is rare, and more than TIES pages of a process are wrong.
        """
        tied = {page for page, letter in report.letters.items()
                if letter == 'C' and page in self.own and page not in self.changed}
        if len(tied) <= TIES:
            self.tied = tied

    def anonymous(self, before):
        """Pages that are no page of a file and not the zero page."""
        pages = self.before if before else self.now
        return {page for page, entry in pages.items()
                if entry & SWAPPED or (not entry & FILE and entry & FRAME not in self.zero)}

    def within(self, start, end):
        """What is there of [start, end)."""
        low = bisect.bisect_left(self.sorted, start)
        return self.sorted[low:bisect.bisect_left(self.sorted, end, low)]

    def kind(self, page):
        if page in self.own:
            return 'changed' if page in self.changed else 'same'
        return 'file' if self.now[page] & FILE else 'zero'


# The letters that a report may draw for a page of a kind.
LETTERS = {'changed': 'CHS', 'same': 'ris', 'file': 'f', 'zero': 'z'}


def judge_mapping(truth, report, mapping):
    """What was its own from the start counts whole, everything else since the fork."""
    start, end, counts, _, name = mapping
    pages = truth.within(start, end)
    changed = sum(page in truth.changed or page in truth.tied or page in truth.since_first
                  for page in pages)
    own = sum(page in truth.own for page in pages)
    if counts[COPIED] not in (changed, own):
        yield (f'{start:x} {name}: reported copied {counts[COPIED]}, new frames {changed}, '
               f'anonymous {own}')
    if not is_drawn(report, mapping):
        if changed or counts[COPIED]:
            yield f'{start:x} {name}: {changed} new frames, no page map'
        return
    whole = counts[COPIED] == own != changed
    for page in pages:
        letter, kind = report.letters.get(page, '.'), truth.kind(page)
        if letter not in LETTERS[kind] and not (
                kind == 'same' and letter in 'CHS' and (whole or page in truth.tied)):
            yield f'{page:x} is {kind}, reported {letter!r}'


def is_drawn(report, mapping):
    """Mappings where nothing happened have no page map."""
    return any(letter != '.' for letter in report.letters_at(mapping[0], (mapping[1] - mapping[0])
                                                            // PAGE).strip())


def judge_pages(truth, report):
    for mapping in report.mappings:
        yield from judge_mapping(truth, report, mapping)
    for page, letter in report.letters.items():
        if page not in truth.now and letter != '.':
            yield f'{page:x} is empty, reported {letter!r}'
    total = sum(mapping[2][COPIED] for mapping in report.mappings)
    if total != report.totals['copied']:
        yield f'the mappings add up to {total} copied pages, the report says {report.totals}'


def covers(ranges, start, end):
    """Several tracked mappings may be one to the kernel."""
    for low, high in ranges:
        if low <= start < high:
            start = high
    return start >= end


def judge_smaps(truth, now, report):
    """
    Over the mappings of smaps that lie in drawn ones as a whole: a page map's C, r and i are private
    to the process, s is shared. Only clean pages of files may be on either side: smaps goes by
    whether another process maps that file, the report by whether the page was copied.
    """
    drawn = sorted(mapping[:2] for mapping in report.mappings if is_drawn(report, mapping))
    smaps = dict.fromkeys(('Private_Dirty', 'Private_Clean', 'Shared_Dirty', 'Shared_Clean'), 0)
    letters = dict.fromkeys('.fzCsriSH', 0)
    for start, end, _, _, fields in now['vmas']:
        if covers(drawn, start, end):
            for key in smaps:
                smaps[key] += fields[key] // PAGE
            for page in truth.within(start, end):
                letters[report.letters.get(page, '.')] += 1
    private = sum(letters[letter] for letter in 'CHri')
    print('  smaps ' + ', '.join(f'{key} {smaps[key]}' for key in smaps),
          f"(pages); page maps: private {private}, shared {letters['s']}, file {letters['f']}")
    for name, mine in ('Private', private), ('Shared', letters['s']):
        dirty, clean = smaps[name + '_Dirty'], smaps[name + '_Clean']
        if not mine <= dirty + clean <= mine + letters['f']:
            yield f'smaps: {name} {dirty} dirty + {clean} clean, the page maps say {mine}'
        if mine != dirty:
            yield f'smaps: {name}_Dirty {dirty}, the page maps say {mine}'


def judge(before, now, share, first):
    report, truth = now['report'], Truth(before, now, first)
    if report.is_child():
        truth.tie(report)
    wrong = [*report.faults(), *judge_pages(truth, report)]
    copied, attributed = report.totals['copied'], report.totals['attributed']
    pages = [page for mapping in report.mappings for page in truth.within(*mapping[:2])]
    print(f"{now['pid']}: of {len(pages)} pages present {copied} copied, {attributed} attributed "
          f"({100 * attributed / max(copied, 1):.2f} %); new frames since the fork "
          f"{sum(page in truth.changed for page in pages)}; {len(truth.tied)} written on both sides at once; {len(wrong)} pages or sums differ")
    if attributed < copied * share / 100:
        wrong.append(f'less than {share} % attributed: {report.totals}')
    return wrong + list(judge_smaps(truth, now, report))


def aside(before, now):
    """Private pages that nobody has left to this process in a tracked mapping."""
    truth = Truth(before, now)
    tracked = {page for mapping in now['report'].mappings for page in truth.within(*mapping[:2])}
    return sum(bool(truth.now[page] & EXCLUSIVE) and (page in truth.changed or page not in tracked)
               for page in truth.own)


def show(wrong):
    print('\n'.join(wrong[:20]), end='\n' if wrong else '')
    return 1 if wrong else 0


def main(verb, *arguments):
    if verb == 'possible':
        return 0 if zero_frames() != {0} else 1
    if verb == 'save':
        result = look(int(arguments[0]))
    elif verb == 'moment':
        result = moment(int(arguments[0]), arguments[1])
    elif verb in ('judge', 'aside'):
        looks = []
        for path in arguments[:2] + arguments[3:4]:
            with open(path, 'rb') as file:
                looks.append(pickle.load(file))
        if verb == 'aside':
            print(aside(*looks))
            return 0
        share = float(arguments[2]) if len(arguments) > 2 else 99.5
        return show(judge(*looks[:2], share, looks[2] if len(looks) > 2 else None))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[-1], 'wb') as file:
        pickle.dump(result, file)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else main('help'))
