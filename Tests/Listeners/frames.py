"""What the listeners have in common: Kafka's requests and answers, and the connections that they come by."""

import contextlib
import select
import socket
import ssl
import struct
import threading


def read(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def frame(connection):
    """The next request or answer, without its length."""
    return read(connection, *struct.unpack(">i", read(connection, 4)))


def put(connection, body):
    connection.sendall(struct.pack(">i", len(body)) + body)


def readable(client, broker, seconds=None):
    """Which of the two have something to read. TLS may hold some back where select does not see it."""
    if isinstance(client, ssl.SSLSocket) and client.pending():
        return [client]
    return select.select([client, broker], [], [], seconds)[0]


def with_address(answer, broker, port):
    """Puts this listener's port where a broker's answer says the broker's."""
    host, theirs = broker.split(":")
    old, new = (host.encode() + struct.pack(">i", int(number)) for number in (theirs, port))
    return answer.replace(old, new)


def serve(take):
    """Prints the port; gives each connection to `take`, with the port, in a thread of its own. Does not return."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    print(port, flush=True)

    def taken(connection):
        with contextlib.suppress(EOFError, OSError), connection:
            take(connection, port)

    while True:
        threading.Thread(target=taken, args=(server.accept()[0],), daemon=True).start()
