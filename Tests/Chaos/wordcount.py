"""The word count that is put to the test: its text, its stages, and what must come out."""

import collections
import subprocess
import time
from typing import NamedTuple

from pipeline import Replica

PARTITIONS = 4
# The test broker notices that a member is dead only when the group deals anew, which it then does after this time.
GROUP = "-X session.timeout.ms=6000 -X max.poll.interval.ms=6000 -X heartbeat.interval.ms=500".split()


class Stage(NamedTuple):
    name: str
    source: str
    target: str
    # The topic from which it is restored.
    state: str | None
    filter: str
    key: str
    # Whether its members have names that outlive them.
    is_static: bool = False
    # Options of its kcat-in.
    reading: str = ""


WORDS = [
    Stage("split", "lines", "tokens", None, "tokenize -w -l", "1"),
    Stage("count", "tokens", "partials", None, "cms-topk --emit partials", "1", is_static=True),
    Stage("sum", "partials", "totals", "totals", "merge-counts --updates", "1"),
]
# The first field of a line is its time, and they are in its order: no window waits for late ones. A partition that is at
# its end is waited for all the same, since the feeder may be held up.
WINDOWED = "cms-topk --window 10s"
HEARD = "--event-time topic"
WINDOWS = [
    Stage("split", "lines", "tokens", None, "tokenize -w -l --carry 1", "2", reading="--event-time 1 --idle 1h"),
    Stage("count", "tokens", "partials", None, f"{WINDOWED} --time-field 1 --emit partials", "1,2", True, HEARD),
    Stage("sum", "partials", "totals", "totals", "merge-counts --updates", "1,2", False, HEARD),
    Stage("top", "totals", "lists", "totals", f"{WINDOWED} --window-field 1 --latest -k 100000", "1", False, HEARD),
]


def topics_of(stages):
    return [stages[0].source, *(stage.target for stage in stages)]


def text(size, windows):
    command = "zcat /usr/share/dictd/gcide.dict.dz | tr -cd '\\11\\12\\40-\\176' | tail -c +100000"
    found = subprocess.run(["bash", "-c", f"{command} | head -c {size}"], capture_output=True, check=True).stdout
    if not windows:
        return found
    lines = [line.replace(b"\t", b" ") for line in found.split(b"\n")]
    return b"".join(
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_790_000_000 + place // 50)).encode() + b"\t" + line + b"\n"
        for place, line in enumerate(lines)
    )


def expected(folder, windows, env):
    """What one local pipe says, without any of our counting: KEY TAB COUNT, sorted."""
    split = "tokenize -w -l --carry 1 | sed 's/.Z\\t/0Z\\t/'" if windows else "tokenize -w -l"
    command = f"{{ {split}; }} < {folder}/text | sort | uniq -c | sed -E 's/^ *([0-9]+) (.*)$/\\2\\t\\1/' | sort"
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=True, env=env).stdout


def replicas(stages, count, epoch, env, log, group=GROUP):
    made = []
    writers = 1
    for stage in stages:
        for number in range(1, count + 1):
            name = f"{stage.name}-{number}"
            reader = ["kcat-in", "-t", stage.source, "-g", stage.name, "--exactly-once", f"--until-eof={writers}"]
            reader += ["--epoch", epoch, *group, *stage.reading.split()]
            if stage.state:
                reader += ["--restore", stage.state]
            if stage.is_static:
                reader += ["-X", f"group.instance.id={name}"]
            writer = ["kcat-out", "-t", stage.target, "-k", stage.key, "--exactly-once", "--eof"]
            writer += ["--transactional-id", name]
            replica = Replica(name, [reader, stage.filter.split(), writer], log, env)
            replica.stage = stage.name
            made.append(replica)
        writers = count
    return made


def create_topics(topics, env, inside=()):
    for topic in topics:
        command = [*inside, "kcat-out", "-t", topic, "--create", str(PARTITIONS)]
        subprocess.run(command, input=b"", check=True, env=env)


def wait_for_the_end(everybody, folder, seconds=180):
    deadline = time.monotonic() + seconds
    for replica in everybody:
        replica.join(timeout=max(0, deadline - time.monotonic()))
    late = [replica.name for replica in everybody if replica.is_alive()]
    if late:
        raise SystemExit(f"bin/chaos: {', '.join(late)} did not come to the end: see {folder}/log")


def read(topics, count, env, inside=()):
    """The lines of each topic."""

    def lines(topic, writers):
        command = [*inside, "kcat-in", "-t", topic, f"--until-eof={writers}"]
        return subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout.splitlines()

    return {topic: lines(topic, 1 if topic == "lines" else count) for topic in topics}


def summed(lines):
    """Of KEY TAB COUNT."""
    counts = collections.Counter()
    for line in lines:
        key, count = line.rsplit(b"\t", 1)
        counts[key] += int(count)
    return counts


def lost_and_doubled(due, there):
    return (due - there).total(), (there - due).total()


def check(topics, wanted, what, folder, windows=False):
    """What was lost and doubled, topic by topic: the first that is wrong comes out of the stage at fault.

    Of windows, each list comes once: it holds all words of the window in the partition, not only the most frequent.
    """
    with open(f"{folder}/text", "rb") as text:
        fed = collections.Counter(text.read().splitlines())
    counted = summed(wanted.splitlines())
    # A window begins at a full ten seconds.
    tokens = [line[:18] + b"0Z" + line[20:] for line in topics["tokens"]] if windows else topics["tokens"]
    last = dict(line.rsplit(b"\t", 1) for line in topics["totals"])  # what a compacted topic keeps
    found = b"".join(sorted(key + b"\t" + total + b"\n" for key, total in last.items()))
    print(f"{what}; {len(counted)} totals")
    stages = [
        ("lines", collections.Counter(topics["lines"]), fed),
        ("tokens", collections.Counter(tokens), counted),
        ("partials", summed(topics["partials"]), counted),
        ("totals", summed(found.splitlines()), counted),
    ]
    if windows:
        stages.append(("lists", collections.Counter(topics["lists"]), collections.Counter(wanted.splitlines())))
    for topic, there, due in stages:
        lost, doubled = lost_and_doubled(due, there)
        print(f"{topic:8} {lost} lost, {doubled} doubled")
    if windows and b"".join(sorted(line + b"\n" for line in topics["lists"])) != wanted:
        raise SystemExit(f"bin/chaos: THE LISTS DIFFER from those of the local pipe, or come twice: see {folder}")
    if found != wanted:
        raise SystemExit(f"bin/chaos: THE TOTALS DIFFER from those of tokenize | sort | uniq -c: see {folder}")
    print("The totals are those of tokenize | sort | uniq -c, byte for byte.")
