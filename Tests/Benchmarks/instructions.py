"""Instructions per byte of input, counted by valgrind's callgrind: a figure that a busy machine does not disturb. Held
against the figures of instructions.txt, it shows a change that makes a tool slower."""

import os
import re
import shutil
import subprocess

from measure import CommandFailed, shell

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
TOLERANCE = 1.05

# The command, and its input: the first two million bytes of it, so that starting up does not count.
WORK = [
    ("tokenize", "english.txt"),
    ("tokenize -w -l", "english.txt"),
    ("tokenize -w -l", "world.txt"),
    ("cms-topk", "words.txt"),
    ("cms-topk --memory 1M", "words.txt"),
    ("merge-counts", "counts.txt"),
    ("merge-counts --sorted", "sorted.txt"),
    ("to-json token count:int", "counts.txt"),
    ("es-bulk --index words --id token", "docs.json"),
    ("from-json request.path response.status", "some-events.json"),
    ("from-json --strict request.path response.status", "some-events.json"),
]
SIZE = 2_000_000


def per_byte(command, input):
    """How many instructions `command` takes for a byte of `input`."""
    tool, *arguments = command.split()
    # Debian's valgrind cannot read the debug information that Swift writes.
    subprocess.run(["strip", "--strip-debug", "-o", "stripped", shutil.which(tool)], check=True)
    count = f"valgrind --tool=callgrind --callgrind-out-file=/dev/null ./stripped {' '.join(arguments)} > /dev/null"
    done = subprocess.run(
        shell(f"head -c {SIZE} {input} | sed '$d' | {count}"), stderr=subprocess.PIPE, text=True, errors="replace")
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        raise CommandFailed(f"exit status {done.returncode}: {command}: {done.stderr.strip()}")
    return int(collected[1]) / SIZE


def recorded():
    """The figure kept for each piece of work."""
    if not os.path.exists(RECORDED):
        return {}
    with open(RECORDED) as file:
        return {work: float(figure) for figure, work in (line.rstrip("\n").split("\t") for line in file)}


def check(save):
    """Prints the table; keeps it on `save`. Returns whether no figure has grown past the tolerance."""
    for needed in ["valgrind", "strip"]:
        if not shutil.which(needed):
            raise SystemExit(f"bin/bench: {needed} is not installed: apt-get install valgrind binutils")
    before, lines, good = recorded(), [], True
    print(f"{'instructions/byte':>17}  {'recorded':>8}  work")
    for command, input in WORK:
        work = f"{command} < {input}"
        try:
            now = per_byte(command, input)
        except CommandFailed as failure:
            print(f"FAILED {failure}")
            good = False
            continue
        grown = work in before and now > before[work] * TOLERANCE
        print(f"{now:17.2f}  {before.get(work, float('nan')):8.2f}  {work}{'  MORE' if grown else ''}", flush=True)
        lines.append(f"{now:.2f}\t{work}\n")
        good = good and not grown
    if save:
        with open(RECORDED, "w") as file:
            file.writelines(lines)
    return good
