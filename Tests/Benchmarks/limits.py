"""The rows without a rival: peak memory and the time from start to exit."""

import os
import subprocess
from dataclasses import dataclass
from functools import partial

from measure import CommandFailed, median, run_program, shell
from report import yes

MIB = 1 << 20


@dataclass(frozen=True)
class Limit:
    """A limit and what was measured of it."""

    name: str
    work: str
    measured: str
    limit: str
    met: bool

    @property
    def cells(self):
        return [self.work, self.measured, self.limit, yes(self.met)]


def peak(command, feed):
    """The peak resident memory of `command`, in bytes, reading what the shell command `feed` prints.

    GNU time asks wait4(2), as this program does. It stands between because the figure of a process includes its parent
    at the fork, which should be smaller than what is measured.
    """
    file = "peak.txt"
    done = subprocess.run(shell(f"{feed} | env time -q -f %M -o {file} {command} > /dev/null"))
    if done.returncode != 0:
        raise CommandFailed(f"exit status {done.returncode}: {command}")
    with open(file) as text:
        kibibytes = int(text.read())
    os.remove(file)
    return kibibytes << 10


def bounded(memory):
    """cms-topk on ten million different keys."""
    used = peak(f"cms-topk --memory {memory}M", "seq 10000000")
    limit = (memory + 16) * MIB
    return Limit(
        f"memory-cms-topk-{memory}M", f"cms-topk --memory {memory}M, 10 M keys", f"{used / MIB:.1f} MiB",
        f"{limit // MIB} MiB", used <= limit)


CONSTANT = [
    ("tokenize", "english.txt"),
    ("tokenize -w -l", "world.txt"),
    ("to-json token count:int", "counts.txt"),
    ("es-bulk --index words --id token", "docs.json"),
    ("from-json request.path response.status", "events.json"),
    ("merge-counts --sorted", "sorted.txt"),
]


def constant(command, input):
    """Peak memory on a tenth of the input and on all of it: the same but for a page here and there."""
    size = os.path.getsize(input)
    small = peak(command, f"head -c {size // 10} {input} | sed '$d'")
    large = peak(command, f"cat {input}")
    return Limit(
        f"memory-{command.split()[0]}", f"{command}, a tenth of the input and all of it",
        f"{small / MIB:.1f} and {large / MIB:.1f} MiB", "the same", large - small <= MIB // 2)


def start(tool, arguments, runs=51):
    """From start to exit on empty input."""
    argv = [tool, *arguments]
    seconds = median([run_program(argv) for _ in range(runs)])
    return Limit(
        f"start-{tool}", " ".join(argv) + ", empty input", f"{seconds * 1000:.1f} ms", "10 ms", seconds <= 0.010)


LIMITS = {
    **{f"memory-cms-topk-{memory}M": partial(bounded, memory) for memory in (8, 64)},
    **{f"memory-{command.split()[0]}": partial(constant, command, input) for command, input in CONSTANT},
    **{
        f"start-{tool}": partial(start, tool, arguments)
        for tool, arguments in [
            ("tokenize", ["-w"]),
            ("cms-topk", []),
            ("merge-counts", []),
            ("to-json", ["token"]),
            ("es-bulk", ["--index", "words"]),
            ("from-json", ["word"]),
        ]
    },
}
