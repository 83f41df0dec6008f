"""The rows of es-load: against a plain poster of the same bodies over as many connections, at a server that stores nothing;
and at a real one where OPENSEARCH names the folder of its `server` script."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from measure import CommandFailed, in_turn, printed, run
from rows import Row

HERE = os.path.dirname(os.path.abspath(__file__))
BODIES = "es-bulk --index words --id token < docs.json > bodies.txt"
COUNT_STORED = "curl -qsSf -X POST $ELASTICSEARCH_URL/words/_refresh > /dev/null && curl -qsSf $ELASTICSEARCH_URL/words/_count"


@contextmanager
def sink():
    process = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "search_sink.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        os.environ["ELASTICSEARCH_URL"] = "http://127.0.0.1:" + process.stdout.readline().strip()
        yield
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def real():
    script = os.path.join(os.environ["OPENSEARCH"], "server")
    try:
        os.environ["ELASTICSEARCH_URL"] = subprocess.run(
            [script, "start"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        yield
    finally:
        subprocess.run([script, "stop"], check=False)


@dataclass(frozen=True, kw_only=True)
class SearchRow(Row):
    server: object  # a context in which it runs
    count: str  # prints how many documents the server has got

    def measure(self, seconds):
        with self.server():
            run(BODIES)
            found = []
            for work in (self.run, self.rival):
                run(self.timed(work))
                found.append(printed(self.count))
            if found[0] != found[1]:
                raise CommandFailed("the server has got different numbers of documents")
            with open(self.input, "rb") as file:
                lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
            return lines, in_turn(*(partial(run, self.timed(work)) for work in (self.run, self.rival)), seconds)


def row(name, ours, target, server, count, connections):
    return SearchRow(
        name, ours, f"prepared bodies, {connections} connections", target, "docs.json", "M lines",
        f"es-load --in-flight {connections} < bodies.txt",
        f"python3 {HERE}/search_poster.py {connections} < bodies.txt",
        "how many documents the server has got", server=server, count=count)


ROWS = [row("es-load", "es-load, to a server that stores nothing", None, sink, "curl -qsSf $ELASTICSEARCH_URL", 4)]
if os.environ.get("OPENSEARCH"):
    ROWS.append(row("es-load-real", "es-load, to OpenSearch", 0.9, real, COUNT_STORED, 4))
