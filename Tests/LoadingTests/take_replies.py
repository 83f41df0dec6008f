#!/usr/bin/env python3
"""Takes replies of a real OpenSearch for the tests: take_replies.py FOLDER

FOLDER holds a script `server` with `start`, `up SETTING=VALUE…`, `kill` and `stop`, as Tests/LoaderTests/with_opensearch
makes it. Each file in Replies/ becomes: the status, LF, the batch that was posted, an empty line, and the reply as it came.
"""
import http.client
import json
import os
import subprocess
import sys
import threading

folder = sys.argv[1]
replies = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Replies")


def server(*words):
    return subprocess.run([f"{folder}/server", *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def ask(method, path, body=None, kind="application/json"):
    """The status and the reply, bytes."""
    connection = http.client.HTTPConnection(address, timeout=120)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": kind} if data is not None else {})
    try:
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def must(method, path, body=None):
    status, reply = ask(method, path, body)
    assert status < 300, (method, path, status, reply)


def bulk(*items):
    """A batch: each item is an action and, unless it is a delete, a document."""
    lines = [line for item in items for line in item]
    return b"".join((line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode()) + b"\n"
                    for line in lines)


def index(document, action="index", **about):
    return ({action: about}, document)


def keep(name, body, status, reply):
    with open(os.path.join(replies, name), "wb") as file:
        file.write(b"%d\n%s\n%s" % (status, body, reply))
    print(f"{name}: {status} {reply[:150].decode(errors='replace')}", flush=True)


def take(name, *items, query=""):
    body = bulk(*items)
    keep(name, body, *ask("POST", f"/_bulk{query}", body, "application/x-ndjson"))


def good(name, _index="words"):
    return index({"n": 1}, _index=_index, _id=name)


address = server("start").removeprefix("http://")
must("PUT", "/words", {"mappings": {"properties": {"n": {"type": "integer"}}},
                       "settings": {"number_of_replicas": 0, "mapping.total_fields.limit": 5}})
take("done", good("a"), good("b"), index({"n": 2}, "create", _index="words", _id="c"))
take("mapping", good("a"), index({"n": "two"}, _index="words", _id="b"), good("c"))
take("lone-surrogate", good("a"), index(b'{"n":"x\\ud800y"}', _index="words", _id="b"), good("c"))
take("depth", good("a"), index(b'{"o":' * 25 + b"1" + b"}" * 25, _index="words", _id="b"))
take("field-limit", good("a"), index({f"f{n}": n for n in range(9)}, _index="words", _id="b"))
must("PUT", "/strict", {"mappings": {"dynamic": "strict"}})
take("strict-mapping", index({"n": 1}, _index="strict", _id="a"))
take("not-json", good("a"), index(b'{"n":', _index="words", _id="b"))
take("created-twice", index({"n": 2}, "create", _index="words", _id="c"), good("d"))
take("deleted-twice", ({"delete": {"_index": "words", "_id": "never"}},))
take("update-of-nothing", ({"update": {"_index": "words", "_id": "never"}}, {"doc": {"n": 1}}))
old = {"version": 5, "version_type": "external_gte", "_index": "words", "_id": "v"}
take("version-once", ({"index": old}, {"n": 5}))
take("version-again-and-older", ({"index": old}, {"n": 5}), ({"index": old | {"version": 4}}, {"n": 4}))
must("PUT", "/shut")
must("POST", "/shut/_close")
take("closed", good("a", "shut"), good("b"))
must("PUT", "/frozen")
must("PUT", "/frozen/_settings", {"index.blocks.read_only": True})
take("read-only", good("a", "frozen"))
must("PUT", "/full")
must("PUT", "/full/_settings", {"index.blocks.read_only_allow_delete": True})
take("flood-stage", good("a", "full"))
must("PUT", "/_cluster/settings", {"transient": {"cluster.blocks.read_only": True}})
take("cluster-read-only", good("a"))
must("PUT", "/_cluster/settings", {"transient": {"cluster.blocks.read_only": None}})
must("PUT", "/_cluster/settings", {"transient": {"action.auto_create_index": "false"}})
take("missing", good("a", "nowhere"))
take("missing-delete", ({"delete": {"_index": "nowhere", "_id": "a"}},))
must("PUT", "/_cluster/settings", {"transient": {"action.auto_create_index": None}})
must("PUT", "/one")
must("PUT", "/two")
must("POST", "/_aliases", {"actions": [{"add": {"index": name, "alias": "both"}} for name in ("one", "two")]})
take("alias-without-write-index", good("a", "both"))
must("PUT", "/_index_template/stream", {"index_patterns": ["stream*"], "data_stream": {}})
take("data-stream", index({"@timestamp": "2026-11-22T10:00:00Z"}, _index="stream", _id="a"))
take("invalid-index-name", good("a", "Upper"), good("b"))
take("missing-pipeline", good("a"), query="?pipeline=missing")
must("PUT", "/_cluster/settings", {"transient": {"cluster.max_shards_per_node": 1}})
take("shard-limit", good("a", "onemore"))
must("PUT", "/_cluster/settings", {"transient": {"cluster.max_shards_per_node": None}})
take("unknown-parameter", good("a"), good("b"), query="?unknown=1")
take("id-too-long", good("x" * 513), good("b"))
take("version-too-large", ({"index": old | {"version": 2 ** 63}}, {"n": 1}), good("b"))
keep("wrong-type", bulk(good("a")), *ask("POST", "/_bulk", bulk(good("a")), "text/html"))

server("kill")
address = server("up", "http.max_content_length=1mb").removeprefix("http://")
large = index({"text": "x" * 1_200_000}, _index="words", _id="large")
body = bulk(large)
status, reply = ask("POST", "/_bulk", body, "application/x-ndjson")
keep("413", bulk(good("a"), good("b")), status, reply)  # the batch stands for the one that was posted, which is large

server("kill")
address = server("up", "indexing_pressure.memory.limit=100kb").removeprefix("http://")
large = index({"text": "x" * 200_000}, _index="words", _id="large")
status, reply = ask("POST", "/_bulk", bulk(large), "application/x-ndjson")
keep("429-never-fits", bulk(good("a"), good("b")), status, reply)

server("kill")
address = server("up", "thread_pool.write.queue_size=1", "thread_pool.write.size=1").removeprefix("http://")
ask("PUT", "/four", {"settings": {"number_of_shards": 4, "number_of_replicas": 0}})
found = {}


def storm(number):
    for round in range(200):
        body = bulk(*(index({"n": n}, _index="four", _id=f"{number}-{n}") for n in range(8)))
        status, reply = ask("POST", "/_bulk", body, "application/x-ndjson")
        if status == 429:
            found.setdefault("429-whole", (body, status, reply))
        elif b'"status":429' in reply:
            kind = "429-items" if b'"status":201' in reply or b'"status":200' in reply else "429-all-items"
            found.setdefault(kind, (body, status, reply))


threads = [threading.Thread(target=storm, args=(number,)) for number in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for name, (body, status, reply) in found.items():
    keep(name, body, status, reply)

# What comes from what stands between: a reply that is cut, and a proxy's page.
with open(os.path.join(replies, "mapping"), "rb") as file:
    status, rest = file.read().split(b"\n", 1)
body, reply = rest.split(b"\n\n", 1)
keep("cut", body + b"\n", int(status), reply[:len(reply) * 2 // 3])
server("stop")
