"""The results as tables: plain on the terminal, Markdown to keep."""

import datetime
import os
import platform
import subprocess
from dataclasses import dataclass

from measure import Run, median
from rows import Row

HEADINGS = ["work", "ours", "against", "theirs", "ratio", "at least", "met", "CPU s/GB or s/M lines"]
LIMIT_HEADINGS = ["work", "measured", "at most", "met"]

EXPLANATION = """\
The two of a row ran by turns, ours theirs ours theirs …; the ratio is the median of the pairs' ratios, the rates are
medians too, of the input. CPU is user and system time of all processes of the pipeline, ours / theirs, for a GB or a
million lines; a broker's is not in it. `Tests/Benchmarks/texts.py` describes the inputs."""


@dataclass(frozen=True)
class Timed:
    """A row that was measured, its answers found the same."""

    row: Row
    same: int  # lines
    pairs: list[tuple[Run, Run]]  # ours, theirs

    @property
    def name(self):
        return self.row.name

    @property
    def ratios(self):
        return [theirs.seconds / ours.seconds for ours, theirs in self.pairs]

    @property
    def met(self):
        return (self.row.target is None or median(self.ratios) >= self.row.target) and (
            self.row.cpu is None or self.cpu_share <= self.row.cpu)

    @property
    def cpu_share(self):
        """Our processor time as a share of theirs."""
        return median([ours.cpu / theirs.cpu for ours, theirs in self.pairs])

    def side(self, index, figure):
        return median([getattr(pair[index], figure) for pair in self.pairs])

    @property
    def cells(self):
        row, amount = self.row, self.row.amount()
        ours, theirs = (f"{amount / self.side(index, 'seconds'):,.4g} {row.unit}/s" for index in (0, 1))
        target = "–" if row.target is None else f"{row.target:g}"
        if row.cpu is not None:
            target += f", CPU at most {row.cpu:g}"
        met = "" if row.target is None else yes(self.met)
        large = amount / 1000 if row.unit == "MB" else amount
        cpu = " / ".join(f"{self.side(index, 'cpu') / large:.3g}" for index in (0, 1))
        return [row.ours, ours, row.against, theirs, f"{median(self.ratios):.2f}", target, met, cpu]

    @property
    def note(self):
        row = self.row
        return (
            f"**{row.name}** – `{row.run}` against `{row.rival}` on `{row.input}`: {len(self.pairs)} pairs, "
            f"ratios {min(self.ratios):.2f} to {max(self.ratios):.2f}, CPU {self.cpu_share:.2f} of theirs. Compared: {row.same}; {self.same:,} lines.")


@dataclass(frozen=True)
class Failed:
    """A row that has no ratio: a command failed, or the answers differ."""

    name: str
    work: str
    reason: str
    met = False

    @property
    def cells(self):
        return [self.work, "FAILED"]

    @property
    def note(self):
        return f"**{self.name}** failed: {self.reason}."


def yes(met):
    return "yes" if met else "NO"


def terminal(against, alone):
    tables = [plain(heads, [result.cells for result in results]) for heads, results in parts(against, alone)]
    failures = [result.note for result in against + alone if isinstance(result, Failed)]
    return "\n\n".join(tables + ["\n".join(failures)]).rstrip()


def parts(against, alone):
    return [(heads, results) for heads, results in [(HEADINGS, against), (LIMIT_HEADINGS, alone)] if results]


def plain(headings, rows):
    """Columns, as wide as they must be."""
    rows = [headings] + [row + [""] * (len(headings) - len(row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(headings, rows):
    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(headings), "|" + "---|" * len(headings), *map(line, rows)])


def save(folder, conditions, against, alone):
    """Writes DATE.md into `folder`; returns its path."""
    date = datetime.date.today().isoformat()
    texts = [f"# Speed, {date}", conditions]
    texts += [markdown(heads, [result.cells for result in results]) for heads, results in parts(against, alone)]
    texts.append(EXPLANATION)
    texts.append("\n".join("- " + result.note for result in against + alone if isinstance(result, (Timed, Failed))))
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, date + ".md")
    with open(path, "w") as file:
        file.write("\n\n".join(texts) + "\n")
    return path


BEGIN, END = "<!-- speed: written by bin/bench --save -->\n", "<!-- end of speed -->\n"


def update(readme, saved, against):
    """Puts the ratios between the marks of the README: of the rows that aim at one, without those on a mock cluster."""
    date = os.path.basename(saved).removesuffix(".md")
    shown = [result for result in against if isinstance(result, Timed) and result.row.target and "mock" not in result.name]
    rows = [result.cells[:3] + [result.cells[4]] for result in shown]
    table = markdown(["work", "rate", "against", "times as fast"], rows)
    with open(readme) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    where = f"Measured on {date}, on {processor()}; [the whole table](Tests/Benchmarks/Results/{date}.md)."
    with open(readme, "w") as file:
        file.write("".join([before, BEGIN, f"{where}\n\n{table}\n", END, after]))


def processor():
    facts = hardware()
    wide = "avx512_vbmi2" in facts.get("Flags", "").split()  # what tokenize makes use of
    return f"{facts['CPU(s)']} × {facts['Model name']} {'with' if wide else 'without'} AVX-512 VBMI2"


def hardware():
    """What lscpu says, by name."""
    pairs = (line.split(":", 1) for line in output("lscpu").splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def conditions(root):
    """The machine, the versions, and how busy it is before we begin."""
    facts = hardware()
    caches = ", ".join(f"{name.removesuffix(' cache')} {facts[name]}" for name in facts if name.endswith(" cache"))
    with open("/etc/os-release") as file:
        system = dict(line.rstrip().split("=", 1) for line in file if "=" in line)["PRETTY_NAME"].strip('"')
    packages = ["coreutils", "mawk", "grep", "sed", "datamash", "jq", "kcat"]
    versions = output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages).splitlines()
    commit = output("git", "-C", root, "describe", "--always", "--dirty")
    return "\n".join([
        f"- machine: {processor()}; {caches}",
        f"- system: {system}, Linux {platform.release()}, load {os.getloadavg()[0]:.2f} at the start",
        f"- commit: {commit}",
        f"- rivals: {', '.join(versions)}",
    ])


def output(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
