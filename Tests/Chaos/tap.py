"""Stands in the pipe in front of kcat-out, and at one barrier kills a process of the pipeline: the first time only.

    tap.py MARK PIDS POINT VICTIM NUMBER DELAY

MARK is a file that says that it has been done; PIDS holds the numbers of the pipeline's processes, of which VICTIM is
killed at the NUMBERth commit barrier that has lines in front. POINT: `before` it is passed on; `between` that and the
commit, which kcat-out is stopped from beginning; `in` the commit, DELAY seconds after it was passed on; `after`, when it
is long done. At `restart` nobody is killed: it waits then, until there is MARK.go.
"""

import os
import signal
import sys
import time

mark, pids, point, victim, number, delay = sys.argv[1:]


def strike(forward):
    while True:  # written when all have been started
        with open(pids) as file:
            numbers = [int(text) for text in file.read().split()]
        if len(numbers) == 4 and os.getpid() in numbers:
            break
        time.sleep(0.001)
    target, writer = numbers[int(victim)], numbers[3]
    if point == "before":
        os.kill(target, signal.SIGKILL)
        forward()
    elif point == "between":
        os.kill(writer, signal.SIGSTOP)
        forward()
        os.kill(target, signal.SIGKILL)
        os.kill(writer, signal.SIGCONT)
    else:
        forward()
        time.sleep(float(delay) if point == "in" else 0.5)
        os.kill(target, signal.SIGKILL)


commits, has_lines = 0, False
for line in sys.stdin.buffer:

    def forward(line=line):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    is_barrier = line.startswith(b"\x1ebarrier\t")
    if has_lines and is_barrier and line.split(b"\t")[3] == b"commit":
        commits += 1
        has_lines = False
        if commits == int(number) and not os.path.exists(mark):
            if point == "restart":
                forward()
                time.sleep(0.5)
            open(mark, "w").close()
            if point == "restart":
                while not os.path.exists(f"{mark}.go"):
                    time.sleep(0.02)
            else:
                strike(forward)
            continue
    if is_barrier:
        forward()
    else:
        has_lines = True
        sys.stdout.buffer.write(line)
