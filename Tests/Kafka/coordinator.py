#!/usr/bin/env python3
"""Prints which broker leads for a group or a transactional id, as its number; the cluster's addresses are in KAFKA_BROKERS.

    coordinator.py group NAME
    coordinator.py transaction ID
"""

import json
import os
import subprocess
import sys

LOGS = {"group": "__consumer_offsets", "transaction": "__transaction_state"}


def java_hash(text):
    """String.hashCode, and what Kafka makes of it: its absolute value."""
    value = 0
    for unit in text:
        value = (31 * value + ord(unit)) & 0xFFFFFFFF
    return abs(value - (1 << 32) if value >> 31 else value)


def leaders(brokers, topic=None):
    """Of each partition of a topic, or of all topics: its leader, -1 where there is none. None if no broker says."""
    command = ["kcat", "-b", brokers, "-L", "-J", "-m", "3", *(["-t", topic] if topic else [])]
    found = subprocess.run(command, capture_output=True, check=False)
    if found.returncode != 0:
        return None
    partitions = [part for topic in json.loads(found.stdout)["topics"] for part in topic["partitions"]]
    return [part["leader"] for part in sorted(partitions, key=lambda part: part["partition"])]


def coordinator(kind, name, brokers):
    """None while there is no leader, or nothing was coordinated yet."""
    found = leaders(brokers, LOGS[kind])
    if not found:
        return None
    leader = found[java_hash(name) % len(found)]
    return leader if leader > 0 else None


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in LOGS:
        raise SystemExit(__doc__)
    number = coordinator(*sys.argv[1:], os.environ["KAFKA_BROKERS"])
    if number is None:
        raise SystemExit("coordinator: there is none at the moment")
    print(number)
