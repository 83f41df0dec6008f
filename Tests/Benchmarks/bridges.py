"""The rows of the bridges: against kcat, on the broker of bin/broker and on librdkafka's mock cluster, which does less
for a message. The topics have eight partitions; both sides wait for all replicas and send idempotently."""

import os
import subprocess
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from measure import CommandFailed, answer, in_turn, printed, run
from rows import Row

PARTITIONS = 8
BROKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bin/broker")


@contextmanager
def started(*command):
    """A program that prints its brokers' addresses, while it is needed. It ends with this one, however that ends."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if command[0] == "mock-cluster" else None, text=True)
    try:
        os.environ["KAFKA_BROKERS"] = process.stdout.readline().strip()
        if not os.environ["KAFKA_BROKERS"]:
            raise CommandFailed(f"it does not start: {' '.join(command)}")
        yield process
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def local_broker(*topics, fill="true"):
    with started(BROKER, "--bare"):
        for topic in topics:
            run(f"kcat-out -t {topic} --create {PARTITIONS} < /dev/null")
        run(fill)
        yield


@contextmanager
def mock_cluster(*topics):
    with started("mock-cluster", "1") as process:
        for topic in topics:
            print("topic", topic, PARTITIONS, file=process.stdin, flush=True)
            if process.stdout.readline() != "ok\n":
                raise CommandFailed("the mock cluster makes no topic")
        yield


@dataclass(frozen=True, kw_only=True)
class BridgeRow(Row):
    server: Callable  # a context in which it runs, with these topics

    def agree(self, read):
        """Whether the lines that `read` prints are those of the input, whatever their order."""
        found, wanted = printed(f"{read} | sort"), answer(f"sort {self.input}")
        if found != wanted:
            raise CommandFailed(f"{found.lines:,} lines instead of {wanted.lines:,}, or others: {read}")
        return found.lines


class Sending(BridgeRow):
    """Each run has a server of its own: what one has been sent before takes its memory and time."""

    def measure(self, seconds):
        for work in (self.run, self.rival):
            with self.server("lines"):
                run(self.timed(work))
                same = self.agree(KCAT_IN)
        return same, in_turn(partial(self.once, self.run), partial(self.once, self.rival), seconds)

    def once(self, work):
        with self.server("lines"):
            return run(self.timed(work))


class Reading(BridgeRow):
    def measure(self, seconds):
        with self.server("lines", "packed"):
            # Evenly: a partition of the mock cluster keeps 5 MiB.
            fill = "kcat-out -X sticky.partitioning.linger.ms=0"
            run(f"{fill} -t lines < {self.input} && {fill} -t packed --pack 64K < {self.input}")
            same = min(self.agree(work) for work in (self.run, self.rival))
            return same, in_turn(*(partial(run, self.timed(work)) for work in (self.run, self.rival)), seconds)


KCAT_OUT = "kcat -P -b $KAFKA_BROKERS -t lines -X enable.idempotence=true -X acks=all"
KCAT_IN = "kcat -C -b $KAFKA_BROKERS -t lines -e -q"
# As it comes it stands still: for a second when 100,000 messages are read ahead, for half of one at a partition's end.
KCAT_IN_EAGER = KCAT_IN + " -X queued.min.messages=1000000 -X fetch.wait.max.ms=10"
OUT, OUT_PACKED = "kcat-out -t lines", "kcat-out -t lines --pack 64K"
IN, IN_PACKED = "kcat-in -t lines --until-end", "kcat-in -t packed --until-end"
SENT = "what `kcat -C` finds in the topic with the input, both sorted"
READ = "what both print with the input, all sorted"


def sending(name, ours, target, input, work, server):
    return Sending(
        name, ours, "kcat -P, idempotent", target, input, "M lines", work, KCAT_OUT, SENT, server=server)


def reading(name, ours, target, input, work, server, against="kcat -C, eager", rival=KCAT_IN_EAGER):
    return Reading(name, ours, against, target, input, "M lines", work, rival, READ, server=server)


ROWS = [
    sending("kcat-out", "kcat-out", 1.2, "tokens.txt", OUT, local_broker),
    sending("kcat-out-pack", "kcat-out --pack 64K", 10, "tokens.txt", OUT_PACKED, local_broker),
    sending(
        "kcat-out-pack-text", "kcat-out --pack 64K, lines of text", None, "lines.txt", OUT_PACKED, local_broker),
    sending("kcat-out-mock", "kcat-out, mock cluster", 1.2, "few.txt", OUT, mock_cluster),
    sending("kcat-out-mock-pack", "kcat-out --pack 64K, mock cluster", 10, "few.txt", OUT_PACKED, mock_cluster),
    reading("kcat-in", "kcat-in", 1.2, "tokens.txt", IN, local_broker),
    reading("kcat-in-plain", "kcat-in", None, "tokens.txt", IN, local_broker, "kcat -C, as it comes", KCAT_IN),
    reading("kcat-in-pack", "kcat-in, packs of 64K", 10, "tokens.txt", IN_PACKED, local_broker),
    reading("kcat-in-pack-text", "kcat-in, packs of 64K, lines of text", None, "lines.txt", IN_PACKED, local_broker),
    reading("kcat-in-mock", "kcat-in, mock cluster", 1.2, "tokens.txt", IN, mock_cluster),
    reading(
        "kcat-in-mock-pack", "kcat-in, packs of 64K, mock cluster", 10, "tokens.txt", IN_PACKED, mock_cluster),
]
