"""The word count that is put to the test: its text, its stages, and what must come out."""

import collections
import subprocess
import time

from pipeline import Replica

TOPICS = ("lines", "tokens", "partials", "totals")
PARTITIONS = 4
# The test broker notices that a member is dead only when the group deals anew, which it then does after this time.
GROUP = "-X session.timeout.ms=6000 -X max.poll.interval.ms=6000 -X heartbeat.interval.ms=500".split()

# name, topic in, topic out, state, filter, key, whether its members have names that outlive them
WORDS = [
    ("split", "lines", "tokens", None, "tokenize -w -l", "1", False),
    ("count", "tokens", "partials", None, "cms-topk --emit partials", "1", True),
    ("sum", "partials", "totals", "totals", "merge-counts --updates", "1", False),
]
# The first field of a line is its time. Lines come out of order across partitions and restarts: hence the grace.
WINDOWS = [
    ("split", "lines", "tokens", None, "tokenize -w -l --carry 1", "2", False),
    ("count", "tokens", "partials", None, "cms-topk --window 10s --time-field 1 --grace 1h --emit partials", "1,2", True),
    ("sum", "partials", "totals", "totals", "merge-counts --updates", "1,2", False),
]


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
    for name, source, target, state, command, key, is_static in stages:
        for number in range(1, count + 1):
            reader = ["kcat-in", "-t", source, "-g", name, "--exactly-once", f"--until-eof={writers}"]
            reader += ["--epoch", epoch, *group]
            if state:
                reader += ["--restore", state]
            if is_static:
                reader += ["-X", f"group.instance.id={name}-{number}"]
            writer = ["kcat-out", "-t", target, "-k", key, "--exactly-once", "--eof"]
            writer += ["--transactional-id", f"{name}-{number}"]
            replica = Replica(f"{name}-{number}", [reader, command.split(), writer], log, env)
            replica.stage = name
            made.append(replica)
        writers = count
    return made


def create_topics(env, inside=()):
    for topic in TOPICS:
        command = [*inside, "kcat-out", "-t", topic, "--create", str(PARTITIONS)]
        subprocess.run(command, input=b"", check=True, env=env)


def wait_for_the_end(everybody, folder, seconds=180):
    deadline = time.monotonic() + seconds
    for replica in everybody:
        replica.join(timeout=max(0, deadline - time.monotonic()))
    late = [replica.name for replica in everybody if replica.is_alive()]
    if late:
        raise SystemExit(f"bin/chaos: {', '.join(late)} did not come to the end: see {folder}/log")


def read(count, env, inside=()):
    """The lines of each topic."""

    def lines(topic, writers):
        command = [*inside, "kcat-in", "-t", topic, f"--until-eof={writers}"]
        return subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout.splitlines()

    return {topic: lines(topic, 1 if topic == "lines" else count) for topic in TOPICS}


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
    """What was lost and doubled, topic by topic: the first that is wrong comes out of the stage at fault."""
    with open(f"{folder}/text", "rb") as text:
        fed = collections.Counter(text.read().splitlines())
    counted = summed(wanted.splitlines())
    # A window begins at a full ten seconds.
    tokens = [line[:18] + b"0Z" + line[20:] for line in topics["tokens"]] if windows else topics["tokens"]
    last = dict(line.rsplit(b"\t", 1) for line in topics["totals"])  # what a compacted topic keeps
    found = b"".join(sorted(key + b"\t" + total + b"\n" for key, total in last.items()))
    print(f"{what}; {len(counted)} totals")
    for topic, there, due in [
        ("lines", collections.Counter(topics["lines"]), fed),
        ("tokens", collections.Counter(tokens), counted),
        ("partials", summed(topics["partials"]), counted),
        ("totals", summed(found.splitlines()), counted),
    ]:
        lost, doubled = lost_and_doubled(due, there)
        print(f"{topic:8} {lost} lost, {doubled} doubled")
    if found != wanted:
        raise SystemExit(f"bin/chaos: THE TOTALS DIFFER from those of tokenize | sort | uniq -c: see {folder}")
    print("The totals are those of tokenize | sort | uniq -c, byte for byte.")
