"""What can happen to a pipeline while data flows, drawn by the run's random generator."""

import signal
import threading
import time

ROLES = ("kcat-in", "the filter", "kcat-out")


class Faults:
    def __init__(self, random, replicas, broker, log, nap=(7, 9)):
        """`nap`, in seconds, is longer than the group waits for a member. Without `broker` nothing happens to that."""
        self.random = random
        self.replicas = replicas
        self.broker = broker
        self.log = log
        self.counts = {}
        self.timers = []
        # How often each is drawn.
        self.kinds = {
            self.kill: 10,
            self.pause: 4,
            self.long_pause: 1,
            self.terminate: 3,
            self.scale: 3,
        }
        if broker:
            self.kinds[self.cut_off] = 1
        self.nap = nap

    def rain(self, count, pause):
        """So many faults, `pause` seconds between two on average. When it returns, all who were stopped go on."""
        for _ in range(count):
            self.inject()
            time.sleep(self.random.uniform(0.2, 2 * pause - 0.2))
        for timer in self.timers:
            timer.join()

    def inject(self):
        """One fault, on somebody who is there to suffer it."""
        while True:
            kind = self.random.choices(list(self.kinds), list(self.kinds.values()))[0]
            replica = self.random.choice(self.replicas)
            what = kind(replica, self.random.randrange(3))
            if what:
                self.counts[what] = self.counts.get(what, 0) + 1
                self.log.write(f"{time.time():.3f} FAULT {replica.name}: {what}\n".encode())
                return
            time.sleep(0.05)

    def kill(self, replica, role):
        return replica.send(role, signal.SIGKILL) and f"kill -9 of {ROLES[role]}"

    def pause(self, replica, role):
        return self._stopped(replica, role, (0.1, 2.5)) and f"{ROLES[role]} stopped for up to 2.5 s"

    def long_pause(self, replica, _):
        # Longer than the group waits for a member, whose kcat-out goes on: it must not commit what another reads again.
        what = f"kcat-in stopped for {self.nap[0]} to {self.nap[1]} s"
        return self._stopped(replica, 0, self.nap) and what

    def terminate(self, replica, role):
        taken = replica.stop() if role == 0 else replica.send(role, signal.SIGTERM)
        return taken and f"TERM to {ROLES[role]}"

    def scale(self, replica, _):
        """Away, and back some seconds later. One of a stage stays."""
        others = [other for other in self.replicas if other.stage == replica.stage and other is not replica]
        if not replica.is_wanted.is_set() or not any(other.is_wanted.is_set() for other in others):
            return None
        if not replica.stop():
            return None
        replica.is_wanted.clear()
        self._later(self.random.uniform(2, 6), replica.is_wanted.set)
        return "a replica taken away and brought back"

    def cut_off(self, _, __):
        self.broker.cut_off()
        return "the broker out of reach for 1 s"

    def _stopped(self, replica, role, seconds):
        if not replica.send(role, signal.SIGSTOP):
            return False
        process = replica.processes[role]
        self._later(self.random.uniform(*seconds), lambda: process.send_signal(signal.SIGCONT))
        return True

    def _later(self, seconds, action):
        timer = threading.Timer(seconds, action)
        timer.start()
        self.timers.append(timer)
