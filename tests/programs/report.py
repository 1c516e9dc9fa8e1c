#!/usr/bin/python3
"""Reads cowspy's text reports. All that tests know of the report's layout is in this file.

  report.py judge NOTES PREFIX     the expectations in NOTES (see check.h) against PREFIX<pid>
  report.py check FILE ...         only what holds for every report: its sums and its page maps
  report.py count FILE             prints the number of reports in FILE
  report.py total WORD FILE        a number of the last report: copied, attributed, file, zero, ...
"""
import os
import re
import sys

HEADER = re.compile(r'^cowspy: .* \(pid \d+')
TOTALS = re.compile(r'^\s*copied (\d+) = attributed (\d+) \+ unattributed (\d+)')
KIND = re.compile(r'^\s*(file|zero|fill|fork|reuse|unknown)\s+(\d+)\b')
ROW = re.compile(r'^\s+0x([0-9a-f]+) ([.fzCsriSHx]{1,64})$')
FOLD = re.compile(r'^\s+\.\.\. (\d+) rows like the one above$')
STACK = re.compile(r'^\s*(\d+) pages?\b.*')
STACK_KIND = re.compile(r'\b(file|zero|fill|fork|reuse|unknown) (\d+)\b|\b(\d+) (file|zero|fill|fork|reuse|unknown)\b')
FRAME = re.compile(r'^\s+([^\s+]+)(\+0x[0-9a-f]+)? \(([^)]*)\)')
MAPPING = re.compile(r'^  ([0-9a-f]{12})-([0-9a-f]{12}) +[0-9.]+ \w+((?: +\d+){6}) +[-rwx]{3}  (yes|no) +(.*)$')
LABEL = re.compile(r'^  \+\d+\.\d{3} s  (.*)$')
PAUSED = re.compile(r'^  paused by request: (\d+) first write')
PAGE = 4096
COPIED = 'CrSH'


class Report:
    """One report: page letters by address, totals, kinds, stacks."""

    def __init__(self):
        self.letters = {}
        self.row = None  # (address, letters) of the last row
        self.totals = {}
        self.kinds = {}
        self.mappings = []  # (start, end, counts, protected, name and advice)
        self.labels = []
        self.paused = 0
        self.stacks = []  # (pages, {kind: pages}, [function, ...])
        self.text = []

    def feed(self, line):
        self.text.append(line)
        if match := ROW.match(line):
            self.draw(int(match[1], 16), match[2])
        elif (match := FOLD.match(line)) and self.row:
            for _ in range(int(match[1])):
                self.draw(self.row[0] + len(self.row[1]) * PAGE, self.row[1])
        elif match := TOTALS.match(line):
            self.totals = dict(zip(('copied', 'attributed', 'unattributed'),
                                   map(int, match.groups())))
        elif match := MAPPING.match(line):
            self.mappings.append((int(match[1], 16), int(match[2], 16),
                                  [int(count) for count in match[3].split()], match[4], match[5]))
        elif match := LABEL.match(line):
            self.labels.append(match[1])
        elif match := PAUSED.match(line):
            self.paused = int(match[1])
        elif match := KIND.match(line):
            self.kinds[match[1]] = self.kinds.get(match[1], 0) + int(match[2])
        elif match := FRAME.match(line):
            if self.stacks:
                self.stacks[-1][2].append(match[1])
        elif match := STACK.match(line):
            kinds = {}
            for found in STACK_KIND.finditer(line):
                kinds[found[1] or found[4]] = int(found[2] or found[3])
            self.stacks.append((int(match[1]), kinds, []))

    def is_child(self):
        return ', a forked child)' in self.text[0]

    def draw(self, start, letters):
        self.row = start, letters
        for i, letter in enumerate(letters):
            self.letters[start + i * PAGE] = letter

    def value(self, word):
        return self.totals.get(word, self.kinds.get(word, 0))

    def mapping_at(self, address):
        for mapping in self.mappings:
            if mapping[0] <= address < mapping[1]:
                return mapping
        return (0, 0, [0] * 6, '', '')

    def letters_at(self, address, pages):
        return ''.join(self.letters.get(address + i * PAGE, ' ') for i in range(pages))

    def stack_pages(self, function, kind):
        total = 0
        for pages, kinds, functions in self.stacks:
            if function in functions:
                total += pages if kind == 'any' else kinds.get(kind, 0)
        return total

    def faults(self):
        """What is wrong in any report."""
        if not self.totals:
            yield 'no line "copied N = attributed N + unattributed N"'
            return
        if self.totals['copied'] != self.totals['attributed'] + self.totals['unattributed']:
            yield f'the sum is wrong: {self.totals}'


def read_reports(path):
    """All the reports in a file, in their order; text before the first is skipped."""
    reports = []
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            if HEADER.match(line):
                reports.append(Report())
            if reports:
                reports[-1].feed(line.rstrip('\n'))
    return reports


def fits(expected, letter):
    # Pages without a row are untouched: a mapping where nothing happened has no map.
    if expected in '?.':
        return letter in ('.f ' if expected == '?' else '. ')
    return letter == expected


def judge_pages(report, address, expected):
    got = report.letters_at(int(address, 16), len(expected))
    if not all(map(fits, expected, got)):
        yield f'pages at 0x{address}: expected {expected}, reported {got!r}'


def judge_count(report, address, pages, letter, count):
    got = report.letters_at(int(address, 16), int(pages)).count(letter)
    # Pages without a row are untouched: a mapping where nothing happened has no map.
    if letter == '.':
        got += report.letters_at(int(address, 16), int(pages)).count(' ')
    if got != int(count):
        yield f'{pages} pages at 0x{address}: expected {count} {letter!r}, reported {got}'


def judge_stack(report, function, kind, pages):
    got = report.stack_pages(function, kind)
    if got != int(pages):
        yield f'stacks with {function}: expected {pages} pages ({kind}), reported {got}'


def judge_kind(report, kind, pages):
    got = report.kinds.get(kind, 0)
    if got < int(pages):
        yield f'kind {kind}: expected at least {pages} pages, reported {got}'


def judge_attributed(report):
    if report.totals.get('unattributed'):
        yield f'expected every copied page attributed: {report.totals}'


def judge_undrawn(report, address, pages):
    got = report.letters_at(int(address, 16), int(pages))
    if got.strip():
        yield f'pages at 0x{address}: expected none of them, reported {got!r}'


def judge_locked(report, address, pages):
    got = report.mapping_at(int(address, 16))[2][5]
    if got != int(pages):
        yield f'mapping at 0x{address}: expected {pages} locked pages, reported {got}'


def judge_advised(report, address, *words):
    """The advice of the mapping, in this order, and no other."""
    got = report.mapping_at(int(address, 16))[4].partition(', advised ')[2].split()
    if got != list(words):
        yield f'mapping at 0x{address}: expected advice {words}, reported {got}'


def judge_named(report, address, *words):
    got = report.mapping_at(int(address, 16))[4].split(', ')[0]
    if got != ' '.join(words):
        yield f'mapping at 0x{address}: expected the name {words}, reported {got!r}'


def judge_protected(report, address, word):
    got = report.mapping_at(int(address, 16))[3]
    if got != word:
        yield f'mapping at 0x{address}: expected protected {word}, reported {got!r}'


def judge_labels(report, *words):
    """Separated by commas."""
    expected = [label.strip() for label in ' '.join(words).split(',')]
    if report.labels != expected:
        yield f'labels: expected {expected}, reported {report.labels}'


def judge_paused(report, count):
    if report.paused != int(count):
        yield f'paused: expected {count} first writes, reported {report.paused}'


JUDGES = {'undrawn': judge_undrawn, 'locked': judge_locked, 'advised': judge_advised,
          'named': judge_named, 'protected': judge_protected, 'labels': judge_labels,
          'paused': judge_paused, 'pages': judge_pages, 'count': judge_count, 'stack': judge_stack, 'kind': judge_kind,
          'attributed': judge_attributed}


def read_notes(path):
    """{pid: [[expectation, ...] for each report]}"""
    notes = {}
    with open(path, encoding='ascii') as file:
        for line in file:
            pid, word, *arguments = line.split()
            groups = notes.setdefault(pid, [[]])
            if word == 'snapshot':
                groups.append([])
            else:
                groups[-1].append((word, arguments))
    return notes


def judge(notes_path, prefix):
    wrong = []
    try:
        notes = read_notes(notes_path)
    except FileNotFoundError:
        return wrong  # a program without expectations: its output alone counts
    for pid, groups in notes.items():
        try:
            reports = read_reports(prefix + pid)
        except FileNotFoundError:
            wrong.append(f'{pid}: no report')
            continue
        if len(reports) != len(groups):
            wrong.append(f'{pid}: expected {len(groups)} reports, found {len(reports)}')
        for number, (report, group) in enumerate(zip(reports, groups), 1):
            found = list(report.faults())
            for word, arguments in group:
                found += JUDGES[word](report, *arguments)
            wrong += [f'{pid}, report {number}: {fault}' for fault in found]
            if found:
                wrong += ['  | ' + line for line in report.text[:200]]
    return wrong


def main(verb, *arguments):
    if verb == 'judge':
        wrong = judge(*arguments)
    elif verb == 'check':
        wrong = []
        for path in arguments:
            if path.endswith('.trace'):  # beside each report lies what it was made from
                continue
            reports = read_reports(path) if os.path.exists(path) else []
            wrong += [] if reports else [f'{path}: no report']
            wrong += [f'{path}: {fault}' for report in reports for fault in report.faults()]
    elif verb == 'count':
        print(len(read_reports(arguments[0])))
        return 0
    elif verb == 'total':
        print(read_reports(arguments[1])[-1].value(arguments[0]))
        return 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    print('\n'.join(wrong), end='\n' if wrong else '')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else main('help'))
