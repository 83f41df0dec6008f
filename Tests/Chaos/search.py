#!/usr/bin/env python3
"""Totals from a topic into a real OpenSearch, exactly once up to the acknowledgement, while everything is killed:

    bin/broker run python3 Tests/Chaos/search.py FOLDER [--kills N] [--seed N]

FOLDER has the script `server` of a real OpenSearch (`start`, `up SETTING=VALUE…`, `kill`, `stop`). Running totals go into a topic, and from
there by `kcat-in --ack | to-json | es-bulk | es-load` into the index. Until N kills are done, kcat-in, es-bulk and es-load are killed by
SIGKILL, stopped for a while, the server is killed and started again, half the time with a queue for one request and others that fill it.
Some documents are refused by the mapping. At the end the index must hold each key's last total, and the reject file exactly
the documents that do not fit.
"""
import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--kills", type=int, default=200)
parser.add_argument("--seed", type=int, default=1)
given = parser.parse_args()
chance = random.Random(given.seed)
scratch = tempfile.mkdtemp()
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["PATH"] = f"{ROOT}/.build/release:" + os.environ["PATH"]

KEYS = 3000
PIPELINE = f"""set -o pipefail
kcat-in -t totals -g index --until-eof --epoch 300ms --ack {scratch}/acks -X session.timeout.ms=6000 -X group.instance.id=index |
    to-json token count:int note | es-bulk --index totals --id token --version-field count --max-docs 200 --max-wait 200ms |
    es-load --ack {scratch}/acks --reject {scratch}/refused --timeout 20s"""


def server(*words):
    return subprocess.run([f"{given.folder}/server", *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def ask(method, path, body=None):
    connection = http.client.HTTPConnection(os.environ["ELASTICSEARCH_URL"].removeprefix("http://"), timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, (method, path, answer.status, text)
    return json.loads(text)


class Totals(threading.Thread):
    """Writes running totals into the topic until it is told to stop, then the end of the stream."""

    def __init__(self):
        super().__init__()
        self.last, self.bad, self.stopping, self.lines = {}, set(), False, 0
        self.process = subprocess.Popen(["kcat-out", "-t", "totals", "-k", "1", "--eof"], stdin=subprocess.PIPE, text=True)

    def run(self):
        draw = random.Random(given.seed + 1)
        while not self.stopping:
            for _ in range(100):
                self.lines += 1
                if draw.random() < 0.002:
                    self.bad.add(f"bad{self.lines}")
                    self.process.stdin.write(f"bad{self.lines}\t1\tx\n")
                    continue
                key = f"k{int(KEYS * draw.random() ** 2)}"
                self.last[key] = self.last.get(key, 0) + 1
                self.process.stdin.write(f"{key}\t{self.last[key]}\t7\n")
            self.process.stdin.flush()
            time.sleep(0.05)
        self.process.stdin.close()
        assert self.process.wait() == 0


class Stage(threading.Thread):
    """The pipeline, started again until it ends well: 65 says that documents were put aside, and all else is done."""

    def __init__(self):
        super().__init__()
        self.process, self.starts, self.ended = None, 0, False

    def run(self):
        while True:
            self.starts += 1
            self.process = subprocess.Popen(["bash", "-c", PIPELINE], start_new_session=True)
            if self.process.wait() in (0, 65):
                # With pipefail 65 may also be another's; then what is missing shows in the end.
                self.ended = True
                return
            time.sleep(0.2)

    def find(self, name):
        """The process of this name in the pipeline."""
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    pid, rest = file.read().split(" (", 1)
                command, rest = rest.rsplit(") ", 1)
                if command == name and self.process and int(rest.split()[2]) == self.process.pid:
                    return int(pid)
            except (OSError, ValueError):
                continue
        return None


class Crowd(threading.Thread):
    """Others that post to the same server, so that its queue is full."""

    def __init__(self):
        super().__init__(daemon=True)
        self.stopping = False

    def run(self):
        body = "".join(f'{{"index":{{"_index":"others","_id":"{n}"}}}}\n{{"n":{n}}}\n' for n in range(300))
        address = os.environ["ELASTICSEARCH_URL"].removeprefix("http://")
        while not self.stopping:
            try:
                connection = http.client.HTTPConnection(address, timeout=10)
                connection.request("POST", "/_bulk", body, {"Content-Type": "application/x-ndjson"})
                connection.getresponse().read()
            except OSError:
                time.sleep(0.2)


os.environ["ELASTICSEARCH_URL"] = server("start")
stage = None
try:
    ask("PUT", "/totals", {"mappings": {"properties": {"note": {"type": "integer"}}},
                           "settings": {"number_of_shards": 2, "number_of_replicas": 0}})
    subprocess.run(["kcat-out", "-t", "totals", "--create", "4"], stdin=subprocess.DEVNULL, check=True)
    totals, stage = Totals(), Stage()
    totals.start()
    stage.start()
    kills, done, begun = {}, 0, time.time()
    crowd = []
    while done < given.kills:
        time.sleep(chance.uniform(0.3, 2))
        draw = chance.random()
        if draw < 0.04:
            what = "server"
            server("kill")
            for one in crowd:
                one.stopping = True
            crowd = []
            if chance.random() < 0.5:
                server("up", "thread_pool.write.queue_size=1", "thread_pool.write.size=1")
                crowd = [Crowd() for _ in range(4)]
                for one in crowd:
                    one.start()
            else:
                server("up")
        else:
            what = chance.choice(["kcat-in", "es-bulk", "es-load", "es-load"])
            pid = stage.find(what)
            if pid is None:
                continue
            try:
                if draw < 0.15:
                    os.kill(pid, signal.SIGSTOP)
                    time.sleep(chance.uniform(0.5, 8))
                    os.kill(pid, signal.SIGCONT)
                    what = "stop " + what
                else:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        kills[what] = kills.get(what, 0) + 1
        done += not what.startswith("stop")
    for one in crowd:
        one.stopping = True
    totals.stopping = True
    totals.join()
    stage.join(600)
    assert stage.ended, "the pipeline does not come to its end"
    ask("POST", "/totals/_refresh")
    found, after = {}, None
    while True:
        query = {"size": 5000, "sort": [{"token.keyword": "asc"}]} | ({"search_after": after} if after else {})
        hits = ask("POST", "/totals/_search", query)["hits"]["hits"]
        if not hits:
            break
        found |= {hit["_id"]: hit["_source"]["count"] for hit in hits}
        after = hits[-1]["sort"]
    with open(f"{scratch}/refused") as file:
        refused = {json.loads(line.rstrip("\n").split("\t", 1)[1])["token"] for line in file}
    wrong = {key for key in totals.last.keys() | found.keys() if totals.last.get(key) != found.get(key)}
    print(f"{totals.lines} totals of {len(totals.last)} keys, {stage.starts} starts, {time.time() - begun:.0f} s; kills: {kills}")
    print(f"index: {len(found)} documents, {len(wrong)} wrong; refused: {len(refused)} of {len(totals.bad)}, "
          f"{len(refused ^ totals.bad)} wrong")
    sys.exit(1 if wrong or refused != totals.bad else 0)
finally:
    if stage and not stage.ended and stage.process:
        os.killpg(stage.process.pid, signal.SIGKILL)
    server("stop")
    # Threads of a run that has failed have no end.
    sys.stdout.flush()
    if stage and not stage.ended:
        os._exit(1)
