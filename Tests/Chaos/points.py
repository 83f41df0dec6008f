"""One kill at each point of an epoch: before its barrier, between that and the commit, in the commit, and after it."""

import collections
import os
import subprocess
import sys
import time

from pipeline import Feeder, Replica
from wordcount import lost_and_doubled

POINTS = {
    "before": "before the barrier",
    "between": "between barrier and commit",
    "in": "in the commit",
    "after": "after it",
}
VICTIMS = {"kcat-in": 0, "filter": 1, "kcat-out": 3}
HERE = os.path.dirname(os.path.realpath(__file__))


def run(generator, rounds, text, env, folder, log, broker):
    """Prints a row for each point and victim. Returns whether nothing was lost or doubled."""
    wanted = collections.Counter(
        subprocess.run(["tokenize", "-w", "-l"], input=text, capture_output=True, check=True, env=env).stdout.splitlines()
    )
    print(f"{'killed with -9':28} {'':10} times  lines lost  doubled")
    is_good = True
    for point, words in POINTS.items():
        results = {victim: [0, 0] for victim in VICTIMS}
        # One after the other, so that the commits are those of a machine at rest; the victims side by side.
        for turn in range(rounds):
            cases = [Case(point, victim, turn, generator, text, env, folder, log) for victim in VICTIMS]
            for case in cases:
                case.start()
            for case in cases:
                lost, doubled = case.finish(wanted)
                results[case.victim][0] += lost
                results[case.victim][1] += doubled
        for victim, (lost, doubled) in results.items():
            print(f"{words:28} {victim:10} {rounds:5} {lost:11} {doubled:8}", flush=True)
            is_good = is_good and lost == doubled == 0
    # With a transaction open, this broker does not come back whole.
    lost = doubled = 0
    for turn in range(rounds):
        case = Case("restart", "broker", turn, generator, text, env, folder, log)
        case.start()
        case.wait_for_mark()
        broker.stop()
        broker.start()
        open(f"{case.mark}.go", "w").close()
        found = case.finish(wanted)
        lost, doubled = lost + found[0], doubled + found[1]
    print(f"{'broker restarted after it':28} {'':10} {rounds:5} {lost:11} {doubled:8}", flush=True)
    return is_good and lost == doubled == 0


class Case:
    def __init__(self, point, victim, turn, generator, text, env, folder, log):
        self.victim = victim
        self.env = env
        name = f"{point}-{victim}-{turn}"
        source, self.target = f"lines-{name}", f"tokens-{name}"
        for topic in (source, self.target):
            subprocess.run(["kcat-out", "-t", topic, "--create", "4"], input=b"", check=True, env=env)
        pids = f"{folder}/{name}.pids"
        open(pids, "w").close()
        member = ["-g", name, "-X", f"group.instance.id={name}"]
        reader = ["kcat-in", "-t", source, *member, "--exactly-once", "--until-eof", "--epoch", "150ms"]
        tap = [sys.executable, f"{HERE}/tap.py", f"{folder}/{name}.done", pids, point, str(VICTIMS.get(victim, 0))]
        tap += [str(generator.randint(2, 4)), str(generator.uniform(0, 0.008))]
        writer = ["kcat-out", "-t", self.target, "-k", "1", "--exactly-once", "--transactional-id", name, "--eof"]
        self.replica = Replica(name, [reader, ["tokenize", "-w", "-l"], tap, writer], log, env, pids)
        self.feeder = Feeder(["kcat-out", "-t", source, "--eof"], text, 1.5, log, env)
        self.mark = f"{folder}/{name}.done"

    def start(self):
        self.replica.start()
        self.feeder.start()

    def wait_for_mark(self):
        while not os.path.exists(self.mark):
            time.sleep(0.02)

    def finish(self, wanted):
        self.feeder.join()
        self.replica.join(timeout=90)
        if self.replica.is_alive() or not os.path.exists(self.mark):
            self.replica.end()
            raise SystemExit(f"bin/chaos: {self.replica.name} did not come to its end, or nobody was killed")
        command = ["kcat-in", "-t", self.target, "--until-eof"]
        lines = subprocess.run(command, capture_output=True, check=True, env=self.env, timeout=60).stdout.splitlines()
        return lost_and_doubled(wanted, collections.Counter(lines))
