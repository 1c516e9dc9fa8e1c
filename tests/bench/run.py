#!/usr/bin/python3
"""What a first write costs: plain, with a bare SIGSEGV + mprotect handler, and under cowspy.

  run.py [--rounds N] [--pages N]

The three run in turn, round by round, so that whatever else the machine does meets all of them.
Each figure is the median over the rounds with its spread (first to third quartile); a ratio is the
median of the ratios within a round. Also written to bench.json in the build folder.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get('BUILD', 'build'))
HERE = os.path.dirname(os.path.abspath(__file__))
CASES = ('plain', 'bare', 'watched')
ORDERS = ('sequential', 'random')
GOAL = 1.3  # watched against bare


def reports():
    return [os.path.join(BUILD, name) for name in os.listdir(BUILD)
            if name.startswith('bench.report.') and not name.endswith('.trace')]


def remove_reports():
    for path in reports():
        os.unlink(path)
        if os.path.exists(path + '.trace'):
            os.unlink(path + '.trace')


def check_report(pages):
    """A fast run that lost events would be no result."""
    total = subprocess.run([sys.executable, os.path.join(HERE, '../programs/report.py'),
                            'total', 'attributed', *reports()], capture_output=True,
                           text=True, check=False).stdout
    if not total.strip().isdigit() or int(total) < pages:
        sys.exit(f'only {total.strip() or "no"} of {pages} first writes are in the report')


def run_once(case, order, pages):
    """(first write, second write) in nanoseconds of CPU time."""
    environment = dict(os.environ, COWSPY_OUTPUT=os.devnull)
    if case == 'watched':
        environment['LD_PRELOAD'] = os.path.join(BUILD, 'libcowspy.so')
        environment['COWSPY_OUTPUT'] = os.path.join(BUILD, 'bench.report.%p')
    mode = 'bare' if case == 'bare' else 'plain'
    remove_reports()
    done = subprocess.run([os.path.join(BUILD, 'bench/first_write'), mode, order, str(pages)],
                          env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'{case} {order}: status {done.returncode}\n{done.stderr}')
    if case == 'watched':
        check_report(pages)
    return tuple(map(float, done.stdout.split()))


def quartiles(values):
    low, middle, high = statistics.quantiles(values, n=4, method='inclusive')
    return {'median': round(middle, 3), 'low': round(low, 3), 'high': round(high, 3)}


def measure(order, pages, rounds):
    firsts, seconds = {case: [] for case in CASES}, {case: [] for case in CASES}
    for number in range(rounds):
        for i in range(len(CASES)):
            case = CASES[(i + number) % len(CASES)]
            first, second = run_once(case, order, pages)
            firsts[case].append(first)
            seconds[case].append(second)

    def ratio(table, over, under):
        return quartiles([a / b for a, b in zip(table[over], table[under])])
    return {
        'nanoseconds': {case: quartiles(firsts[case]) for case in CASES},
        'watched/plain': ratio(firsts, 'watched', 'plain'),
        'bare/plain': ratio(firsts, 'bare', 'plain'),
        'watched/bare': ratio(firsts, 'watched', 'bare'),
        'second write, watched/plain': ratio(seconds, 'watched', 'plain'),
    }


def show(results):
    def cell(figure, digits):
        return f"{figure['median']:.{digits}f} ({figure['low']:.{digits}f}-{figure['high']:.{digits}f})"
    print(f"{'':30}" + ''.join(f'{order:>24}' for order in ORDERS))
    for case in CASES:
        print(f'{case + ", ns a first write":30}' + ''.join(
            f"{cell(results[order]['nanoseconds'][case], 0):>24}" for order in ORDERS))
    for name in ('bare/plain', 'watched/plain', 'watched/bare', 'second write, watched/plain'):
        print(f'{name:30}' + ''.join(f'{cell(results[order][name], 2):>24}' for order in ORDERS))
    for order in ORDERS:
        median = results[order]['watched/bare']['median']
        print(f"goal: watched/bare at most {GOAL}, {order}: "
              f"{'met' if median <= GOAL else 'missed'} ({median:.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--pages', type=int, default=20000)
    options = parser.parse_args()
    results = {order: measure(order, options.pages, options.rounds) for order in ORDERS}
    print(f'{options.pages} pages, 16 frames deep, median of {options.rounds} rounds (quartiles)')
    show(results)
    with open(os.path.join(BUILD, 'bench.json'), 'w', encoding='ascii') as file:
        json.dump({'pages': options.pages, 'rounds': options.rounds, 'results': results}, file,
                  indent=1)
    remove_reports()


main()
