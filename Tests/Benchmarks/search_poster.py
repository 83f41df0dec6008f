#!/usr/bin/env python3
"""Posts prepared bulk bodies, and looks at nothing: search_poster.py CONNECTIONS < BODIES, to ELASTICSEARCH_URL.

What es-load is held against: the same bodies, as many requests at a time, each connection kept alive. It asks for no more of
a reply than whether there was an error, and ends with 1 if there was one."""
import http.client
import os
import queue
import sys
import threading

address = os.environ["ELASTICSEARCH_URL"].removeprefix("http://")
bodies = queue.Queue(64)
failed = []


def post():
    connection = http.client.HTTPConnection(address)
    while (body := bodies.get()) is not None:
        connection.request("POST", "/_bulk?filter_path=errors", body, {"Content-Type": "application/x-ndjson"})
        reply = connection.getresponse()
        if reply.status != 200 or b'"errors":true' in reply.read():
            failed.append(reply.status)


threads = [threading.Thread(target=post) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
body = bytearray()
for line in sys.stdin.buffer:
    if line == b"\n":
        bodies.put(bytes(body))
        body.clear()
    else:
        body += line
if body:
    bodies.put(bytes(body))
for _ in threads:
    bodies.put(None)
for thread in threads:
    thread.join()
sys.exit(1 if failed else 0)
