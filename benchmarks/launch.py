"""Run a command and print, as the last line, what it took: see `benchmarks.report.measure`.

    python -S launch.py COMMAND ARGUMENT ...

A small program of its own, because a process starts with the peak memory of the one that it was forked from.
"""

import json
import os
import sys
import time

start = time.perf_counter()
child = os.fork()
if child == 0:
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"{sys.argv[1]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
cpu = usage.ru_utime + usage.ru_stime
print("\n" + json.dumps([wall, cpu, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))
