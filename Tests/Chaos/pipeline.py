"""Stages of a distributed pipe: replicas under a supervisor that starts a pipeline again when all of it has ended."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

# The kernel ends them when this program is killed, and only then: they must suffer nothing else.
TOGETHER = ["setpriv", "--pdeathsig", "KILL"]


class Replica(threading.Thread):
    """A pipeline of three processes, and its supervisor: `until kcat-in | filter | kcat-out; do sleep; done`."""

    def __init__(self, name, commands, log, env, pids=None):
        super().__init__(daemon=True)
        self.name = name
        self.commands = commands
        self.log = log
        self.env = env
        # A file that is to hold the numbers of the processes.
        self.pids = pids
        self.processes = []
        self.lock = threading.Lock()
        self.is_wanted = threading.Event()
        self.is_wanted.set()
        self.given_up = False
        self.starts = 0
        # The statuses of each start, and when the first of the processes that run now was seen to have ended.
        self.ended = []
        self.first_end = None

    def run(self):
        while not self.given_up:
            self.is_wanted.wait()
            with self.lock:
                self._spawn()
            while all(process.poll() is None for process in self.processes):
                time.sleep(0.05)
            self.first_end = time.monotonic()
            statuses = [process.wait() for process in self.processes]
            self.first_end = None
            if not self.given_up:
                self.ended.append(statuses)
            self.log.write(f"{time.time():.3f} {self.name}: ended {statuses}\n".encode())
            if not any(statuses) and self.is_wanted.is_set() and not self.was_stopped:
                return
            time.sleep(0.1)

    def _spawn(self):
        self.starts += 1
        self.was_stopped = False
        self.processes = []
        source = subprocess.DEVNULL
        for place, command in enumerate(self.commands):
            last = place == len(self.commands) - 1
            process = subprocess.Popen(
                [*TOGETHER, *command],
                stdin=source,
                stdout=self.log if last else subprocess.PIPE,
                stderr=self.log,
                env=self.env,
            )
            if place > 0:
                source.close()
            source = process.stdout
            self.processes.append(process)
        if self.pids:
            with open(self.pids, "w") as file:
                file.write(" ".join(str(process.pid) for process in self.processes))

    def send(self, role, number):
        """Returns whether there was somebody to take the signal."""
        with self.lock:
            if len(self.processes) <= role or self.processes[role].poll() is not None:
                return False
            self.processes[role].send_signal(number)
            return True

    def stop(self):
        """Asks for a clean end, after which it is started again if it is wanted."""
        self.was_stopped = True
        return self.send(0, signal.SIGTERM)

    def end(self):
        self.given_up = True
        self.is_wanted.set()
        with self.lock:
            for process in self.processes:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                    process.kill()


class Broker:
    """A broker under Apache Kafka's rules, which can be cut off, and started again with what it has kept."""

    def __init__(self, root, folder, log, host="127.0.0.1", inside=()):
        """`inside` stands in front of its commands."""
        self.inside = list(inside)
        self.host = host
        port = str(free_port())
        self.bare = [f"{root}/bin/broker", "--bare", "--data", f"{folder}/broker", port]
        self.port = free_port()
        self.rules = [sys.executable, f"{root}/Tests/Listeners/apache_rules.py", str(self.port), port, host]
        self.log = log
        self.start()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def start(self):
        self.broker = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *self.inside, *self.bare], stdout=subprocess.PIPE, stderr=self.log
        )
        if not self.broker.stdout.readline():
            raise SystemExit("bin/chaos: the broker does not start")
        self.front = subprocess.Popen([*TOGETHER, *self.inside, *self.rules], stderr=self.log)
        is_there = f"until (exec 3<>/dev/tcp/{self.host}/{self.port}) 2>/dev/null; do sleep 0.05; done"
        subprocess.run([*self.inside, "bash", "-c", is_there], check=True, timeout=60)

    def cut_off(self):
        """For a second nobody reaches it."""
        self.front.send_signal(signal.SIGUSR1)

    def stop(self):
        self.front.kill()
        self.front.wait()
        self.broker.terminate()
        self.broker.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Feeder(threading.Thread):
    """Writes a text into a pipe a piece at a time, and the rest at once when told to."""

    def __init__(self, command, text, seconds, log, env):
        super().__init__(daemon=True)
        self.process = subprocess.Popen([*TOGETHER, *command], stdin=subprocess.PIPE, stderr=log, env=env)
        self.text = text
        self.pause = seconds * 4096 / len(text)
        self.rest_at_once = threading.Event()

    def run(self):
        for at in range(0, len(self.text), 4096):
            self.process.stdin.write(self.text[at : at + 4096])
            self.process.stdin.flush()
            self.rest_at_once.wait(self.pause)
        self.process.stdin.close()

    def finish(self):
        self.rest_at_once.set()
        self.join()
        if self.process.wait() != 0:
            raise SystemExit("bin/chaos: the text could not be written to its topic")


def environment(root, brokers):
    path = f"{root}/.build/release:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "LC_ALL": "C", "KAFKA_BROKERS": brokers}
