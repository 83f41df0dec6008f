"""Kafka's requests and answers, as far as the rules in front of the test broker need them.

See https://kafka.apache.org/protocol
"""

import asyncio
import math
import struct

FETCH, FETCH_VERSION, UNSTABLE_OFFSET_COMMIT = 1, 11, 88
# From this version on a request's header ends with tags, and its texts are compact.
FLEXIBLE = {9: 6, 22: 2, 28: 3}


async def frame_of(reader):
    """The next request or answer, without its length."""
    try:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        if not 0 <= size <= 300_000_000:  # the beginning of something else, such as TLS
            raise EOFError
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise EOFError from error


async def answer_of(port, request):
    """A request on a connection of its own; EOFError where there is no answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    put(writer, request)
    answer = await frame_of(reader)
    writer.close()
    return answer


def put(writer, body):
    writer.write(struct.pack(">i", len(body)) + body)


def counted(text):
    return struct.pack(">h", len(text)) + text


class Fields:
    """The fields of a request, one after the other."""

    def __init__(self, request, key, version):
        self.data = request
        self.at = 8
        self.text()  # the client's id
        if version >= FLEXIBLE.get(key, 99):
            self.at += 1  # no tags

    def number(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        length = self.number("h")
        return None if length < 0 else self._bytes(length)

    def compact(self):
        return self._bytes(self.varint() - 1)

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _bytes(self, length):
        length = max(0, length)
        self.at += length
        return bytes(self.data[self.at - length : self.at])

    def join(self):
        """Group, session and rebalance timeout in milliseconds, member, instance; version 5."""
        return self.text(), self.number("i"), self.number("i"), self.text(), self.text()

    def heartbeat(self):
        group, _ = self.text(), self.number("i")
        return group, self.text()

    def leave(self):
        return self.text(), self.text()

    def offsets(self):
        """Transactional id, group, generation and member of offsets in a transaction; version 3."""
        transaction, group = self.compact(), self.compact()
        self.at += 10  # producer and its epoch
        found = transaction, group, self.number("i"), self.compact()
        self.compact()  # instance
        return found

    def refused_offsets(self, error):
        """The answer to the same request, behind what `offsets` has taken, that refuses all of them."""
        answer = self.data[4:8] + bytes(5)  # correlation, tags, throttle time
        topics = self.varint()
        answer += bytes([topics])
        for _ in range(topics - 1):
            name = self.compact()
            partitions = self.varint()
            answer += bytes([len(name) + 1]) + name + bytes([partitions])
            for _ in range(partitions - 1):
                answer += struct.pack(">ihb", self.number("i"), error, 0)
                self.at += 12  # offset, leader epoch
                self.compact()  # metadata
                self.at += 1
            self.at += 1
            answer += bytes(1)
        return answer + bytes(1)

    @staticmethod
    def joined(response):
        """Generation and member that an answer to a join names; version 5. None where it was refused."""
        fields = Fields.__new__(Fields)
        fields.data, fields.at = response, 8
        error, generation = fields.number("h"), fields.number("i")
        fields.text(), fields.text()
        return None if error else (generation, fields.text())


def fetch(topic, partition, offset):
    """Asks for all of a partition from there on, uncommitted lines too; version 11."""
    request = struct.pack(">hhi", FETCH, FETCH_VERSION, 0) + counted(b"rule")
    request += struct.pack(">iiiibii", -1, 0, 0, 1 << 30, 0, 0, -1)  # replica, wait, bytes, isolation, session
    request += struct.pack(">i", 1) + counted(topic) + struct.pack(">iiiqqi", 1, partition, -1, offset, -1, 1 << 30)
    return request + struct.pack(">i", 0) + counted(b"")  # topics forgotten, rack


def fetched(response):
    """Of each partition: topic, number, where its aborted transactions begin, these, and its record batches; version 11."""
    response = memoryview(response)  # nothing of it is copied
    at = 14  # correlation, throttle time, error code, session
    (topics,) = struct.unpack_from(">i", response, at)
    at += 4
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", response, at)
        topic = bytes(response[at + 2 : at + 2 + length])
        at += 2 + length
        (partitions,) = struct.unpack_from(">i", response, at)
        at += 4
        for _ in range(partitions):
            (partition,) = struct.unpack_from(">i", response, at)
            at += 30  # number, error code, high watermark, last stable offset, log start offset
            start = at
            (count,) = struct.unpack_from(">i", response, at)
            at += 4
            aborted = [struct.unpack_from(">qq", response, at + 16 * place) for place in range(count)]
            at += 16 * len(aborted) + 4  # and the preferred replica
            (size,) = struct.unpack_from(">i", response, at)
            at += 4 + max(0, size)
            yield topic, partition, start, aborted, response[at - max(0, size) : at]


async def patched_fetch(response, end_of):
    """Names only those aborted transactions that end behind the beginning of what is sent; version 11.

    `end_of(topic, partition, producer, first)` finds the offset of a transaction's abort marker. It may lie behind what is
    sent, which ends in front of the oldest transaction that is open.
    """
    pieces, kept = [], 0
    for topic, partition, start, aborted, batches in fetched(response):
        if aborted and batches:
            (begin,) = struct.unpack_from(">q", batches)
            ends = [await end_of(topic, partition, *transaction) for transaction in aborted]
            named = [transaction for transaction, end in zip(aborted, ends) if end >= begin]
            pieces += [response[kept:start], struct.pack(">i", len(named))]
            pieces += [struct.pack(">qq", *transaction) for transaction in named]
            kept = start + 4 + 16 * len(aborted)
    return b"".join(pieces + [response[kept:]]) if pieces else response


def abort_of(producer, batches):
    """The offset of the first abort marker of a producer among record batches; infinite where there is none."""
    at = 0
    while at + 61 <= len(batches):
        base, length = struct.unpack_from(">qi", batches, at)
        (attributes,) = struct.unpack_from(">h", batches, at + 21)
        # A control batch holds one record, and the third and fourth byte of its key are 0 for an abort.
        if attributes & 32 and batches[at + 68 : at + 70] == b"\0\0":
            if producer == struct.unpack_from(">q", batches, at + 43)[0]:
                return base
        at += 12 + length
    return math.inf


def patched_versions(response):
    """Offers no Fetch by topic id. Each entry is key, lowest and highest version."""
    patched = bytearray(response)
    for at in range(6, len(patched) - 5):
        key, lowest, highest = struct.unpack_from(">hhh", patched, at)
        if key == FETCH and 0 <= lowest <= FETCH_VERSION < highest < 30:
            struct.pack_into(">h", patched, at + 4, FETCH_VERSION)
            break
    return bytes(patched)


def patched_offsets(response):
    """Says of each partition that its offset is held by a transaction; version 7."""
    patched = bytearray(response)
    fields = Fields.__new__(Fields)
    fields.data, fields.at = response, 9  # correlation, tags, throttle time
    for _ in range(fields.varint() - 1):
        fields.compact()
        for _ in range(fields.varint() - 1):
            fields.at += 16  # number, offset, leader epoch
            fields.compact()
            struct.pack_into(">h", patched, fields.at, UNSTABLE_OFFSET_COMMIT)
            fields.at += 3  # error code, tags
        fields.at += 1
    return bytes(patched)
