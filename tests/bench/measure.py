"""Runs commands in turn, round by round, and makes figures of what they took."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get('BUILD', 'build'))
HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = os.path.join(BUILD, 'libcowspy.so')
WORK = tempfile.mkdtemp(prefix='cowspy-bench-')


class Failed(Exception):
    """This case cannot be measured here."""


def workload(name):
    return os.path.join(BUILD, 'bench', name)


def watched(prefix='', **options):
    """Variables under which a program is watched; reports go to the working folder."""
    variables = {'LD_PRELOAD': LIBRARY, 'COWSPY_OUTPUT': os.path.join(WORK, 'report.%p'),
                 'COWSPY_QUIET': 'on', **options}
    return {prefix + name: value for name, value in variables.items()}


def reports():
    return [os.path.join(WORK, name) for name in os.listdir(WORK)
            if name.startswith('report.') and not name.endswith('.trace')]


def recorded():
    """First writes in all reports, and bytes of all traces."""
    total = subprocess.run([sys.executable, os.path.join(HERE, '../programs/report.py'), 'total',
                            'attributed', *reports()], capture_output=True, text=True, check=False)
    size = sum(os.path.getsize(path + '.trace') for path in reports()
               if os.path.exists(path + '.trace'))
    return int(total.stdout) if total.stdout.strip().isdigit() else 0, size


def remove_reports():
    for name in os.listdir(WORK):
        if name.startswith('report.'):
            os.unlink(os.path.join(WORK, name))


class Run:
    """One run of a command: CPU and wall-clock seconds, peak memory, and what it printed."""

    def __init__(self, command, variables=None, folder=None):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(('COWSPY_', 'LD_PRELOAD'))}
        environment.update(variables or {})
        began = time.monotonic()
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, \
                subprocess.Popen(command, env=environment, stdout=output, stderr=errors,
                                 cwd=folder or WORK, stdin=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            errors.seek(0)
            self.output = output.read().decode(errors='replace')
            if process.returncode:
                raise Failed(f"{' '.join(command)}: status {process.returncode}\n"
                             + errors.read().decode(errors='replace')[-2000:])
        self.cpu = used.ru_utime + used.ru_stime
        self.peak = used.ru_maxrss * 1024

    def figures(self):
        return [float(word) for word in self.output.split()]


def quartiles(values):
    if len(values) == 1:
        values = values * 2
    low, middle, high = statistics.quantiles(values, n=4, method='inclusive')
    return {'median': middle, 'low': low, 'high': high}


def interleave(variants, rounds):
    """
    variants: {name: function that returns a list of figures}. Each round runs all of them, and the
    next one begins with another, so that whatever else the machine does meets all alike.
    Returns {name: [figures of round 0, ...]}; a variant that fails is left out, with a line.
    """
    results, gone = {name: [] for name in variants}, {}
    names = list(variants)
    for number in range(rounds):
        for i in range(len(names)):
            name = names[(i + number) % len(names)]
            if name in gone:
                continue
            try:
                results[name].append(variants[name]())
            except (Failed, OSError, subprocess.SubprocessError) as error:
                gone[name] = str(error)
            remove_reports()
    for name, why in gone.items():
        print(f'left out: {name}: {why.strip()}', file=sys.stderr)
    return {name: runs for name, runs in results.items() if name not in gone}


def ratio(results, over, under, index=0):
    """The median of the ratios within a round; None when a variant is missing."""
    if over not in results or under not in results:
        return None
    pairs = zip(results[over], results[under])
    return quartiles([a[index] / b[index] for a, b in pairs if b[index]])


def value(results, name, index=0):
    return quartiles([run[index] for run in results[name]]) if name in results else None


class Noise:
    """How quiet the machine was: load, and how much a fixed computation varied."""

    def __init__(self):
        self.load = [os.getloadavg()[0]]
        self.spins = []

    def sample(self):
        began = time.monotonic()
        for _ in range(300000):
            pass
        self.spins.append(time.monotonic() - began)
        self.load.append(os.getloadavg()[0])

    def summary(self):
        spread = quartiles(self.spins)
        return {'load': {'begin': round(self.load[0], 2), 'most': round(max(self.load), 2)},
                'processors': os.cpu_count(),
                'spread': round((spread['high'] - spread['low']) / spread['median'], 3)}
