#!/usr/bin/env python3
"""A search server that stores nothing: prints its port, then answers that each document of each bulk request is stored.

It looks at no document: a body of N lines has N / 2 of them. GET says how many there were since the last GET. Ends when its
standard input does."""
import socket
import sys
import threading

ITEM = b'{"index":{"status":201}}'
replies, counts = {}, []


def reply(documents):
    """The answer for so many documents, made once."""
    if documents not in replies:
        body = b'{"errors":false,"items":[' + b",".join([ITEM] * documents) + b"]}"
        replies[documents] = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                              % len(body)) + body
    return replies[documents]


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray()
    with connection:
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                more = connection.recv(1 << 20)
                if not more:
                    return
                buffer += more
            head = bytes(buffer[:end]).lower()
            if head.startswith(b"get"):
                del buffer[:end + 4]
                text = b"%d\n" % sum(counts)
                counts.clear()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
                continue
            start = head.index(b"content-length:") + 15
            length = int(head[start:].split(b"\r\n", 1)[0])
            del buffer[:end + 4]
            while len(buffer) < length:
                more = connection.recv(1 << 20)
                if not more:
                    return
                buffer += more
            # One list for all threads: to append to it is one step.
            documents = buffer.count(b"\n", 0, length) // 2
            del buffer[:length]
            counts.append(documents)
            connection.sendall(reply(documents))


listener = socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), backlog=64)
print(listener.getsockname()[1], flush=True)


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.buffer.read()
