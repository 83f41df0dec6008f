"""Kills, stops and scales the stages of a distributed word count while data flows, and compares its totals with those of
`tokenize | sort | uniq -c`, byte for byte: bin/chaos [OPTION]..."""

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time

import hosts
import kafka
import points
import rivals
from faults import Faults
from pipeline import Broker, Feeder, environment
from wordcount import (
    WINDOWS,
    WORDS,
    check,
    create_topics,
    expected,
    read,
    replicas,
    text,
    topics_of,
    wait_for_the_end,
)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def run(options, folder):
    generator = random.Random(options.seed)
    log = open(f"{folder}/log", "ab", buffering=0)
    if options.points or options.kcat or options.hosts:
        options.kafka = None
    if options.kafka and not options.size:
        options.size = int(options.minutes * 60 * kafka.RATE)
    with open(f"{folder}/text", "wb") as file:
        file.write(text(options.size or 2_000_000, options.windows))
    if options.kafka:
        return kafka.run(options, ROOT, generator, folder, log)
    if options.hosts:
        return hosts.run(options, ROOT, generator, folder, log)
    broker = Broker(ROOT, folder, log)
    env = environment(ROOT, broker.address)
    stages = WINDOWS if options.windows else WORDS
    everybody = []
    try:
        if options.points:
            if not points.run(generator, options.points, text(100_000, False), env, folder, log, broker):
                raise SystemExit(f"bin/chaos: LINES WERE LOST OR DOUBLED: see {folder}/log")
            return
        if options.kcat:
            return rivals.run(options, generator, broker, env, folder, log)
        wanted = expected(folder, options.windows, env)
        create_topics(topics_of(stages), env)
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
        wait_for_the_end(everybody, folder)
        seconds = time.monotonic() - start
        topics = read(topics_of(stages), options.replicas, env)
    finally:
        for replica in everybody:
            replica.end()
        broker.stop()
        log.close()
    starts = sum(replica.starts - 1 for replica in everybody)
    for what, count in sorted(faults.counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:5} x {what}")
    what = f"{options.faults} faults in {seconds:.0f} s, pipelines started again {starts} times"
    check(topics, wanted, what, folder, options.windows)


def main():
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__.split(": bin/chaos")[0])
    parser.add_argument("--faults", type=int, default=50, help="how many (50)")
    parser.add_argument("--pause", type=float, default=2.5, help="seconds between two, on average (2.5)")
    parser.add_argument("--seed", type=int, default=None, help="of the faults; printed")
    parser.add_argument("--replicas", type=int, default=2, help="of each stage (2)")
    parser.add_argument("--size", type=int, help="bytes of text (2000000)")
    parser.add_argument("--epoch", default="200ms", help="of all stages (200ms)")
    parser.add_argument("--windows", action="store_true", help="final lists of windows of event time")
    parser.add_argument("--points", type=int, metavar="N", help="instead: N kills at each point of an epoch")
    parser.add_argument("--kcat", action="store_true", help="instead: one stage with kcat in the place of the bridges")
    real = parser.add_argument_group("on three brokers of Apache Kafka, which suffer as well")
    real.add_argument("--kafka", metavar="DIR", default=os.environ.get("KAFKA_HOME"), help="where its download is")
    kinds = "rolling (restarts), kill, coordinators (killed), freeze, separated by commas; all; '' for none"
    real.add_argument("--brokers", metavar="KINDS", default="all", help=kinds)
    real.add_argument("--minutes", type=float, default=2, help="how long (2)")
    real.add_argument("--processes", action="store_true", help="processes are killed and stopped as well")
    real.add_argument("--plain", action="store_true", help="kcat-out and two kcat-in -g, not exactly once")
    real.add_argument("--librdkafka", metavar="VERSION", help="another than the system's: 2.8, newest, …")
    parser.add_argument("--hosts", action="store_true", help="instead: on several hosts, which are cut off; needs root")
    parser.add_argument("--keep", metavar="FOLDER", help="keep log and topics there, also of a good run")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int.from_bytes(os.urandom(4))
    print(f"seed {options.seed}", flush=True)
    folder = options.keep or tempfile.mkdtemp(prefix="chaos-")
    os.makedirs(folder, exist_ok=True)
    run(options, folder)
    # What has gone wrong is kept, with the topics as they were.
    if not options.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
