#!/usr/bin/python3
"""Every first write that stress_events noted is in the trace, once.

    stress_events_judge.py SHADOW TRACE...
"""
import struct
import sys

import trace_dump


def events_of(trace):
    """How many first writes of each (epoch, page)."""
    events = {}
    for write in trace_dump.first_writes(trace):
        key = write[EPOCH], write[PAGE]
        events[key] = events.get(key, 0) + 1
    return events


PAGE, EPOCH = 0, 4


def main():
    with open(sys.argv[1], 'rb') as file:
        shadow = file.read()
    zone, pages = struct.unpack_from('<QQ', shadow)
    rows = [shadow[at:at + pages] for at in range(16, len(shadow), pages)]
    parent, children, wrong = {}, {}, []
    for path in sys.argv[2:]:
        trace = trace_dump.Trace(path)
        wrong += [f'{path}: damage'] if trace.damage is not None else []
        wrong += [f'{path}: lost records' for _, name, _ in trace.records() if name == 'lost']
        if trace.flags & 1:
            children.update(events_of(trace))
        else:
            parent = events_of(trace)
    noted = 0
    for number, row in enumerate(rows):
        epoch, events = number // 2, children if number % 2 else parent
        for page, written in enumerate(row):
            noted += written
            found = events.get((epoch, zone + page * 4096), 0)
            if found > 1 or written and not found:
                wrong.append(f'epoch {epoch}, {"child" if number % 2 else "parent"}, page {page}: '
                             f'written {written}, recorded {found} times')
    print(f'{noted} first writes in {len(rows) // 2} epochs, {len(wrong)} wrong')
    print('\n'.join(wrong[:20]))
    return 1 if wrong or not noted else 0


sys.exit(main())
