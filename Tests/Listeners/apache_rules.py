"""In front of the test broker: makes it keep Apache Kafka's rules where it has others.

    apache_rules.py PORT BROKER_PORT [HOST]

It listens on HOST, which is 127.0.0.1 or of nine characters too, for it is put in the place of that.

What noida-db 0.2.3 does, and what is done about it:

- It names every transaction that was ever aborted with what it sends, so that clients drop what the same producer has
  written since. Here only those are named that end behind the beginning of what is sent.
- It never notices that a member of a group is dead. Here a member that was not heard from within its session's time leaves.
- It takes no commits as soon as a member joins or leaves. Here joins and leaves are held back until all members have sent
  theirs, as they are told to by their heartbeats, or the time for that is over.
- It takes the offsets of a transaction from anybody. Here their generation and member must be the group's.
- It tells a group's offsets while a transaction holds newer ones. Here they are unstable until it has ended.
- Its Fetch by topic id finds nothing. Here it offers none.

On SIGUSR1 it breaks all connections and takes no new ones for a second, as a broker that cannot be reached.

Requests are taken apart as librdkafka 2.0 writes them; what is of another version passes as it is.
"""

import asyncio
import contextlib
import math
import signal
import struct
import sys
import time

from wire import (
    Fields,
    abort_of,
    answer_of,
    counted,
    fetch,
    fetched,
    frame_of,
    patched_fetch,
    patched_offsets,
    patched_versions,
    put,
)

FETCH, METADATA, OFFSET_FETCH, FIND_COORDINATOR, JOIN, HEARTBEAT, LEAVE = 1, 3, 9, 10, 11, 12, 13
API_VERSIONS, INIT_PRODUCER, END_TRANSACTION, TXN_OFFSET_COMMIT = 18, 22, 26, 28
ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCE_IN_PROGRESS = 22, 25, 27
# How long offsets of a transaction that nobody ends are awaited.
TRANSACTION_SECONDS = 20


class Member:
    def __init__(self, instance, session, rebalance):
        self.instance = instance
        self.session = session
        self.rebalance = rebalance
        # None while the partitions are dealt.
        self.generation = None
        self.heard = time.monotonic()


class Group:
    """Who is in it, who waits to join, and who has left since the partitions were dealt."""

    def __init__(self, name, broker_port):
        self.name = name
        self.broker_port = broker_port
        self.members = {}
        self.joins = {}
        self.leaves = []
        self.since = None
        self.lock = asyncio.Lock()

    def change(self):
        self.since = self.since or time.monotonic()

    async def settle(self):
        """Lets the joins and leaves pass when those of all members are there."""
        async with self.lock:
            # A join that the broker has not answered yet may wait there for those of the others.
            awaited = (name for name, member in self.members.items() if member.generation is not None)
            if self.since is None or not set(awaited) <= set(self.joins):
                return
            for member in self.leaves:
                await self.leave(member)
            joins, self.joins, self.leaves, self.since = self.joins, {}, [], None
            for member, (joining, send) in joins.items():
                # It has waited for the others, without heartbeats.
                joining.heard = time.monotonic()
                self.members[member] = joining
                send()

    async def leave(self, member):
        with contextlib.suppress(OSError, EOFError):
            request = struct.pack(">hhi", LEAVE, 1, 0) + counted(b"rule") + counted(self.name) + counted(member)
            await answer_of(self.broker_port, request)

    async def expire(self):
        """Those who are late, or dead, have left."""
        now = time.monotonic()
        for name, member in list(self.members.items()):
            if name in self.joins:
                continue
            is_late = self.since is not None and now - self.since > member.rebalance
            if is_late or now - member.heard > member.session:
                print(f"put out of the group {self.name.decode()}: a member that is late", file=sys.stderr, flush=True)
                self.remove(name)
        await self.settle()

    def remove(self, name):
        if self.members.pop(name, None):
            self.joins.pop(name, None)
            self.leaves.append(name)
            self.change()


class Rules:
    def __init__(self, port, broker_port, host):
        # Where the broker says that it is, and where its clients are to go instead.
        self.inner = b"127.0.0.1" + struct.pack(">i", broker_port)
        self.own = host.encode() + struct.pack(">i", port)
        self.broker_port = broker_port
        self.groups = {}
        self.connections = set()
        self.deaf_until = 0.0
        # By transactional id: the groups whose offsets it holds, and since when.
        self.held = {}
        # The offsets of abort markers, by topic, partition, producer and where its transaction begins.
        self.ends = {}

    def group(self, name):
        return self.groups.setdefault(name, Group(name, self.broker_port))

    def is_unstable(self, group):
        now = time.monotonic()
        return any(group in groups and now - groups[group] < TRANSACTION_SECONDS for groups in self.held.values())

    async def end_of(self, topic, partition, producer, first):
        """Where the abort marker is of a transaction that begins at `first`."""
        transaction = topic, partition, producer, first
        if self.ends.get(transaction, math.inf) == math.inf:
            answer = await answer_of(self.broker_port, fetch(topic, partition, first))
            self.ends[transaction] = abort_of(producer, next(fetched(answer))[-1])
        return self.ends[transaction]

    async def watch(self):
        while True:
            await asyncio.sleep(0.1)
            for group in list(self.groups.values()):
                await group.expire()

    def cut(self):
        self.deaf_until = time.monotonic() + 1
        for writer in self.connections:
            writer.transport.abort()

    async def serve(self, reader, writer):
        if time.monotonic() < self.deaf_until:
            return writer.transport.abort()
        self.connections.add(writer)
        with contextlib.suppress(OSError, EOFError):
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self.broker_port, limit=1 << 20)
            asked = {}

            async def up():
                with contextlib.suppress(OSError, EOFError):
                    while True:
                        await self.take(await frame_of(reader), asked, writer, broker_writer)
                        await broker_writer.drain()
                broker_writer.close()

            async def down():
                with contextlib.suppress(OSError, EOFError):
                    while True:
                        put(writer, await self.mend(await frame_of(broker_reader), asked))
                        await writer.drain()
                writer.close()

            await asyncio.gather(up(), down())
        self.connections.discard(writer)
        writer.close()

    async def take(self, request, asked, client, broker):
        key, version, correlation = struct.unpack_from(">hhi", request)
        fields = Fields(request, key, version)
        if key == JOIN and version == 5:
            name, session, rebalance, member, instance = fields.join()
            group = self.group(name)
            known = [other for other, it in group.members.items() if instance and it.instance == instance]
            joining = Member(instance, session / 1000, rebalance / 1000)
            if known and not member:
                # A static member that is started again takes its own place: nothing is dealt.
                del group.members[known[0]]
                group.joins.pop(known[0], None)
                asked[correlation] = key, (group, joining)
            elif member:
                asked[correlation] = key, (group, joining)
                group.joins[member] = joining, lambda: put(broker, request)
                group.change()
                return await group.settle()
            elif instance:
                # Its id is known only when the broker has told it: until then it goes by its name.
                asked[correlation] = key, (group, joining)
                group.joins[b"?" + instance] = joining, lambda: put(broker, request)
                group.change()
                return await group.settle()
        elif key == HEARTBEAT and version <= 3:
            name, member = fields.heartbeat()
            group = self.group(name)
            if member in group.members:
                group.members[member].heard = time.monotonic()
                if group.since is not None:
                    waited = b"" if version == 0 else bytes(4)
                    return put(client, struct.pack(">i", correlation) + waited + struct.pack(">h", REBALANCE_IN_PROGRESS))
        elif key == LEAVE and version == 1:
            name, member = fields.leave()
            group = self.group(name)
            if member in group.members:
                group.remove(member)
                put(client, struct.pack(">iih", correlation, 0, 0))
                return await group.settle()
        elif key == TXN_OFFSET_COMMIT and version == 3:
            transaction, name, generation, member = fields.offsets()
            members = self.group(name).members
            if member or generation >= 0:  # else the rule is not asked for, which Apache Kafka allows
                if member not in members:
                    return put(client, fields.refused_offsets(UNKNOWN_MEMBER))
                if members[member].generation != generation:
                    return put(client, fields.refused_offsets(ILLEGAL_GENERATION))
            self.held.setdefault(transaction, {}).setdefault(name, time.monotonic())
        elif key == END_TRANSACTION and version <= 2:
            asked[correlation] = key, fields.text()
        elif key == INIT_PRODUCER and version >= 2:
            asked[correlation] = key, fields.compact()
        elif key == OFFSET_FETCH and version == 7 and request[-2]:  # stable offsets are asked for
            asked[correlation] = key, fields.compact()
        elif key in (FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS):
            asked[correlation] = key, version
        put(broker, request)

    async def mend(self, response, asked):
        key, detail = asked.pop(struct.unpack_from(">i", response)[0], (None, None))
        if key == FETCH:
            return await patched_fetch(response, self.end_of)
        if key == API_VERSIONS:
            return patched_versions(response)
        if key in (METADATA, FIND_COORDINATOR):
            return response.replace(self.inner, self.own)
        if key in (END_TRANSACTION, INIT_PRODUCER):
            self.held.pop(detail, None)
        if key == OFFSET_FETCH and self.is_unstable(detail):
            return patched_offsets(response)
        if key == JOIN and detail:
            group, joining = detail
            if joining.instance:
                group.members.pop(b"?" + joining.instance, None)
            joined = Fields.joined(response)
            if joined:
                joining.generation, member = joined
                joining.heard = time.monotonic()
                group.members[member] = joining
        return response


async def main():
    port, broker_port = int(sys.argv[1]), int(sys.argv[2])
    host = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
    rules = Rules(port, broker_port, host)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, rules.cut)
    server = await asyncio.start_server(rules.serve, host, port, limit=1 << 20, backlog=200)
    async with server:
        await asyncio.gather(server.serve_forever(), rules.watch())


asyncio.run(main())
