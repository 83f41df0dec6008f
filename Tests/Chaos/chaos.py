"""Kills, stops and scales the stages of a distributed word count while data flows, and compares its totals with those of
`tokenize | sort | uniq -c`, byte for byte: bin/chaos [OPTION]..."""

import argparse
import collections
import os
import random
import subprocess
import sys
import tempfile
import time

import points
import rivals
from faults import Faults
from pipeline import Broker, Feeder, Replica, environment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
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


def replicas(stages, count, epoch, env, log):
    made = []
    writers = 1
    for name, source, target, state, command, key, is_static in stages:
        for number in range(1, count + 1):
            reader = ["kcat-in", "-t", source, "-g", name, "--exactly-once", f"--until-eof={writers}"]
            reader += ["--epoch", epoch, *GROUP]
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


def totals(count, env):
    """The last total of each key: what a compacted topic keeps."""
    command = ["kcat-in", "-t", "totals", f"--until-eof={count}"]
    lines = subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout
    last = dict(line.rsplit(b"\t", 1) for line in lines.splitlines())
    return b"".join(sorted(key + b"\t" + total + b"\n" for key, total in last.items()))


def difference(found, wanted):
    def counts(lines):
        return collections.Counter(
            {key: int(total) for key, total in (line.rsplit(b"\t", 1) for line in lines.splitlines())}
        )

    found, wanted = counts(found), counts(wanted)
    return (wanted - found).total(), (found - wanted).total()


def run(options, folder):
    generator = random.Random(options.seed)
    log = open(f"{folder}/log", "ab", buffering=0)
    broker = Broker(ROOT, folder, log)
    env = environment(ROOT, broker.address)
    stages = WINDOWS if options.windows else WORDS
    everybody = []
    try:
        with open(f"{folder}/text", "wb") as file:
            file.write(text(options.size, options.windows))
        if options.points:
            if not points.run(generator, options.points, text(100_000, False), env, folder, log, broker):
                raise SystemExit(f"bin/chaos: LINES WERE LOST OR DOUBLED: see {folder}/log")
            return
        if options.kcat:
            return rivals.run(options, generator, broker, env, folder, log)
        wanted = expected(folder, options.windows, env)
        for topic in ["lines", "tokens", "partials", "totals"]:
            subprocess.run(["kcat-out", "-t", topic, "--create", str(PARTITIONS)], input=b"", check=True, env=env)
        everybody = replicas(stages, options.replicas, options.epoch, env, log)
        with open(f"{folder}/text", "rb") as file:
            feeder = Feeder(["kcat-out", "-t", "lines", "--eof"], file.read(), options.faults * options.pause, log, env)
        start = time.monotonic()
        feeder.start()
        for replica in everybody:
            replica.start()
        time.sleep(2)
        faults = Faults(generator, everybody, broker, log)
        faults.rain(options.faults, options.pause)
        feeder.finish()
        for replica in everybody:
            replica.join(timeout=180)
        late = [replica.name for replica in everybody if replica.is_alive()]
        if late:
            raise SystemExit(f"bin/chaos: {', '.join(late)} did not come to the end: see {folder}/log")
        found = totals(options.replicas, env)
        seconds = time.monotonic() - start
    finally:
        for replica in everybody:
            replica.end()
        broker.stop()
        log.close()
    lost, doubled = difference(found, wanted)
    starts = sum(replica.starts - 1 for replica in everybody)
    for what, count in sorted(faults.counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:5} x {what}")
    print(
        f"{options.faults} faults in {seconds:.0f} s, pipelines started again {starts} times; "
        f"{len(wanted.splitlines())} totals: {lost} lost, {doubled} doubled"
    )
    if found != wanted:
        raise SystemExit(f"bin/chaos: THE TOTALS DIFFER from those of tokenize | sort | uniq -c: see {folder}/log")
    print("The totals are those of tokenize | sort | uniq -c, byte for byte.")


def main():
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__.split(": bin/chaos")[0])
    parser.add_argument("--faults", type=int, default=50, help="how many (50)")
    parser.add_argument("--pause", type=float, default=2.5, help="seconds between two, on average (2.5)")
    parser.add_argument("--seed", type=int, default=None, help="of the faults; printed")
    parser.add_argument("--replicas", type=int, default=2, help="of each stage (2)")
    parser.add_argument("--size", type=int, default=2_000_000, help="bytes of text (2000000)")
    parser.add_argument("--epoch", default="200ms", help="of all stages (200ms)")
    parser.add_argument("--windows", action="store_true", help="count by windows of event time")
    parser.add_argument("--points", type=int, metavar="N", help="instead: N kills at each point of an epoch")
    parser.add_argument("--kcat", action="store_true", help="instead: one stage with kcat in the place of the bridges")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the log there")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int.from_bytes(os.urandom(4))
    print(f"seed {options.seed}", flush=True)
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        run(options, options.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(options, folder)


if __name__ == "__main__":
    main()
