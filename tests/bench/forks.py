"""What fork costs a process that has touched memory, and what watching that memory takes."""
from measure import LIBRARY, Run, interleave, quartiles, ratio, value, watched, workload
from table import Row


def figures(*arguments, variables=None):
    return Run([workload('fork_latency'), *map(str, arguments)], variables).figures()


def both(arguments, rounds, variables):
    return interleave({'plain': lambda: figures(*arguments),
                       'watched': lambda: figures(*arguments, variables=variables)}, rounds)


def memory(results, touched):
    """What is resident more under watch, in percent of what was touched."""
    return quartiles([(b[1] - a[1]) / touched * 100
                      for a, b in zip(results['plain'], results['watched'])])


def first_fork(size, kind, megabytes, meaning):
    results = both((kind, megabytes, 'exit', 1), size.rounds, watched())
    label = f'first fork, {megabytes} MiB touched, {kind}'
    yield Row(f'{label}: plain', value(results, 'plain'), 'us', 'CPU time of fork() in the parent')
    yield Row(f'{label}: watched / plain', ratio(results, 'watched', 'plain'), 'x',
              'all of it is protected before the clone', 2.2)
    yield Row(f'{label}: memory for watching', memory(results, megabytes * 1024), '%', meaning, 1)


def cases(size):
    for megabytes in 200, 1024:
        yield from first_fork(size, 'heap', megabytes,
                              'resident, of what was touched; the heap is watched from the fork on')
        yield from first_fork(size, 'mapped', megabytes,
                              'the same with a first write of each page in journal and trace')
    # As a shell does it: the program that is started is not watched.
    results = both(('heap', 200, 'exec', 5), size.rounds, {'LD_PRELOAD': LIBRARY})
    yield Row('fork and exec at once, 200 MiB touched: watched / plain',
              ratio(results, 'watched', 'plain'), 'x', 'CPU time of both processes', 1.3)
