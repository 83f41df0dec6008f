"""In front of librdkafka's mock cluster: lets the members of a group commit before it deals the partitions anew.

    rebalancing.py BROKER

When a member joins, Apache Kafka tells the others by their heartbeats, takes their commits, and begins when all have
joined anew. The mock cluster begins at once, and refuses what the others want to commit. So this holds a request to
join back until all members have sent theirs, and tells them meanwhile. There is one group.

It prints its port and serves until it is killed.
"""

import socket
import struct
import sys
import threading

from frames import frame, put, readable, serve, with_address

JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, REBALANCE_IN_PROGRESS = 11, 12, 13, 27

lock = threading.Lock()
members = set()  # connections of those who have joined
held = {}        # by the connection: the broker's connection and the request to join


def join(client, broker, request):
    with lock:
        held[client] = broker, request
        go_on()


def leave(client):
    with lock:
        members.discard(client)
        held.pop(client, None)
        go_on()


def go_on():
    """Lets the requests to join pass when those of all members are there."""
    if held and members <= set(held):
        members.update(held)
        for broker, request in held.values():
            put(broker, request)
        held.clear()


def pass_on(client, address, own_port):
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as broker:
        try:
            while True:
                ready = readable(client, broker)
                if broker in ready:
                    put(client, with_address(frame(broker), address, own_port))
                if client not in ready:
                    continue
                request = frame(client)
                key, version, correlation = struct.unpack(">hhi", request[:8])
                if key == JOIN_GROUP:
                    join(client, broker, request)
                elif key == HEARTBEAT and held and client in members:
                    waited = b"" if version == 0 else struct.pack(">i", 0)
                    put(client, struct.pack(">i", correlation) + waited + struct.pack(">h", REBALANCE_IN_PROGRESS))
                else:
                    if key == LEAVE_GROUP:
                        leave(client)
                    put(broker, request)
        finally:
            leave(client)


serve(lambda client, own_port: pass_on(client, sys.argv[1], own_port))
