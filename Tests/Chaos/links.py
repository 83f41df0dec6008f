"""The switch of a network of hosts, and the cables to them, which pass frames on some time later, and not all of them.

    links.py DELAY LOSS SEED [NAME PID]...

Runs in a network namespace of its own, where it makes a bridge. For each NAME it makes a cable: one end is plugged into
the bridge and is called NAME, the other becomes eth0 in the network namespace of the process PID. A frame takes DELAY
seconds in each direction, and is lost with the probability LOSS. Both ends are TAP devices of this process, because netem
is missing from many kernels, and they are gone when it ends. Prints a line when all is set up; on SIGTERM how many frames
there were, how many were lost, and how many came to an end that was down.
"""

import collections
import contextlib
import fcntl
import os
import random
import selectors
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x2, 0x1000


def tap(name):
    """Without offloading: what is sent into it is cut into frames and has its checksum."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def ip(command):
    subprocess.run(["ip", *command.split()], check=True)


def plugged(names):
    """The two ends of each cable."""
    ip("link add switch type bridge")
    ip("link set switch up")
    for name, pid in names:
        port, far = tap(name), tap(f"{name}-far")
        ip(f"link set {name} master switch up")
        ip(f"link set {name}-far netns {pid} name eth0")
        yield port, far


def main():
    delay, loss, generator = float(sys.argv[1]), float(sys.argv[2]), random.Random(int(sys.argv[3]))
    frames = lost = refused = 0
    others = {}
    selector = selectors.DefaultSelector()
    for port, far in plugged(zip(sys.argv[4::2], sys.argv[5::2])):
        others[port], others[far] = far, port
    for end in others:
        selector.register(end, selectors.EVENT_READ)

    def finish(*_):
        print(frames, lost, refused, flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(flush=True)
    under_way = collections.deque()
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for key, _ in selector.select(wait):
            with contextlib.suppress(OSError):  # none is left, or the end is down
                while frame := os.read(key.fd, 65536):
                    frames += 1
                    if generator.random() < loss:
                        lost += 1
                    else:
                        under_way.append((time.monotonic() + delay, others[key.fd], frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, end, frame = under_way.popleft()
            try:
                os.write(end, frame)
            except OSError:
                refused += 1


main()
