"""Prints the speed table. Started by bin/bench, which has built the tools and put them in PATH."""

import argparse
import os
import signal
import sys

import bridges
import epochs
import instructions
import limits
import report
import rows
import search
from measure import CommandFailed
from texts import prepare

ROWS = rows.ROWS + bridges.ROWS + epochs.ROWS + search.ROWS
LIMITS = limits.LIMITS | epochs.LIMITS
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def options():
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description="Measures the tools against Debian's on real text, after comparing their answers.",
        epilog="rows: " + " ".join([row.name for row in ROWS] + list(LIMITS)))
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only the rows whose names begin so")
    parser.add_argument("--save", action="store_true", help="keep the figures: Tests/Benchmarks/Results/DATE.md")
    parser.add_argument("--instructions", action="store_true", help="count instructions instead, and hold them against "
                        "Tests/Benchmarks/instructions.txt (--save: keep them there)")
    parser.add_argument("--seconds", type=float, default=12, help="time for a row's runs, at least 3 pairs (12)")
    given = parser.parse_args()
    for prefix in given.rows:
        if not any(name.startswith(prefix) for name in [row.name for row in ROWS] + list(LIMITS)):
            parser.error(f"no row begins with {prefix}")
    return given


def timed(row, seconds):
    try:
        return report.Timed(row, *row.measure(seconds))
    except CommandFailed as failure:
        return report.Failed(row.name, row.ours, str(failure))


def limited(name, measure):
    try:
        return measure()
    except CommandFailed as failure:
        return report.Failed(name, name, str(failure))


def say(what):
    """Shows what goes on, on a terminal, in one line."""
    if sys.stderr.isatty():
        print("\r\033[K" + what, end="", file=sys.stderr, flush=True)


def main():
    given = options()
    os.environ["LC_ALL"] = "C"

    def wanted(name):
        if given.rows and not any(name.startswith(prefix) for prefix in given.rows):
            return False
        say(name + " …")
        return True

    conditions = report.conditions(ROOT)
    prepare(os.path.join(ROOT, ".build-bench"))
    if given.instructions:
        return 0 if instructions.check(given.save) else 1
    against = [timed(row, given.seconds) for row in ROWS if wanted(row.name)]
    alone = [limited(name, measure) for name, measure in LIMITS.items() if wanted(name)]
    say("")
    print(report.terminal(against, alone))
    if given.save:
        path = report.save(os.path.join(ROOT, "Tests/Benchmarks/Results"), conditions, against, alone)
        if not given.rows:
            report.update(os.path.join(ROOT, "README.md"), path, against)
        print(f"\nsaved as {os.path.relpath(path, ROOT)}")
    missed = [result.name for result in against + alone if not result.met]
    if missed:
        print("\nnot met: " + " ".join(missed))
    return 1 if any(isinstance(result, report.Failed) for result in against + alone) else 0


if __name__ == "__main__":
    # As any other program, and as the commands that we start should be.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
