"""First writes all over a large mapping, far more than there may be VMAs; and no watching at all."""
from measure import Failed, Run, interleave, quartiles, ratio, recorded, value, watched, workload
from table import Row

GIBIBYTES = 16


def random_writes(pages, variables=None, *, exact=True, fork=()):
    run = Run([workload('random_writes'), str(pages), str(GIBIBYTES), *fork], variables)
    if variables and exact:
        events, _ = recorded()
        if events < pages:
            raise Failed(f'only {events} of {pages} first writes are in the report')
    return run.figures()


def growth(results):
    """The last tenth against the first one."""
    return quartiles([run[2] / run[1] for run in results['watched']])


def cases(size):
    pages = size.scattered
    variables = watched(COWSPY_PAGE_MAP='0')
    results = interleave({
        'plain': lambda: random_writes(pages),
        'watched': lambda: random_writes(pages, variables),
        'truth': lambda: random_writes(pages, {**variables, 'COWSPY_MODE': 'truth'}, exact=False),
    }, min(size.rounds, 5))
    label = f'{pages} random pages of {GIBIBYTES} GiB'
    yield Row(f'{label}: plain', value(results, 'plain'), 'ns', 'CPU time of one first write')
    yield Row(f'{label}: watched / plain', ratio(results, 'watched', 'plain'), 'x',
              'each with its exact stack; userfaultfd where VMAs run short', 5.0)
    yield Row(f'{label}: last tenth / first', growth(results) if 'watched' in results else None,
              'x', 'the cost of a first write does not grow', 1.3)
    yield Row(f'{label}: COWSPY_MODE=truth / plain', ratio(results, 'truth', 'plain'), 'x',
              'page states and sums without first writes', 1.02)
