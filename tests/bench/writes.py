"""What first writes cost, by order and by threads, with peers; and what stays afterwards."""
import os
import shutil

from measure import (Failed, Run, WORK, interleave, quartiles, ratio, recorded, value, watched,
                     workload)
from table import Row

ORDERS = ('sequential', 'random', 'strided')
PEERS = {
    'perf, frame pointers': ['perf', 'record', '-q', '-e', 'page-faults', '-c', '1', '-g'],
    'perf, DWARF': ['perf', 'record', '-q', '-e', 'page-faults', '-c', '1', '--call-graph',
                    'dwarf'],
}
BPFTRACE = 'software:page-faults:1 /comm == "first_write"/ { @[ustack(16)] = count(); }'


def first_write(mode, arguments, pages, variables=None, wrapper=()):
    run = Run([*wrapper, workload('first_write'), mode, *arguments], variables)
    if variables:
        events, _ = recorded()
        if events < pages:  # a fast run that lost events would be no result
            raise Failed(f'only {events} of {pages} first writes are in the report')
    return run.figures()


def variants_of(arguments, pages):
    return {'plain': lambda: first_write('plain', arguments, pages),
            'bare': lambda: first_write('bare', arguments, pages),
            'watched': lambda: first_write('plain', arguments, pages, watched())}


def add_peers(variants, arguments, pages):
    data = os.path.join(WORK, 'perf.data')
    for name, command in PEERS.items():
        if shutil.which('perf'):
            variants[name] = (lambda command=command: first_write(
                'plain', arguments, pages, wrapper=[*command, '-o', data, '--']))
    if shutil.which('bpftrace') and os.geteuid() == 0:
        program = ' '.join([workload('first_write'), 'plain', *arguments])
        variants['bpftrace'] = lambda: bpftrace_figures(
            Run(['bpftrace', '-q', '-e', BPFTRACE, '-c', program]).output)


def bpftrace_figures(output):
    for line in output.splitlines():
        words = line.split()
        if len(words) == 3 and all(word.replace('.', '').isdigit() for word in words):
            return [float(word) for word in words]
    raise Failed('bpftrace: the workload printed nothing')


def orders(size):
    for order in ORDERS:
        pages = size.pages
        arguments = [order, str(pages)]
        variants = variants_of(arguments, pages)
        if order == 'sequential':
            add_peers(variants, arguments, pages)
        results = interleave(variants, size.rounds)
        label = f'first write, {order}'
        for name in variants:
            yield Row(f'{label}: {name}', value(results, name), 'ns',
                      'CPU time of one page, 16 frames deep')
        yield Row(f'{label}: bare / plain', ratio(results, 'bare', 'plain'), 'x',
                  'SIGSEGV and mprotect alone: the least that this method costs')
        yield Row(f'{label}: watched / plain', ratio(results, 'watched', 'plain'), 'x',
                  'with kind, stack, time and record of each')
        yield Row(f'{label}: watched / bare', ratio(results, 'watched', 'bare'), 'x',
                  'what knowing all that adds to opening the page', 1.10)
        yield Row(f'{label}: watched / plain, wall', ratio(results, 'watched', 'plain', 2), 'x',
                  'the same by the clock on the wall')
        for name in list(PEERS) + ['bpftrace']:
            if name in results:
                yield Row(f'{label}: {name} / plain', ratio(results, name, 'plain'), 'x',
                          'page-fault events with user stacks, without first writes that do '
                          'not fault')
        yield Row(f'second write, {order}: watched / plain', ratio(results, 'watched', 'plain', 1),
                  'x', 'steady state: an open page costs nothing more', 1.03)


def threads(size):
    for count in size.threads:
        for share, goal in (('disjoint', 1.0), ('interleaved', 1 / 0.9)):
            if count == 1:
                continue
            arguments = ['sequential', str(size.pages), str(count), share]
            results = interleave(variants_of(arguments, size.pages), size.rounds)
            yield Row(f'{count} threads, {share}: watched / bare, wall',
                      ratio(results, 'watched', 'bare', 2), 'x',
                      'time until all pages are written; below 1 is faster than the bare handler',
                      goal if count == 8 else None)
            yield Row(f'{count} threads, {share}: watched / bare',
                      ratio(results, 'watched', 'bare'), 'x', 'the same as CPU time')


def memory(size):
    """From the difference of two sizes, so that what a process needs anyway falls out."""
    few, many = size.pages, 5 * size.pages

    def peak(pages, variables):
        run = Run([workload('first_write'), 'plain', 'random', str(pages)], variables)
        return [run.peak, recorded()[1] if variables else 0]
    results = interleave({
        'plain few': lambda: peak(few, None), 'plain many': lambda: peak(many, None),
        'watched few': lambda: peak(few, watched()),
        'watched many': lambda: peak(many, watched())}, max(3, size.rounds // 3))
    rounds = range(min(len(runs) for runs in results.values()))

    def slope(kind, index):
        return [(results[f'{kind} many'][i][index] - results[f'{kind} few'][i][index])
                / (many - few) for i in rounds]
    grown = [a - b for a, b in zip(slope('watched', 0), slope('plain', 0))]
    yield Row('memory for a written page, resident', quartiles(grown), 'bytes',
              'growth of the peak resident memory, beyond the page itself', 48)
    yield Row('trace for a written page', quartiles(slope('watched', 1)), 'bytes',
              'growth of the trace file; parts of it are resident for a while')


def cases(size):
    yield from orders(size)
    yield from threads(size)
    yield from memory(size)
