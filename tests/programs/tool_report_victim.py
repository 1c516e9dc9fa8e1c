"""A parent that makes objects, forks a child that touches a part of them, and goes on itself.

tool_report_victim.py PART [wait]: PART percent are touched; with `wait` until input ends."""
import os
import sys

part = int(sys.argv[1])
objects = [{number: str(number)} for number in range(60000)]
child = os.fork()
if child == 0:
    kept = [item for item in objects[:len(objects) * part // 100]]
    os._exit(0)
more = [str(number) for number in range(20000)]
os.waitpid(child, 0)
if sys.argv[2:] == ["wait"]:
    print("ready", flush=True)
    sys.stdin.read()
