"""A WSGI application with 100,000 objects to share, and gunicorn's settings for it (-c FILE)."""
import hashlib
import json
import os
import signal

bind = 'unix:' + os.environ['FOLDER'] + '/socket'
workers = 2
preload_app = True
worker_tmp_dir = os.environ['FOLDER']
accesslog = os.environ['FOLDER'] + '/access'
access_log_format = '%(r)s %(s)s %(b)s'

OBJECTS = [{'number': i, 'text': str(i), 'values': [i, i / 2, None]} for i in range(100000)]


def pre_fork(server, worker):
    """The test looks at the frames of this moment, and lets it go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


def application(environ, start_response):
    part = int(environ['QUERY_STRING'] or 0)
    found = [item for item in OBJECTS if item['number'] % 97 == part % 97]
    body = json.dumps({'part': part, 'count': len(found), 'posted': hashlib.sha256(
        environ['wsgi.input'].read()).hexdigest(), 'items': found[:20]}).encode()
    start_response('200 OK', [('Content-Type', 'application/json'),
                              ('Content-Length', str(len(body)))])
    return [body]
