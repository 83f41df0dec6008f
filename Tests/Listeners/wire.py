"""Kafka's requests and answers, as far as the rules in front of the test broker need them.

See https://kafka.apache.org/protocol
"""

import asyncio
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


def patched_fetch(response):
    """Names only those aborted transactions whose end is in the answer; versions 4 to 11."""
    pieces, kept = [], 0
    at = 14  # correlation, throttle time, error code, session
    (topics,) = struct.unpack_from(">i", response, at)
    at += 4
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", response, at)
        at += 2 + length
        (partitions,) = struct.unpack_from(">i", response, at)
        at += 4
        for _ in range(partitions):
            at += 30  # number, error code, high watermark, last stable offset, log start offset
            start = at
            (count,) = struct.unpack_from(">i", response, at)
            at += 4
            aborted = [struct.unpack_from(">qq", response, at + 16 * place) for place in range(count)]
            at += 16 * len(aborted) + 4  # and the preferred replica
            (size,) = struct.unpack_from(">i", response, at)
            at += 4
            if aborted:
                ended = ended_in(response[at : at + max(0, size)], aborted)
                pieces += [response[kept:start], struct.pack(">i", len(ended))]
                pieces += [struct.pack(">qq", *transaction) for transaction in ended]
                kept = at - 8
            at += max(0, size)
    return b"".join(pieces + [response[kept:]]) if pieces else response


def ended_in(batches, aborted):
    """Those of the aborted transactions (producer, first offset) whose abort marker is among the record batches."""
    ended, at = set(), 0
    while at + 61 <= len(batches):
        base, length = struct.unpack_from(">qi", batches, at)
        (attributes,) = struct.unpack_from(">h", batches, at + 21)
        (producer,) = struct.unpack_from(">q", batches, at + 43)
        # A control batch holds one record, and the third and fourth byte of its key are 0 for an abort.
        if attributes & 32 and batches[at + 68 : at + 70] == b"\0\0":
            begun = [first for other, first in aborted if other == producer and first < base]
            if begun:
                ended.add((producer, max(begun)))
        at += 12 + length
    return sorted(ended, key=lambda transaction: transaction[1])


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
