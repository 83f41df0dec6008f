"""What exactly-once costs: a stage with it against the same stage without, by the length of an epoch, and how long a line
takes from one topic to the next."""

import os
import signal
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from functools import partial

from bridges import BridgeRow, local_broker
from limits import Limit
from measure import CommandFailed, answer, in_turn, printed, run, shell

# A fetch at the end of a partition waits at Kafka. Here it is answered at once, and a reader that has room asks again
# and again: so it has little.
READER = "kcat-in -t lines -g stage --until-end -X queued.max.messages.kbytes=1024"
PLAIN = f"{READER} | tokenize -w -l | kcat-out -t tokens"
# Which words there are, and how often each: sorting them all would take longer than all the runs.
COUNT = "cms-topk -k 0 --memory 256M | sort"
LATENCY_LINES = 100


def stage(epoch):
    return (
        f"{READER} --exactly-once --epoch {epoch} | tokenize -w -l | "
        "kcat-out -t tokens --exactly-once --transactional-id stage")


@dataclass(frozen=True, kw_only=True)
class Stage(BridgeRow):
    """Each run has a broker of its own, with the input in a topic."""

    def measure(self, seconds):
        same = 0
        wanted = answer(f"tokenize -w -l < {self.input} | {COUNT}")
        for work in (self.run, self.rival):
            with self.filled():
                run(work)
                found = printed(f"kcat-in -t tokens --until-end | {COUNT}")
                if found != wanted:
                    raise CommandFailed(f"other words, or not as many of each: {work}")
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
        target=target, input="english.txt", unit="MB", run=stage(epoch), rival=PLAIN,
        same="the words in the topic behind it, and how often each, with those of tokenize", server=local_broker)


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
            subprocess.Popen(["kcat-out", "-t", "lines"], stdin=subprocess.PIPE) as feeding,
            subprocess.Popen(["kcat-in", "-t", "tokens"], stdout=subprocess.PIPE) as reading,
        ):
            def feed():
                for _ in range(LATENCY_LINES):
                    feeding.stdin.write(b"%d\n" % time.monotonic_ns())
                    feeding.stdin.flush()
                    time.sleep(0.05)

            def take():
                sent = int(reading.stdout.readline())
                return (time.monotonic_ns() - sent) / 1e6

            feeding.stdin.write(b"0\n")
            feeding.stdin.flush()
            take()  # the group has dealt its partitions
            feeder = threading.Thread(target=feed)
            feeder.start()
            taken = [take() for _ in range(LATENCY_LINES)]
            feeder.join()
            feeding.stdin.close()
            os.killpg(running.pid, signal.SIGKILL)
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
