"""What each program of a stage takes for a sample: CPU time, memory, and what comes out."""

import math
import os
import re
import shlex
import statistics
import subprocess
from dataclasses import dataclass

from pipelines import Wrong, cost_options, option

RUNS = 3
# What is read of a sample, and what of that goes through a broker: enough to be measured, and little to keep.
SAMPLE_BYTES = 100_000_000
BRIDGE_BYTES, BRIDGE_LINES = 10_000_000, 200_000

BARRIER = b"\x1ebarrier\t"
SESSION = b"0" * 32


@dataclass
class Cost:
    """One program, on the whole sample."""

    name: str
    seconds: float
    memory: int


def run(words, source=None, target=None):
    """Runs one program to its end, between pipes, as in a stage: what a file would cost it is another thing.
    CPU seconds and the most memory that it held."""
    with open(source or os.devnull, "rb") as reading, open(target or os.devnull, "wb") as writing:
        feeding = subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.PIPE)
        try:
            process = subprocess.Popen(
                [os.path.expandvars(word) for word in words], stdin=feeding.stdout, stdout=subprocess.PIPE)
        except OSError as error:
            raise Wrong(f"{words[0]}: {error.strerror}", 69) from None
        finally:
            feeding.stdout.close()
        draining = subprocess.Popen(["cat"], stdin=process.stdout, stdout=writing)
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        feeding.wait()
        draining.wait()
    if process.returncode:
        raise Wrong(f"{shlex.join(words)}: status {process.returncode}", 65)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def measured(words, source=None, target=None, empty=None):
    """What a program takes for the file `source`, less what its start takes; it writes the file `target`.
    - empty: the same program where there is nothing to read."""
    seconds, starts, memory = [], [], 0
    for _ in range(RUNS):
        took, held = run(words, source, target)
        seconds.append(took)
        starts.append(run(empty or words)[0])
        memory = max(memory, held)
    return Cost(words[0], max(statistics.median(seconds) - statistics.median(starts), 1e-6), memory)


def data_lines(path):
    with open(path, "rb") as file:
        for line in file:
            if not line.startswith(BARRIER):
                yield line


def size(path):
    """Bytes and lines; barriers are neither."""
    total = lines = 0
    for line in data_lines(path):
        total += len(line)
        lines += 1
    return total, lines


def copy(path, target, most_bytes=math.inf, most_lines=math.inf):
    """The first lines, without barriers. How many."""
    taken = lines = 0
    with open(target, "wb") as out:
        for line in data_lines(path):
            taken += len(line)
            if taken > most_bytes or lines == most_lines:
                break
            out.write(line if line.endswith(b"\n") else line + b"\n")
            lines += 1
    return lines


def with_barriers(path, target, every):
    """The lines as kcat-in --exactly-once gives them, an epoch each `every` bytes. Barriers stay where they are."""
    with open(path, "rb") as file, open(target, "wb") as out:
        first = file.readline()
        file.seek(0)
        if first.startswith(BARRIER):
            out.write(file.read())
            return
        epoch = held = 0

        def barrier(kind):
            out.write(b"%s%s\t%d\t%s\t\t\n" % (BARRIER, SESSION, epoch, kind))

        barrier(b"open")
        for line in file:
            out.write(line)
            held += len(line)
            if held >= every:
                epoch, held = epoch + 1, 0
                barrier(b"commit")
        epoch += 1
        barrier(b"close")


def key_bytes(path, fields):
    """The bytes of the fields that are sent once more, as keys."""
    if not fields:
        return 0
    ranges = [[int(end) if end else None for end in part.split("-")] for part in fields.split(",")]
    total = 0
    for line in data_lines(path):
        columns = line.rstrip(b"\n").split(b"\t")
        picked = [column for number, column in enumerate(columns, 1)
                  if any((low or 1) <= number <= (high[-1] or number if high else low) for low, *high in ranges)]
        total += sum(map(len, picked)) + max(len(picked) - 1, 0)
    return total


class Bridges:
    """kcat-out and kcat-in, on topics of their own and on part of the lines: those of a topic are alike."""

    def __init__(self, folder):
        self.part = os.path.join(folder, "part")
        self.made = 0

    def new_topic(self):
        self.made += 1
        name = f"plan-{os.getpid()}-{self.made}"
        run(["kcat-out", "-t", name, "--create", "4"])
        return name

    def write(self, words, path):
        """The cost of kcat-out for all of the file; the topic, and how many lines are in it: a part, RUNS times."""
        lines, topic = copy(path, self.part, BRIDGE_BYTES, BRIDGE_LINES), self.new_topic()
        command = ["kcat-out", "-t", topic] + cost_options(words[1:])
        if not lines:
            return Cost("kcat-out", 0, 0), topic, 0
        cost = measured(command, self.part)
        cost.seconds *= size(path)[1] / lines
        return cost, topic, lines * RUNS

    def read(self, words, topic, lines, wanted):
        """The cost of kcat-in for `wanted` lines, from a topic that has `lines`."""
        options = ["--until-end"] + cost_options(words[1:])
        cost = measured(["kcat-in", "-t", topic] + options, empty=["kcat-in", "-t", self.new_topic()] + options)
        cost.seconds *= wanted / lines
        return cost


def measure(stages, sample, rate, epoch, folder, bridges):
    """Puts into each stage what it takes, in the order of the pipe: each gets what the one before it put out."""
    path = os.path.join(folder, "sample")
    if not copy(sample, path, SAMPLE_BYTES):
        raise Wrong(f"{sample}: no line to measure with", 65)
    topic = bridges.write(["kcat-out"], path)[1:] if bridges else None
    for number, stage in enumerate(stages):
        stage.taken = size(path)
        if not stage.taken[1]:
            raise Wrong(f"stage {stage.name}: nothing of the sample comes to it", 65)
        if bridges and stage.reader:
            stage.costs.append(bridges.read(stage.reader, *topic, stage.taken[1]))
        prepared = os.path.join(folder, f"{number}")
        if stage.exactly_once:
            with_barriers(path, prepared, rate * epoch)
        else:
            copy(path, prepared)
        for step, words in enumerate(stage.filters):
            target = os.path.join(folder, f"{number}-{step}")
            stage.costs.append(measured(words, prepared, target))
            prepared = target
        path, stage.given = prepared, size(prepared)
        fields = option(stage.writer, "-k", "--key-fields")
        if fields and not re.fullmatch(r"(\d+(-\d*)?|-\d+)(,(\d+(-\d*)?|-\d+))*", fields):
            raise Wrong(f"stage {stage.name}: not a list of fields: {fields}")
        stage.key_bytes = 0 if option(stage.writer, "--pack") else key_bytes(path, fields)
        if bridges and stage.writer:
            cost, *topic = bridges.write(stage.writer, path)
            stage.costs.append(cost)
        if not stage.costs:
            raise Wrong(f"stage {stage.name}: only bridges, and no broker to measure them on (KAFKA_BROKERS)", 69)
        rate *= stage.given[0] / stage.taken[0]
