"""The word count on several hosts, whose cables delay and lose frames, and of which two are cut off for some time."""

import subprocess
import time

from network import Network
from pipeline import Broker, Feeder, environment
from wordcount import WORDS, check, create_topics, expected, replicas, totals

HOSTS = 4
DELAY, LOSS = 0.005, 0.01
# Shorter than the group waits for a member, and longer.
CUTS = (3, 10)
# Text comes during all of it.
FEED = 35


def run(options, root, generator, folder, log):
    wanted = expected(folder, False, environment(root, ""))
    network = Network(HOSTS, DELAY, LOSS, generator, f"{root}/Tests/Chaos")
    broker, everybody, counts = None, [], []
    try:
        broker = Broker(root, folder, log, network.broker.address, network.broker.enter)
        env = environment(root, broker.address)
        # What is run beside the stages is run where the broker is.
        here = network.broker.enter
        create_topics(env, here)
        everybody = replicas(WORDS, 2, options.epoch, env, log)
        for place, replica in enumerate(everybody):
            replica.host = network.others[place % HOSTS]
            replica.commands = [[*replica.host.enter, *command] for command in replica.commands]
        with open(f"{folder}/text", "rb") as file:
            feeder = Feeder([*here, "kcat-out", "-t", "lines", "--eof"], file.read(), FEED, log, env)
        start = time.monotonic()
        feeder.start()
        for replica in everybody:
            replica.start()
        print(f"{HOSTS} hosts; a frame takes {DELAY * 1000:.0f} ms over each cable, and {LOSS:.0%} are lost", flush=True)
        for seconds, host in zip(CUTS, generator.sample(network.others, len(CUTS))):
            wait_for_flow(feeder, env, here)
            cut_off(network, host, seconds, everybody, log)
        wait_for_flow(feeder, env, here)
        feeder.finish()
        for replica in everybody:
            replica.join(timeout=180)
        late = [replica.name for replica in everybody if replica.is_alive()]
        if late:
            raise SystemExit(f"bin/chaos: {', '.join(late)} did not come to the end: see {folder}/log")
        found = totals(2, env, here)
        seconds = time.monotonic() - start
    finally:
        for replica in everybody:
            replica.end()
        if broker:
            broker.stop()
        counts = network.remove()
    frames, lost, refused = counts
    starts = sum(replica.starts - 1 for replica in everybody)
    print(f"{seconds:.0f} s, {frames} frames, {lost} lost, {refused} to a host that was cut off")
    if not lost or not refused:
        raise SystemExit("bin/chaos: no frame was lost, or none cut off: this was no test")
    check(found, wanted, f"pipelines started again {starts} times", folder)


def cut_off(network, host, seconds, everybody, log):
    there = [replica for replica in everybody if replica.host is host]
    before = [replica.starts for replica in there]
    log.write(f"{time.time():.3f} CUT OFF {host.name}\n".encode())
    network.plug(host, False)
    time.sleep(seconds)
    network.plug(host, True)
    log.write(f"{time.time():.3f} BACK {host.name}\n".encode())
    print(f"{host.name} cut off for {seconds} s, with {' and '.join(replica.name for replica in there)}", flush=True)


def wait_for_flow(feeder, env, here):
    """Until more has come out of the last stage, while there is text to come."""
    def seen():
        command = [*here, "kcat-in", "-t", "totals", "--until-end"]
        return len(subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout)

    first = seen()
    deadline = time.monotonic() + 60
    while seen() == first:
        if time.monotonic() > deadline:
            raise SystemExit("bin/chaos: nothing comes out of the last stage any more")
        time.sleep(0.2)
    if not feeder.is_alive():
        raise SystemExit("bin/chaos: the text ended before the hosts were cut off")
