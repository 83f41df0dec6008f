"""The first stage of the word count with kcat in the place of the bridges, under the same faults. Those behind it keep
state, which kcat could not restore."""

import collections
import subprocess
import time

from faults import Faults
from pipeline import Feeder, Replica
from wordcount import GROUP, lost_and_doubled


def run(options, generator, broker, env, folder, log):
    for topic in ("lines", "tokens"):
        subprocess.run(["kcat-out", "-t", topic, "--create", "4"], input=b"", check=True, env=env)
    kcat = ["kcat", "-b", broker.address, "-q"]
    reader = [*kcat, "-u", "-G", "split", "-X", "auto.offset.reset=earliest", *GROUP, "lines"]
    writer = [*kcat, "-P", "-t", "tokens", "-X", "enable.idempotence=true", "-X", "acks=all"]
    replicas = []
    with open(f"{folder}/text", "rb") as file:
        text = file.read()
    wanted = collections.Counter(
        subprocess.run(["tokenize", "-w", "-l"], input=text, capture_output=True, check=True, env=env).stdout.splitlines()
    )
    try:
        for number in range(1, options.replicas + 1):
            replica = Replica(f"split-{number}", [reader, ["tokenize", "-w", "-l"], writer], log, env)
            replica.stage = "split"
            replicas.append(replica)
            replica.start()
        feeder = Feeder(["kcat-out", "-t", "lines"], text, options.faults * options.pause, log, env)
        feeder.start()
        time.sleep(2)
        faults = Faults(generator, replicas, broker, log)
        faults.rain(options.faults, options.pause)
        feeder.finish()
        found = until_quiet(env)
    finally:
        for replica in replicas:
            replica.end()
    lost, doubled = lost_and_doubled(wanted, found)
    print(f"kcat | tokenize | kcat, {options.faults} faults: of {wanted.total()} words {lost} lost, {doubled} doubled")


def until_quiet(env):
    """The words in the topic, when no more have come for some time."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < 15:
        command = ["kcat-in", "-t", "tokens", "--until-end"]
        found = subprocess.run(command, capture_output=True, check=True, env=env).stdout
        if last is None or len(found) != len(last):
            last, since = found, time.monotonic()
        time.sleep(2)
    return collections.Counter(last.splitlines())
