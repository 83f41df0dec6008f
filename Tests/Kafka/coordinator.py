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


def coordinator(kind, name, brokers):
    """None while there is no leader, or nothing was coordinated yet."""
    command = ["kcat", "-b", brokers, "-L", "-J", "-m", "3", "-t", LOGS[kind]]
    found = subprocess.run(command, capture_output=True, check=False)
    if found.returncode != 0:
        return None
    partitions = {part["partition"]: part["leader"] for part in json.loads(found.stdout)["topics"][0]["partitions"]}
    if not partitions:
        return None
    leader = partitions[java_hash(name) % len(partitions)]
    return leader if leader > 0 else None


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in LOGS:
        raise SystemExit(__doc__)
    number = coordinator(*sys.argv[1:], os.environ["KAFKA_BROKERS"])
    if number is None:
        raise SystemExit("coordinator: there is none at the moment")
    print(number)
