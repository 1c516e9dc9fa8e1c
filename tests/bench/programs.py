"""Whole programs, plain and watched: CPU time of the program and all that it starts."""
import os
import shutil
import sys

import servers
from measure import Failed, Run, WORK, interleave, ratio, watched
from table import Row

GOALS = {'redis SET': 1.10, 'redis GET, its pages open': 1.03, 'nginx, a request': 1.15,
         'find': 2.0, 'gcc': 1.10, 'python start': 1.10}


def write_source():
    """A few thousand lines that keep the compiler busy as ordinary code does."""
    path = os.path.join(WORK, 'source.c')
    with open(path, 'w', encoding='ascii') as file:
        file.write('#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n')
        for i in range(400):
            file.write(f'int f{i}(const char *s, int n)\n{{\n\tint sum = {i};\n'
                       '\tfor (int i = 0; i < n; i++)\n\t\tsum = sum * 31 + (s[i] ^ i);\n'
                       f'\tif (sum % 7 == {i % 7})\n\t\tprintf("%d %s\\n", sum, s);\n'
                       '\treturn sum;\n}\n')
    return path


def commands(size):
    source = write_source()
    program = {
        'gcc': ['gcc', '-O1', '-c', source, '-o', os.path.join(WORK, 'source.o')],
        'python start': ['/usr/bin/python3', '-c', 'import json, argparse, subprocess'],
        'find': ['find', size.tree, '-name', 'no-such-name'],
        'sqlite': ['sqlite3', ':memory:',
                   'create table t(a integer primary key, b text);'
                   'with recursive n(i) as (select 1 union all select i + 1 from n limit '
                   f'{size.rows}) insert into t select i, hex(i * 7919) from n;'
                   'create index x on t(b); select count(*), min(b) from t where a % 3;'],
        'sh, 50 forks': ['/bin/sh', '-c',
                         'i=0; while [ $i -lt 50 ]; do (:); i=$((i + 1)); done'],
    }
    return {name: command for name, command in program.items() if shutil.which(command[0])}


def cpu_and_wall(command, variables=None, times=1):
    cpu = wall = 0
    for _ in range(times):
        run = Run(command, variables)
        cpu, wall = cpu + run.cpu, wall + run.wall
    return [cpu, wall]


def rows(name, results):
    yield Row(f'{name}: watched / plain', ratio(results, 'watched', 'plain'), 'x',
              'CPU time with all that it starts, each with a report and a trace',
              GOALS.get(name))
    yield Row(f'{name}: watched / plain, wall', ratio(results, 'watched', 'plain', 1), 'x',
              'the same by the clock on the wall')


def cases(size):
    for name, command in commands(size).items():
        times = 10 if name == 'python start' else 1
        results = interleave({
            'plain': lambda c=command, t=times: cpu_and_wall(c, None, t),
            'watched': lambda c=command, t=times: cpu_and_wall(c, watched(), t)}, size.rounds)
        yield from rows(name, results)
    for name, measure in servers.available().items():
        try:
            results = interleave({'plain': lambda m=measure: m(size, None),
                                  'watched': lambda m=measure: m(size, watched())}, size.rounds)
        except Failed as error:
            print(f'left out: {name}: {error}', file=sys.stderr)
            continue
        for index, part in enumerate(servers.PARTS[name]):
            yield Row(f'{part}: watched / plain', ratio(results, 'watched', 'plain', index), 'x',
                      'CPU time of the server alone', GOALS.get(part))
