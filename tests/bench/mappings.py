"""What mapping, giving back, starting, and reporting cost."""
from measure import Run, interleave, ratio, value, watched, workload
from table import Row


def figures(name, *arguments, variables=None):
    return Run([workload(name), *map(str, arguments)], variables).figures()


def map_rate(size):
    for held, goal in ((0, None), (size.held, 1.5)):
        results = interleave({
            'plain': lambda held=held: figures('map_rate', held, size.pairs),
            'watched': lambda held=held: figures('map_rate', held, size.pairs,
                                                 variables=watched())}, size.rounds)
        label = f'mmap and munmap, {held:,} mappings held'
        yield Row(f'{label}: plain', value(results, 'plain'), 'ns', 'CPU time of one pair')
        yield Row(f'{label}: watched / plain', ratio(results, 'watched', 'plain'), 'x',
                  'each mapping is registered, protected and recorded', goal)


def re_arm(size):
    arguments = (size.pages // 4, 4)
    results = interleave({
        'plain': lambda: figures('re_arm', 'plain', *arguments),
        'bare': lambda: figures('re_arm', 'bare', *arguments),
        'watched': lambda: figures('re_arm', 'plain', *arguments, variables=watched())},
        size.rounds)
    yield Row('pages given back and written again: watched / plain',
              ratio(results, 'watched', 'plain'), 'x', 'madvise closes the pages again')
    yield Row('pages given back and written again: watched / bare',
              ratio(results, 'watched', 'bare'), 'x', 'against a bare handler that does as much')


def start_up(size):
    results = interleave({
        'plain': lambda: figures('start_up', size.starts, '/bin/true'),
        'watched': lambda: figures('start_up', size.starts, '/bin/true',
                                   variables=watched('BENCH_'))}, size.rounds)
    for index, clock in enumerate(('CPU', 'wall')):
        more = [[b[index] - a[index]] for a, b in zip(results['plain'], results['watched'])]
        yield Row(f'/bin/true, more under watch, {clock}', value({'more': more}, 'more'), 'us',
                  'start, report and trace of a program that does nothing', 1500)


def others(size):
    results = interleave({
        'watched': lambda: figures('snapshot', size.pages, variables=watched())}, size.rounds)
    yield Row('snapshot, for each tracked page', value(results, 'watched'), 'ns',
              'CPU time of a report of a running program; half of the pages are written')
    results = interleave({'watched': lambda: figures('registered', variables=watched())},
                         size.rounds)
    yield Row('mapping 1 TiB without reserve', value(results, 'watched'), 'us',
              'mmap with its registration', 1000)
    yield Row('mapping 1 TiB without reserve, memory', value(results, 'watched', 1), 'KiB',
              'resident memory that this takes', 1024)


def cases(size):
    yield from map_rate(size)
    yield from re_arm(size)
    yield from start_up(size)
    yield from others(size)
