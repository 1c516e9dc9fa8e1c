"""Servers under load: what CPU time the server takes for the same requests."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import time

from measure import Failed, Run, WORK

PARTS = {'redis': ('redis SET', 'redis GET, its pages open'), 'nginx': ('nginx, a request',)}


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def cpu_of(pid):
    """Nanoseconds that the process and its children have run."""
    pids, total = [pid], 0
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path, encoding='ascii', errors='replace') as file:
                if int(file.read().rsplit(')', 1)[1].split()[1]) == pid:
                    pids.append(int(path.split('/')[2]))
        except OSError:
            continue
    for one in pids:
        for path in glob.glob(f'/proc/{one}/task/*/schedstat'):
            with open(path, encoding='ascii') as file:
                total += int(file.read().split()[0])
    return total


class Server:
    """A server in a folder of its own, until the block is left."""

    def __init__(self, command, port, variables, folder):
        environment = {name: text for name, text in os.environ.items()
                       if not name.startswith(('COWSPY_', 'LD_PRELOAD'))}
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, env={**environment, **(variables or {})}, cwd=folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.folder = folder
        self.wait_for(port)

    def wait_for(self, port):
        for _ in range(500):
            with socket.socket() as client:
                if client.connect_ex(('127.0.0.1', port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.__exit__()
        raise Failed('the server did not start')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spent(self, load):
        before = cpu_of(self.process.pid)
        Run(load)
        return (cpu_of(self.process.pid) - before) / 1e9


def new_folder(name):
    folder = os.path.join(WORK, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    return folder


def redis(size, variables):
    port = free_port()
    command = ['redis-server', '--port', str(port), '--bind', '127.0.0.1', '--save', '',
               '--appendonly', 'no']
    load = ['redis-benchmark', '-h', '127.0.0.1', '-p', str(port), '-q', '-n', str(size.requests),
            '-r', '10000', '-d', '100', '-t']
    with Server(command, port, variables, new_folder('redis')) as server:
        return [server.spent([*load, kind]) for kind in ('set', 'get')]


def nginx(size, variables):
    port, folder = free_port(), new_folder('nginx')
    configuration = os.path.join(folder, 'nginx.conf')
    with open(os.path.join(folder, 'index.html'), 'w', encoding='ascii') as file:
        file.write('x' * 1000)
    with open(configuration, 'w', encoding='ascii') as file:
        file.write(f'daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;\n'
                   f'{"user root; " if os.geteuid() == 0 else ""}'
                   f'events {{ worker_connections 64; }}\nhttp {{ access_log {folder}/access;\n'
                   f'server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n')
    load = ['ab', '-q', '-n', str(size.requests // 2), '-c', '8', '-k',
            f'http://127.0.0.1:{port}/index.html']
    with Server(['nginx', '-p', folder, '-c', configuration], port, variables, folder) as server:
        server.spent([*load[:3], '200', *load[4:]])
        return [server.spent(load)]


def available():
    found = {}
    if shutil.which('redis-server') and shutil.which('redis-benchmark'):
        found['redis'] = redis
    if shutil.which('nginx') and shutil.which('ab'):
        found['nginx'] = nginx
    return found
