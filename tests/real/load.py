"""load.py SOCKET REQUESTS: what an HTTP server answers to so many requests of 4 clients, sorted."""
import http.client
import socket
import sys
import threading


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(sys.argv[1])


def ask(number):
    connection = Connection('localhost')
    connection.request('POST', f'/?{number}', body=b'%d' % number * (number % 5000))
    response = connection.getresponse()
    return f'{number} {response.status} {response.read().decode()}'


answers = []
threads = [threading.Thread(target=lambda first=first: answers.extend(
    map(ask, range(first, int(sys.argv[2]), 4)))) for first in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print('\n'.join(sorted(answers)))
