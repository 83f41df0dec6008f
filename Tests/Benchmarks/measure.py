"""Runs shell commands and measures them from outside: the clock on the wall, and the CPU time of every process of the
pipeline as wait4(2) adds it up."""

import functools
import hashlib
import os
import statistics
import subprocess
import time
from dataclasses import dataclass


class CommandFailed(Exception):
    """A command ended with another status than 0."""


@dataclass(frozen=True)
class Run:
    seconds: float  # on the wall
    cpu: float  # seconds of user and system time, all processes together


@dataclass(frozen=True)
class Answer:
    digest: str
    lines: int


def shell(command):
    """The arguments that run `command`; a failure anywhere in a pipeline is a failure of the whole."""
    return ["bash", "-c", "set -o pipefail; " + command]


def run(command):
    """Runs `command` once."""
    started = time.perf_counter()
    process = os.posix_spawn("/bin/bash", shell(command), os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise CommandFailed(f"exit status {os.waitstatus_to_exitcode(status)}: {command}")
    return Run(seconds, usage.ru_utime + usage.ru_stime)


def run_program(arguments):
    """Runs one program on empty input, without a shell in front of it. Returns seconds."""
    empty = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1)]
    started = time.perf_counter()
    process = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=empty)
    _, status = os.waitpid(process, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise CommandFailed(f"exit status {os.waitstatus_to_exitcode(status)}: {' '.join(arguments)}")
    return seconds


def printed(command):
    """What `command` prints, as a digest and a number of lines."""
    digest, lines = hashlib.sha256(), 0
    with subprocess.Popen(shell(command), stdout=subprocess.PIPE) as process:
        while block := process.stdout.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
    if process.returncode != 0:
        raise CommandFailed(f"exit status {process.returncode}: {command}")
    return Answer(digest.hexdigest(), lines)


# Some rows compare the same: it is run once.
answer = functools.cache(printed)


def in_turn(ours, rival, seconds, least=3, most=25):
    """Makes runs of the two by turns, ours rival ours rival …: a machine that gets slower or faster hits both.

    Goes on until `seconds` have passed, but for `least` to `most` pairs. Returns the pairs.
    """
    pairs, started = [], time.perf_counter()
    while len(pairs) < least or (len(pairs) < most and time.perf_counter() - started < seconds):
        pairs.append((ours(), rival()))
    return pairs


def median(values):
    return statistics.median(values)
