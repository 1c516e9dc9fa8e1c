#!/usr/bin/python3
"""What cowspy costs, as ratios in one run.

  run.py [--quick] [--rounds N] [--pages N] [--json FILE] [writes|scattered|mappings|forks|programs ...]

All variants of a case run in turn, round by round, so that whatever else the machine does meets
all of them. Each figure is the median over the rounds with its quartiles; a ratio is the median of
the ratios within a round, of CPU time where it does not say wall. Programs and peers (perf,
bpftrace) that are not installed are left out. Also written as JSON to bench.json in the build
folder.
"""
import argparse
import json
import os
import shutil
import sys

import forks
import mappings
import programs
import scattered
import writes
from measure import BUILD, Noise, WORK

GROUPS = {'writes': writes, 'scattered': scattered, 'mappings': mappings, 'forks': forks, 'programs': programs}


class Size:
    """How much of everything."""

    def __init__(self, options):
        quick = options.quick
        self.rounds = options.rounds or (3 if quick else 11)
        self.pages = options.pages or (4000 if quick else 20000)
        self.threads = (8,) if quick else (2, 4, 8)
        self.scattered = 100000 if quick else 1000000
        self.held = 2000 if quick else 50000
        self.pairs = 2000 if quick else 20000
        self.starts = 20 if quick else 100
        self.rows = 20000 if quick else 200000
        self.requests = 5000 if quick else 50000
        self.tree = '/usr/include' if quick else '/usr'


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('groups', nargs='*', metavar='GROUP', default=list(GROUPS),
                        help=', '.join(GROUPS) + '; all when none is named')
    parser.add_argument('--quick', action='store_true', help='less than a minute, less exact')
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--pages', type=int)
    parser.add_argument('--json', default=os.path.join(BUILD, 'bench.json'), metavar='FILE')
    options = parser.parse_args()
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"there is no group '{group}'; there are {', '.join(GROUPS)}")
    return options


def run(options):
    size, noise, rows = Size(options), Noise(), []
    for group in options.groups:
        print(f'--- {group}: {size.rounds} rounds, {size.pages} pages ---')
        for row in GROUPS[group].cases(size):
            noise.sample()
            row.show()
            rows.append(row)
    return {'rounds': size.rounds, 'pages': size.pages, 'noise': noise.summary(),
            'figures': [row.as_json() for row in rows if row.figure]}


def main():
    options = parse()
    try:
        results = run(options)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    noise = results['noise']
    print(f"load {noise['load']['begin']} at the beginning, {noise['load']['most']} at most, on "
          f"{noise['processors']} processors; a fixed computation varied by "
          f"{noise['spread'] * 100:.0f} % (quartiles)"
          + ('; trust orders, not digits' if noise['spread'] > 0.1 else ''))
    with open(options.json, 'w', encoding='ascii') as file:
        json.dump(results, file, indent=1)


if __name__ == '__main__':
    sys.exit(main())
