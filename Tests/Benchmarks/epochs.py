"""What exactly-once costs: a stage with it against the same stage without, by the length of an epoch, and how long a line
takes from one topic to the next."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from functools import partial

from bridges import PARTITIONS, BridgeRow, local_broker
from limits import Limit
from measure import CommandFailed, answer, in_turn, printed, run, shell

READER = "kcat-in -t lines -g stage --until-end"
PLAIN = f"{READER} | tokenize -w -l | kcat-out -t tokens --pack 64K"
LATENCY_LINES = 100


def stage(epoch):
    return (
        f"{READER} --exactly-once --epoch {epoch} | tokenize -w -l | "
        "kcat-out -t tokens --pack 64K --exactly-once --transactional-id stage")


@dataclass(frozen=True, kw_only=True)
class Stage(BridgeRow):
    """Each run has a broker of its own, with the input in a topic."""

    def measure(self, seconds):
        same = 0
        wanted = answer(f"tokenize -w -l < {self.input} | sort")
        for work in (self.run, self.rival):
            with self.filled():
                run(work)
                found = printed("kcat-in -t tokens --until-end | sort")
                if found != wanted:
                    raise CommandFailed(f"{found.lines:,} lines instead of {wanted.lines:,}, or others: {work}")
                same = found.lines
        return same, in_turn(partial(self.once, self.run), partial(self.once, self.rival), seconds)

    def filled(self):
        return local_broker("lines", "tokens", fill=f"kcat-out -t lines --pack 64K < {self.input}")

    def once(self, work):
        with self.filled():
            return run(work)


def row(name, epoch, target):
    return Stage(
        name=name, ours=f"kcat-in, tokenize, kcat-out; exactly once, epochs of {epoch}", against="the same, plain",
        target=target, input="text.txt", unit="MB", run=stage(epoch), rival=PLAIN,
        same="the words in the topic behind it with those of tokenize, all sorted", server=local_broker)


ROWS = [
    row("exactly-once-100ms", "100ms", None),
    row("exactly-once-1s", "1s", 0.9),
    row("exactly-once-10s", "10s", None),
]


def latency(name, work, description):
    """From before a line is written to when it is read behind the stage; one line every 50 ms, its time in it."""
    with local_broker("lines", "tokens"):
        with (
            subprocess.Popen(shell(work.replace(" --until-end", "")), start_new_session=True) as running,
            subprocess.Popen(["kcat-out", "-t", "lines", "-p", "0"], stdin=subprocess.PIPE) as feeding,
            subprocess.Popen(["kcat-in", "-t", "tokens"], stdout=subprocess.PIPE) as reading,
        ):
            time.sleep(3)  # until the group has dealt its partitions
            taken = []
            os.set_blocking(reading.stdout.fileno(), True)
            for place in range(LATENCY_LINES):
                feeding.stdin.write(b"%d\n" % time.monotonic_ns())
                feeding.stdin.flush()
                time.sleep(0.05)
            feeding.stdin.close()
            while len(taken) < LATENCY_LINES:
                line = reading.stdout.readline()
                taken.append((time.monotonic_ns() - int(line)) / 1e6)
            os.killpg(running.pid, 9)
            reading.kill()
    median, worst = statistics.median(taken), max(taken)
    return Limit(name, description, f"{median:.0f} ms, at most {worst:.0f} ms", "–", True)


LIMITS = {
    "latency-plain": partial(latency, "latency-plain", PLAIN, "a line through a stage, plain"),
    **{
        f"latency-{epoch}": partial(
            latency, f"latency-{epoch}", stage(epoch), f"a line through a stage, exactly once, epochs of {epoch}")
        for epoch in ("100ms", "1s")
    },
}
