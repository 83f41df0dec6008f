"""Runs the stages of an example as they are written, each under a loop that starts it again, and looks at the answer."""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import deployment

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXT = os.path.join(ROOT, "examples/word-count/input")
SECONDS = 120
TOOLS = {**os.environ, "PATH": f"{ROOT}/.build/release:{os.environ['PATH']}:{ROOT}/bin", "LC_ALL": "C"}


def output(*words, source=os.devnull):
    with open(source) as reading:
        return subprocess.run(words, stdin=reading, capture_output=True, text=True, env=TOOLS, check=True).stdout


class Replica:
    """One container: its pipeline, started again whenever it ends, as a restart policy does."""

    def __init__(self, name, number, pipeline, folder):
        self.environment = {**TOOLS, "HOSTNAME": f"{name}-{number}"}
        if "kafka.properties" in pipeline:
            # The brokers are in that file, too.
            del self.environment["KAFKA_BROKERS"]
        home = tempfile.mkdtemp(prefix=f"{name}-{number}-", dir=folder)
        places = {"/tmp/": home + "/", "/run/secrets/": folder + "/", "/secrets/": folder + "/",
                  "http://elasticsearch:9200": os.environ["ELASTICSEARCH_URL"]}
        self.pipeline = re.sub("|".join(places), lambda match: places[match[0]], pipeline)
        self.process, self.ended = None, threading.Event()
        self.complaints = []
        self.loop = threading.Thread(target=self.supervise)
        self.loop.start()

    def supervise(self):
        while not self.ended.is_set():
            self.process = subprocess.Popen(
                ["bash", "-o", "pipefail", "-c", self.pipeline], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
            errors = self.process.communicate()[1]
            self.complaints.append((self.process.returncode, errors))
            self.ended.wait(0.5)

    def stop(self, hard):
        """Stops what runs now, as the example does it: its kcat-in is told to, or all is killed. How it ended."""
        before = len(self.complaints)
        readers = until(lambda: self.readers(), "a kcat-in to stop")
        if hard:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            for reader in readers:
                os.kill(reader, signal.SIGTERM)
        until(lambda: len(self.complaints) > before, f"the end of {self.pipeline}")
        return self.complaints[before][0]

    def readers(self):
        if not self.process:
            return []
        found = subprocess.run(["pgrep", "--pgroup", str(self.process.pid), "--exact", "kcat-in"], capture_output=True)
        return [int(word) for word in found.stdout.split()]

    def end(self):
        self.ended.set()
        while self.loop.is_alive():
            if self.process and self.process.returncode is None:
                try:
                    os.killpg(self.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.loop.join(0.1)


def until(condition, what):
    """Waits for something to come true."""
    end = time.monotonic() + SECONDS
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{SECONDS} s waited for {what}")
        time.sleep(0.1)
    return result


def topics(path):
    """Those that the example makes, with their partitions: kafka-topics.sh is not here to be run."""
    files = [path] if os.path.isfile(path) else [os.path.join(path, name) for name in os.listdir(path)]
    if "/swarm/" in path:
        files.append(os.path.join(os.path.dirname(path), "README.md"))
    text = "".join(open(file).read() for file in files if os.path.isfile(file))
    return {name: int(count) for name, count in re.findall(r"create --topic (\S+) --partitions (\d+)", text)}


def totals():
    """The last total of each window and word."""
    lines = [line.split("\t") for line in output("kcat-in", "-t", "totals", "--until-end").splitlines()]
    return {(window, word): int(count) for window, word, count in lines}


def by_word(counts):
    words = collections.Counter()
    for (_, word), count in counts.items():
        words[word] += count
    return words


def documents():
    """The same, as the index has it."""
    url = os.environ["ELASTICSEARCH_URL"]
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/words/_refresh", method="POST")):
            pass
        with urllib.request.urlopen(f"{url}/words/_search?size=10000") as answer:
            hits = [hit["_source"] for hit in json.load(answer)["hits"]["hits"]]
    except urllib.error.HTTPError:
        return {}
    return {(hit["window"], hit["token"]): hit["count"] for hit in hits}


def run(path):
    once = collections.Counter(output("tokenize", "-w", "-l", source=TEXT).splitlines())
    stages = {name: (replicas, pipeline) for name, replicas, pipeline in deployment.stages(path)}
    made, named = topics(path), set()
    for _, pipeline in stages.values():
        named.update(re.findall(r"(?:-t|--restore) (\S+)", pipeline))
    assert named == set(made), f"topics that are made: {sorted(made)}, used: {sorted(named)}"
    assert made["partials"] == made["totals"], "a total is restored from the partition of the same number"

    with tempfile.TemporaryDirectory() as folder:
        brokers = f"bootstrap.servers={os.environ['KAFKA_BROKERS']}\n"
        for name, text in [("kafka.properties", brokers), ("elastic.curl", "")]:
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        for name, count in made.items():
            output("kcat-out", "-t", name, "--create", str(count))
        feeder = stages.pop("feeder", (1, "kcat-out -t lines < /text"))[1]
        replicas = []
        try:
            for name, (count, pipeline) in stages.items():
                replicas += [Replica(name, number, pipeline, folder) for number in range(min(count, 2))]
            feeding = ["bash", "-o", "pipefail", "-c", feeder.replace("/text", TEXT)]
            output(*feeding)
            until(lambda: by_word(totals()) == once, "the totals")
            # A rolling upgrade while more goes through: each replica ends and is followed by another.
            output(*feeding)
            hard = "/swarm/" in path
            ends = collections.Counter(replica.stop(hard) for replica in replicas)
            assert hard or set(ends) <= {0, 75}, f"stopped pipelines ended in {ends}"
            words = collections.Counter({word: 2 * count for word, count in once.items()})
            until(lambda: by_word(totals()) == words and documents() == totals(), "the totals and documents")
        except BaseException:
            print(f"{by_word(totals()).total()} words, {len(documents())} documents", file=sys.stderr)
            for replica in replicas:
                print(replica.pipeline, *replica.complaints[-2:], sep="\n  ", file=sys.stderr)
            raise
        finally:
            for replica in replicas:
                replica.ended.set()
            for replica in replicas:
                replica.end()
    print(f"{words.total()} words, ends of the replicas that were stopped: {dict(ends)}")
