"""The word count on Apache Kafka's own brokers, which are killed, frozen and restarted while data flow."""

import collections
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time

from faults import ROLES, Faults
from pipeline import TOGETHER, Feeder, environment
from wordcount import WINDOWS, WORDS, check, expected, lost_and_doubled, read, replicas, topics_of, wait_for_the_end

KAFKA = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "Kafka")
sys.path.insert(0, KAFKA)
from coordinator import coordinator, leaders  # noqa: E402

# Of the chain in docs/exactly-once.md. A nap is longer than the group waits for a member.
GROUP = "-X session.timeout.ms=10000 -X heartbeat.interval.ms=1000".split()
NAP = (12, 15)
# Bytes of text a second.
RATE = 20_000
# What each of a pipeline may end with. A closed pipe, a kill and a TERM are of our own making.
ALLOWED = {0: {0, 75, -signal.SIGPIPE}, 1: {0, -signal.SIGPIPE}, 2: {0, 75}}
KILLED = {-signal.SIGKILL, -signal.SIGTERM}
# So long a pipeline may take to end when one of it has, in seconds: 75 comes after a minute of waiting.
PATIENCE = 120


class Cluster:
    """Three brokers by Tests/Kafka/cluster."""

    def __init__(self, kafka, folder, log):
        self.folder = f"{folder}/brokers"
        self.log = log
        command = [*TOGETHER[:2], "TERM", f"{KAFKA}/cluster", "serve", kafka, self.folder, "3"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.address = self.process.stdout.readline().decode().strip()
        if not self.address:
            raise SystemExit(f"bin/chaos: Apache Kafka does not start: see {folder}/log")

    def order(self, *words):
        self.log.write(f"{time.time():.3f} BROKER {' '.join(map(str, words))}\n".encode())
        command = [f"{KAFKA}/cluster", *map(str, words)]
        subprocess.run(command, check=True, stderr=self.log, env={**os.environ, "KAFKA_CLUSTER": self.folder})

    def stop(self):
        self.process.terminate()
        self.process.wait()


class BrokerFaults(threading.Thread):
    """One broker after the other, never two of them at once. They are all there when it ends."""

    def __init__(self, kinds, random, cluster, names):
        super().__init__(daemon=True)
        self.random = random
        self.cluster = cluster
        # Of groups and of transactions: who leads for one of them is struck at `coordinators`.
        self.names = names
        known = {kind.__name__: kind for kind in (self.rolling, self.kill, self.coordinators, self.freeze)}
        self.kinds = list(known.values()) if kinds == "all" else [known[kind] for kind in kinds.split(",") if kind]
        self.counts = collections.Counter()
        # How long some partition had no leader that answers, in seconds, at most.
        self.longest_election = 0
        self.is_over = threading.Event()

    def run(self):
        while self.kinds and not self.is_over.is_set():
            self.random.choice(self.kinds)()
            # Until replicas have caught up.
            self.is_over.wait(self.random.uniform(4, 10))

    def finish(self):
        self.is_over.set()
        self.join()

    def rolling(self):
        for broker in (1, 2, 3):
            self.strike("term", broker, "up", 0, "restarted in turn")
            if self.is_over.wait(4):
                return

    def kill(self):
        self.strike("kill", self.random.randint(1, 3), "up", self.random.uniform(3, 15), "killed")

    def coordinators(self):
        kind = self.random.choice(sorted(self.names))
        broker = coordinator(kind, self.random.choice(self.names[kind]), self.cluster.address)
        if broker:
            self.strike("kill", broker, "up", self.random.uniform(8, 15), f"killed that leads for a {kind}")

    def freeze(self):
        self.strike("freeze", self.random.randint(1, 3), "thaw", self.random.uniform(5, 20), "frozen for 5 to 20 s")

    def strike(self, order, broker, back, seconds, what):
        start = time.monotonic()
        self.cluster.order(order, broker)
        while time.monotonic() - start < seconds and not self.is_replaced(broker):
            time.sleep(0.2)
        if seconds:
            self.longest_election = max(self.longest_election, time.monotonic() - start)
        time.sleep(max(0, start + seconds - time.monotonic()))
        self.cluster.order(back, broker)
        self.counts[f"a broker {what}"] += 1

    def is_replaced(self, broker):
        """Whether the others lead for all partitions, as they say."""
        others = [address for number, address in enumerate(self.cluster.address.split(","), 1) if number != broker]
        found = leaders(",".join(others))
        return bool(found) and not {broker, -1} & set(found)


class Watch(threading.Thread):
    """Looks at the last topic as a reader does: how long nothing new came at most."""

    def __init__(self, topic, env, log):
        super().__init__(daemon=True)
        kcat = ["kcat", "-b", env["KAFKA_BROKERS"], "-E", "-q", "-u", "-C", "-t", topic, "-f", "%o\n"]
        command = [*TOGETHER, *kcat, "-X", "isolation.level=read_committed"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=env)
        self.longest = (0, 0)
        self.is_on = False
        self.last = None

    def run(self):
        for _ in self.process.stdout:
            now = time.monotonic()
            if self.is_on and self.last:
                self.longest = max(self.longest, (now - self.last, time.time()))
            self.last = now

    def finish(self):
        if self.last:
            self.longest = max(self.longest, (time.monotonic() - self.last, time.time()))
        self.process.kill()
        return self.longest


def library(process):
    """The librdkafka that a process has loaded, and its version."""
    with open(f"/proc/{process.pid}/maps") as maps:
        path = re.search(r"\S*librdkafka\S*", maps.read())[0]
    found = ctypes.CDLL(path)
    found.rd_kafka_version_str.restype = ctypes.c_char_p
    return f"librdkafka {found.rd_kafka_version_str().decode()}", path


def make_topics(topics, env):
    for topic in topics:
        for turn in range(10):
            made = subprocess.run(["kcat-out", "-t", topic, "--create", "4"], input=b"", env=env, check=False)
            if made.returncode == 0:
                break
        else:
            raise SystemExit(f"bin/chaos: the topic {topic} cannot be made")


def hung(everybody):
    """Who has gone on for long after a member of its pipeline has ended."""
    return [
        f"{replica.name}: {replica.commands[place][0]}"
        for replica in everybody
        for place, process in enumerate(replica.processes)
        if process.poll() is None and time.monotonic() - (replica.first_end or time.monotonic()) > PATIENCE
    ]


def run(options, root, generator, folder, log):
    seconds = options.minutes * 60
    cluster = Cluster(options.kafka, folder, log)
    env = environment(root, cluster.address)
    if options.librdkafka:
        found = subprocess.run([f"{KAFKA}/librdkafka", options.librdkafka], stdout=subprocess.PIPE, check=True)
        env["LD_LIBRARY_PATH"] = found.stdout.decode().strip()
    try:
        (plain if options.plain else chain)(options, seconds, cluster, env, generator, folder, log)
    finally:
        cluster.stop()


def chain(options, seconds, cluster, env, generator, folder, log):
    wanted = expected(folder, options.windows, env)
    stages = [stage._replace(is_static=True) for stage in (WINDOWS if options.windows else WORDS)]
    make_topics(topics_of(stages), env)
    everybody = replicas(stages, options.replicas, options.epoch, env, log, GROUP)
    names = {"group": [stage.name for stage in stages], "transaction": [replica.name for replica in everybody]}
    brokers = BrokerFaults(options.brokers, generator, cluster, names)
    faults = Faults(generator, everybody, None, log, NAP)
    watch = Watch(stages[-1].target, env, log)
    with open(f"{folder}/text", "rb") as file:
        feeder = Feeder(["kcat-out", "-t", "lines", "--eof"], file.read(), seconds, log, env)
    try:
        feeder.start()
        watch.start()
        for replica in everybody:
            replica.start()
        start = time.monotonic()
        while not watch.last:
            if time.monotonic() - start > 60:
                raise SystemExit(f"bin/chaos: nothing comes out of the last stage: see {folder}/log")
            time.sleep(0.1)
        start_report(options, env, everybody)
        watch.is_on = True
        brokers.start()
        if options.processes:
            faults.rain(int(seconds / options.pause), options.pause)
        feeder.join(max(0, start + seconds - time.monotonic()))
        brokers.finish()
        stuck = hung(everybody)
        # Longer than what is under way may take: a dead transaction, a dead member.
        longest, at = watch.finish()
        feeder.finish()
        wait_for_the_end(everybody, folder)
        took = time.monotonic() - start
        topics = read(topics_of(stages), options.replicas, env)
    finally:
        for replica in everybody:
            replica.end()
        report(everybody, {**faults.counts, **brokers.counts}, options.processes)
    print(f"the longest standstill: {longest:.1f} s, until {at:.0f} in {folder}/log")
    print(f"the longest election of a leader: {brokers.longest_election:.1f} s")
    starts = sum(replica.starts - 1 for replica in everybody)
    check(topics, wanted, f"{took:.0f} s, pipelines started again {starts} times", folder, options.windows)
    bad = odd_statuses(everybody, options.processes)
    if bad or stuck:
        raise SystemExit(f"bin/chaos: {'; '.join([*bad, *(f'{one} hangs' for one in stuck)])}: see {folder}/log")


def start_report(options, env, everybody):
    version, path = library(everybody[0].processes[0])
    if not path.startswith(env.get("LD_LIBRARY_PATH", "/")):
        raise SystemExit(f"bin/chaos: not the librdkafka that was asked for, but {path}")
    print(f"{version}; brokers: {options.brokers or 'undisturbed'}; {options.minutes:g} minutes", flush=True)


def report(everybody, counts, processes):
    for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:5} x {what}")
    statuses = collections.Counter(
        pair for replica in everybody for ended in replica.ended for pair in enumerate(ended)
    )
    for (place, status), count in sorted(statuses.items()):
        note = "" if is_allowed(place, status, processes) else "   NOT ALLOWED"
        print(f"{count:5} x {ROLES[place]} ended with {status}{note}")


def is_allowed(place, status, processes):
    return status in ALLOWED[place] or (processes and status in KILLED)


def odd_statuses(everybody, processes):
    return sorted({
        f"{replica.name}: {replica.commands[place][0]} ended with {status}"
        for replica in everybody
        for ended in replica.ended
        for place, status in enumerate(ended)
        if not is_allowed(place, status, processes)
    })


def plain(options, seconds, cluster, env, generator, folder, log):
    """One kcat-out, and two members of a group without exactly once: nothing is lost, and nobody ends before the end."""
    make_topics(["lines"], env)
    with open(f"{folder}/text", "rb") as file:
        text = b"".join(b"%d %s\n" % pair for pair in enumerate(file.read().split(b"\n")))
    brokers = BrokerFaults(options.brokers, generator, cluster, {"group": ["readers"]})
    feeder = Feeder(["kcat-out", "-t", "lines", "--eof"], text, seconds, log, env)
    readers = []
    for number in (1, 2):
        with open(f"{folder}/out-{number}", "wb") as output:
            command = [*TOGETHER, "kcat-in", "-t", "lines", "-g", "readers", "--until-eof", *GROUP]
            readers.append(subprocess.Popen(command, stdout=output, stderr=log, env=env))
    feeder.start()
    brokers.start()
    # One that has ended before its time ends the run.
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and all(process.poll() is None for process in [*readers, feeder.process]):
        time.sleep(0.5)
    brokers.finish()
    statuses = {f"kcat-in {number}": process.poll() for number, process in enumerate(readers, 1)}
    statuses["kcat-out"] = feeder.process.poll()
    early = [f"{name} ended with {status}" for name, status in statuses.items() if status is not None]
    if not early:
        feeder.finish()
    for number, process in enumerate(readers, 1):
        try:
            status = process.wait(timeout=0.1 if early else PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = "hangs"
        if status != 0 and not early:
            early.append(f"kcat-in {number}: {status}")
    for what, count in sorted(brokers.counts.items()):
        print(f"{count:5} x {what}")
    if early:
        raise SystemExit(f"bin/chaos: {'; '.join(early)}: see {folder}/log")
    found = collections.Counter()
    for number in (1, 2):
        with open(f"{folder}/out-{number}", "rb") as output:
            found += collections.Counter(output.read().splitlines())
    lost, doubled = lost_and_doubled(collections.Counter(text.splitlines()), found)
    print(f"kcat-out, two kcat-in -g: of {len(text.splitlines())} lines {lost} lost, {doubled} doubled")
    if lost:
        raise SystemExit(f"bin/chaos: LINES WERE LOST: see {folder}/log")
