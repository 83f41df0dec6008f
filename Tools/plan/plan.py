"""Turns a sample of the input into replicas and partitions.

usage: bin/plan SAMPLE --rate RATE [OPTION]... [STAGE...]

  bin/broker run bin/plan access.log --rate 200MB/s
      The stages of examples/compose, the bridges as well, which need a broker.
  bin/plan access.log --rate 5MB/s --file compose.yaml --write compose.yaml
      Those of a file of your own, and the replicas written into it.
  bin/plan access.log --rate 200MB/s 'tokenize -w -l' 'cms-topk -k 0'
      Stages named here, each a pipeline, with bridges or without.

Each program of each stage is run on what the one before it made of the sample,
a few times, and its CPU time counted. The machine should be quiet, and like
those to plan for. With --exactly-once in its kcat-in a stage gets barriers, one
for each --epoch of the rate.
"""

import argparse
import json
import math
import os
import re
import sys
import tempfile

import pipelines
from measure import Bridges, measure
from pipelines import Wrong, option

COMPOSE = os.path.join(os.path.dirname(__file__), "../../examples/compose/compose.yaml")
# Of Kafka's record format: length, attributes, two deltas, two lengths, number of headers.
RECORD_OVERHEAD = 10


def plan(stages, options):
    """What follows from the costs: the facts, as --json prints them."""
    rate, usable, facts, topics = options.rate, 1 - options.headroom, [], {}

    def topic(name, rate, messages, keys=0):
        return topics.setdefault(name, {
            "topic": name, "partitions": 2, "bytes_per_second": rate, "messages_per_second": messages,
            "with_keys_and_overhead": rate + keys + messages * RECORD_OVERHEAD, "is_read": False})

    for stage in stages:
        lines = rate * stage.taken[1] / stage.taken[0]
        bytes_out, lines_out = (out / into for out, into in zip(stage.given, stage.taken))
        cores = rate * stage.seconds_a_byte
        # No program of a stage can have more than one core, so the slowest limits a replica of several.
        replicas = math.ceil(max(cores / options.cores, rate * stage.slowest_a_byte) / usable)
        facts.append({
            "stage": stage.name, "bytes_per_second": rate, "lines_per_second": lines,
            "bytes_out_per_byte_in": bytes_out, "lines_out_per_line_in": lines_out,
            "bytes_per_second_and_core": 1 / stage.seconds_a_byte, "cores": cores, "replicas": replicas,
            "programs": [[cost.name, rate * cost.seconds / stage.taken[0]] for cost in stage.costs],
            "memory": stage.memory,
        })
        if stage.source:
            topic(stage.source, rate, lines).update(partitions=2 * replicas, is_read=True)
        if stage.sink:
            is_packed = option(stage.writer, "--pack") is not None
            keys = rate * stage.key_bytes / stage.taken[0]
            topic(stage.sink, rate * bytes_out, 0 if is_packed else lines * lines_out, keys)
        rate *= bytes_out
    # State comes from the partition of the same number.
    for stage in stages:
        if stage.restored in topics:
            pair = [topics[stage.source], topics[stage.restored]]
            most = max(topic["partitions"] for topic in pair)
            for topic in pair:
                topic["partitions"] = most
    written, read = (sum(topic["with_keys_and_overhead"] for topic in chosen) for chosen in (
        topics.values(), [topic for topic in topics.values() if topic["is_read"]]))
    return {
        "rate": options.rate, "stages": facts, "topics": list(topics.values()),
        "limits": max(facts, key=lambda fact: fact["cores"])["stage"],
        "one_replica_each": min(options.rate / (fact["cores"] / options.cores / usable) for fact in facts),
        "broker": {"written": written, "copied": written * (options.replication - 1), "read": read},
    }


def show(facts, options, stages, has_bridges):
    mega = 1e6
    head = ["stage", "MB/s in", "lines/s in", "bytes out/in", "lines out/in", "MB/s a core", "cores", "replicas", "MiB"]
    table([head] + [
        [fact["stage"], f"{fact['bytes_per_second'] / mega:,.4g}", f"{fact['lines_per_second']:,.0f}",
         f"{fact['bytes_out_per_byte_in']:.3g}", f"{fact['lines_out_per_line_in']:.3g}",
         f"{fact['bytes_per_second_and_core'] / mega:,.3g}", f"{fact['cores']:.2f}", f"{fact['replicas']}",
         f"{fact['memory'] / 2**20:.0f}"] for fact in facts["stages"]])
    print()
    if facts["topics"]:
        table([["topic", "partitions", "MB/s", "messages/s"]] + [
            [topic["topic"], f"{topic['partitions']}", f"{topic['bytes_per_second'] / mega:,.4g}",
             f"{topic['messages_per_second']:,.0f}" if topic["messages_per_second"] else "packed"]
            for topic in facts["topics"]])
        broker = facts["broker"]
        print(f"\nBrokers, with keys and {RECORD_OVERHEAD} bytes a message: {broker['written'] / mega:,.0f} MB/s written, "
              f"{broker['read'] / mega:,.0f} read, {broker['copied'] / mega:,.0f}\n"
              f"copied between them ({options.replication} copies of each).")
    limiting = next(fact for fact in facts["stages"] if fact["stage"] == facts["limits"])
    program = max(limiting["programs"], key=lambda entry: entry[1])[0]
    print(f"{limiting['stage']} limits, and in it {program}. With one replica of each stage: "
          f"{facts['one_replica_each'] / mega:,.3g} MB/s.\nA replica has {options.cores:g} core"
          f"{'s' * (options.cores != 1)}, of which {options.headroom:.0%} stay free.")
    if not has_bridges:
        print("kcat-in and kcat-out, a large part, are not in it: set KAFKA_BROKERS, or bin/broker run bin/plan …")
    if any(stage.ends_in_loader for stage in stages):
        print("es-load is not in it: the server sets its pace.")
    if not any(re.match("cms-topk|merge-counts", words[0]) for stage in stages for words in stage.filters):
        return
    seconds = stages[0].taken[0] / options.rate
    if not any(stage.exactly_once for stage in stages):
        print(f"The sample is {seconds:.2g} s of the rate, and counted as one window.")
    elif seconds < options.epoch:
        print(f"The sample is {seconds:.2g} s of the rate, an epoch {options.epoch:g} s: what counts takes and gives less.")


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for first, *rest in rows:
        print("  ".join([first.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(rest, widths[1:])]))


def quantity(units, example):
    """A parser for a number with one of these units."""

    def parse(text):
        match = re.fullmatch(r"(\d+\.?\d*)([a-zA-Z/%]+)", text)
        if not match or match[2] not in units:
            raise argparse.ArgumentTypeError(f'"{text}" is not like {example}')
        return float(match[1]) * units[match[2]]

    return parse


def arguments():
    _, usage, text = re.split(r"usage: (.*)\n\n", __doc__, maxsplit=1)
    parser = argparse.ArgumentParser(
        prog="bin/plan", usage=usage, description=text, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False)
    rates = {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9}
    add = parser.add_argument
    add("sample", metavar="SAMPLE", help="a file of input; its first 100 MB count")
    add("stages", metavar="STAGE", nargs="*", help="a pipeline; default: those of --file")
    add("--rate", required=True, type=quantity(rates, "200MB/s"), help="how much comes in, such as 200MB/s")
    add("--file", default=COMPOSE, help="a compose or stack file with the stages; default: that of examples/compose")
    add("--write", action="append", default=[], metavar="FILE",
        help="write the replicas into this compose or stack file; may be given several times")
    add("--cores", type=float, default=1, metavar="N", help="cores of a replica; default 1")
    add("--headroom", type=quantity({"%": 0.01}, "30%"), default=0.3, metavar="SHARE",
        help="what stays free; default 30%%")
    add("--epoch", type=quantity({"s": 1, "ms": 1e-3}, "1s"), default=1, metavar="TIME",
        help="the epoch of exactly-once stages; default 1s")
    add("--replication", type=int, default=3, metavar="N", help="copies of each topic; default 3")
    add("--json", action="store_true", help="print the facts as JSON, in bytes and seconds")
    parser.error = lambda message: fail(message, 64)
    options = parser.parse_intermixed_args()
    if options.headroom >= 1 or min(options.cores, options.rate, options.epoch, options.replication) <= 0:
        raise Wrong("--rate, --cores, --epoch and --replication are above 0, --headroom is below 100%")
    return options


def fail(message, status):
    print(f"bin/plan: {message}", file=sys.stderr)
    sys.exit(status)


def main():
    options = arguments()
    if not os.access(options.sample, os.R_OK) or os.path.isdir(options.sample):
        raise Wrong(f"cannot read {options.sample}", 66)
    stages = pipelines.given(options.stages) if options.stages else pipelines.of_file(options.file)
    has_bridges = bool(os.environ.get("KAFKA_BROKERS"))
    with tempfile.TemporaryDirectory(prefix="plan-") as folder:
        measure(stages, options.sample, options.rate, options.epoch, folder, Bridges(folder) if has_bridges else None)
    facts = plan(stages, options)
    if options.json:
        print(json.dumps(facts))
    else:
        show(facts, options, stages, has_bridges)
    for path in options.write:
        pipelines.write_replicas(path, {fact["stage"]: fact["replicas"] for fact in facts["stages"]})
        print(f"bin/plan: wrote the replicas into {path}", file=sys.stderr)


try:
    main()
except Wrong as wrong:
    fail(wrong, wrong.status)
except KeyboardInterrupt:
    fail("interrupted", 130)
