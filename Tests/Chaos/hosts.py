"""The word count on several hosts, whose cables delay and lose frames, and two of which are cut off for some time."""

import subprocess
import time

from network import Network
from pipeline import Broker, Feeder, environment
from wordcount import WORDS, check, create_topics, expected, read, replicas, topics_of, wait_for_the_end

HOSTS = 4
DELAY, LOSS = 0.005, 0.01
# Seconds: one that the group waits for, and one that it does not wait for.
SHORT, LONG = 2, 10
# An epoch may take longer than either.
PATIENT = ["-X", "max.poll.interval.ms=30000"]
# So long, at least, text comes.
FEED = 90


def run(options, root, generator, folder, log):
    wanted = expected(folder, False, environment(root, ""))
    network = Network(HOSTS, DELAY, LOSS, generator)
    broker, everybody, frames = None, [], []
    try:
        # What is run beside the stages is run where the broker is.
        here = network.broker.enter
        broker = Broker(root, folder, log, network.broker.address, here)
        env = environment(root, broker.address)
        create_topics(topics_of(WORDS), env, here)
        everybody = replicas(WORDS, 2, options.epoch, env, log)
        for place, replica in enumerate(everybody):
            replica.host = network.others[place % HOSTS]
            replica.commands[0] += PATIENT
            replica.commands = [[*replica.host.enter, *command] for command in replica.commands]
        with open(f"{folder}/text", "rb") as file:
            feeder = Feeder([*here, "kcat-out", "-t", "lines", "--eof"], file.read(), FEED, log, env)
        start = time.monotonic()
        feeder.start()
        for replica in everybody:
            replica.start()
        print(f"{HOSTS} hosts; over a cable a frame takes {DELAY * 1000:.0f} ms, and {LOSS:.0%} are lost", flush=True)
        for seconds, host in zip((SHORT, LONG), generator.sample(network.others, 2)):
            wait_for_flow(env, here)
            cut_off(network, host, seconds, everybody, folder, log)
        wait_for_flow(env, here)
        if not feeder.is_alive():
            raise SystemExit("bin/chaos: the text was at its end before the hosts were back: this was no test")
        feeder.finish()
        wait_for_the_end(everybody, folder)
        seconds = time.monotonic() - start
        topics = read(topics_of(WORDS), 2, env, here)
        pause = longest_pause(env, here, broker.address)
    finally:
        for replica in everybody:
            replica.end()
        if broker:
            broker.stop()
        frames = network.remove()
    print(f"{frames[0]} frames, {frames[1]} of them lost and {frames[2]} at a host that was cut off")
    if not frames[1] or not frames[2]:
        raise SystemExit("bin/chaos: no frame was lost, or no host cut off: this was no test")
    starts = ", ".join(f"{replica.name} {replica.starts - 1} times" for replica in everybody if replica.starts > 1)
    what = f"{seconds:.0f} s, at most {pause:.1f} s without a new total; started again: {starts or 'none'}"
    check(topics, wanted, what, folder)


def cut_off(network, host, seconds, everybody, folder, log):
    names = " and ".join(replica.name for replica in everybody if replica.host is host)
    with open(f"{folder}/log", "rb") as since:
        since.seek(0, 2)
        network.plug(host, False)
        log.write(f"{time.time():.3f} CUT OFF {host.name}: {names}\n".encode())
        time.sleep(seconds)
        network.plug(host, True)
        log.write(f"{time.time():.3f} BACK {host.name}\n".encode())
        put_out = since.read().count(b"put out of the group")
    print(f"{host.name}, with {names}, cut off for {seconds} s: {put_out} put out of the group", flush=True)
    if seconds == LONG and not put_out:
        raise SystemExit("bin/chaos: the group still waits for who was cut off: this was no test")


def wait_for_flow(env, here):
    """Until more comes out of the last stage."""

    def seen():
        command = [*here, "kcat-in", "-t", "totals", "--until-end"]
        return len(subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout)

    first, deadline = seen(), time.monotonic() + 60
    while seen() == first:
        if time.monotonic() > deadline:
            raise SystemExit("bin/chaos: nothing comes out of the last stage any more")
        time.sleep(0.2)


def longest_pause(env, here, address):
    """Seconds between two totals, one after the other as they were written."""
    command = [*here, "kcat", "-b", address, "-q", "-C", "-t", "totals", "-e", "-f", "%T\\n"]
    lines = subprocess.run(command, capture_output=True, check=True, env=env, timeout=60).stdout.split()
    times = sorted(int(line) for line in lines)
    return max(later - earlier for earlier, later in zip(times, times[1:])) / 1000
