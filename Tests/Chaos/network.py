"""Hosts as network namespaces, joined by a switch in a namespace of its own: nothing of this machine's network is touched.

The namespaces have no names: each belongs to a process, which ends with this program however that ends, and they with it.
"""

import os
import subprocess
import sys

from pipeline import TOGETHER

LINKS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "links.py")


class Host:
    def __init__(self, name, address):
        self.name = name
        self.address = address
        # It is there when the line is.
        command = [*TOGETHER, "unshare", "--net", "sh", "-ec", "ip link set lo up; echo; exec sleep infinity"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise SystemExit("bin/chaos: no network namespace could be made")

    @property
    def enter(self):
        """What stands in front of a command that is to run there."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]

    def connect(self):
        command = f"ip address add {self.address}/24 dev eth0; ip link set eth0 up"
        subprocess.run([*self.enter, "sh", "-ec", command], check=True)


class Network:
    def __init__(self, count, delay, loss, generator):
        self.hosts = []
        self.switch = None
        try:
            self.broker = self._host("broker", "10.77.0.1")
            self.others = [self._host(f"host-{number}", f"10.77.0.{10 + number}") for number in range(1, count + 1)]
            command = [*TOGETHER, "unshare", "--net", sys.executable, LINKS]
            command += [str(delay), str(loss), str(generator.getrandbits(32))]
            for host in self.hosts:
                command += [host.name, str(host.process.pid)]
            self.switch = subprocess.Popen(command, stdout=subprocess.PIPE)
            if not self.switch.stdout.readline():
                raise SystemExit("bin/chaos: the hosts could not be joined: this needs /dev/net/tun and bridges")
            for host in self.hosts:
                host.connect()
        except BaseException:
            self.remove()
            raise

    def _host(self, name, address):
        self.hosts.append(Host(name, address))
        return self.hosts[-1]

    def plug(self, host, is_in):
        """A host that is cut off sees nothing of it but that no answers come."""
        command = ["nsenter", f"--net=/proc/{self.switch.pid}/ns/net", "ip", "link", "set", host.name]
        subprocess.run([*command, "up" if is_in else "down"], check=True)

    def remove(self):
        """Returns how many frames there were, how many were lost, and how many went to a host that was cut off."""
        counts = b""
        if self.switch:
            self.switch.terminate()
            counts = self.switch.communicate()[0]
        for host in self.hosts:
            host.process.kill()
            host.process.wait()
        return [int(count) for count in counts.split()]
