"""The stages of a pipe: what a shell command or a compose file says of them."""

import re
import shlex
from dataclasses import dataclass, field

# Options of the bridges that have nothing to do with what a line costs, by whether a value follows.
WITHOUT_COST = {
    **dict.fromkeys("--exactly-once --eof --until-end --until-eof --summary --progress".split(), False),
    **dict.fromkeys(
        "-t --topic -g --group -b --brokers -F --properties -X --property -o --offset -p --partitions -c --count"
        " --restore --ack --epoch --transactional-id --create --reject".split(),
        True,
    ),
}


class Wrong(Exception):
    """What the user is told, and the exit status."""

    def __init__(self, message, status=64):
        super().__init__(message)
        self.status = status


def option(words, *names):
    """The value of an option; "" where it stands without one; None where it does not stand."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else words[at + 1] if at + 1 < len(words) and takes_value(name) else ""
    return None


def takes_value(name):
    return WITHOUT_COST.get(name, True)


def cost_options(words):
    """The options of a bridge that have to do with what a line costs."""
    kept, at = [], 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if name in WITHOUT_COST:
            at += 2 if takes_value(name) and not equals else 1
        else:
            kept.append(words[at])
            at += 1
    return kept


@dataclass
class Stage:
    """`kcat-in … | filter | … | kcat-out …`, each command as its words. A bridge may be missing."""

    name: str
    reader: list
    filters: list
    writer: list
    ends_in_loader: bool
    # What is measured: a Cost for each program, and bytes and lines of the sample, in and out.
    costs: list = field(default_factory=list)
    taken: tuple = (0, 0)
    given: tuple = (0, 0)
    key_bytes: int = 0

    @property
    def source(self):
        return option(self.reader, "-t", "--topic")

    @property
    def sink(self):
        return option(self.writer, "-t", "--topic")

    @property
    def restored(self):
        return option(self.reader, "--restore")

    @property
    def exactly_once(self):
        return option(self.reader, "--exactly-once") is not None

    @property
    def seconds_a_byte(self):
        return sum(cost.seconds for cost in self.costs) / self.taken[0]

    @property
    def slowest_a_byte(self):
        return max(cost.seconds for cost in self.costs) / self.taken[0]

    @property
    def memory(self):
        return sum(cost.memory for cost in self.costs)


def parse(text, name=None):
    """A pipeline as bash has it. What stands before && prepares it and costs nothing."""
    where = f"stage {name or text}"
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands = [[]]
    try:
        for word in lexer:
            if word in ("&&", ";"):
                commands = [[]]
            elif word == "|":
                commands.append([])
            elif set(word) <= set("()<>|&;"):
                raise Wrong(f"{where}: {word} cannot be planned, only commands with | between them")
            else:
                commands[-1].append(word)
    except ValueError as error:
        raise Wrong(f"{where}: {error}") from None
    if not all(commands):
        raise Wrong(f"{where}: a command is missing")
    reader = commands.pop(0) if commands[0][0] == "kcat-in" else []
    writer = commands.pop() if commands and commands[-1][0] == "kcat-out" else []
    ends_in_loader = bool(commands) and commands[-1][0] == "es-load"
    if ends_in_loader:
        commands.pop()
    return Stage(name or (commands[0] if commands else reader or writer)[0], reader, commands, writer, ends_in_loader)


def given(texts):
    """The stages that the command line names, in its order."""
    stages = [parse(text) for text in texts]
    names = [stage.name for stage in stages]
    for number, stage in enumerate(stages):
        if earlier := names[:number].count(stage.name):
            stage.name += f"-{earlier + 1}"
    return stages


def services(lines):
    """The services of a compose file that is laid out as usual, two spaces deep: (name, numbers of its lines)."""
    found, name, inside = [], None, False
    for number, line in enumerate(lines):
        if re.match(r"[^\s#]", line):
            inside, name = line.startswith("services:"), None
        elif inside and (match := re.match(r"  ([\w.-]+):\s*(#.*)?$", line)):
            name = match[1]
            found.append((name, []))
        if name:
            found[-1][1].append(number)
    return found


def read(path):
    try:
        with open(path) as file:
            return file.read().split("\n")
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}", 66) from None


def of_file(path):
    """The services of a compose or stack file that begin with kcat-in, in the order in which lines go through."""
    lines, stages = read(path), []
    for name, numbers in services(lines):
        # The pipeline is an item of a list, a block (`- >-`) or a line (`- kcat-in …`).
        block = [lines[number] for number in numbers if not lines[number].lstrip().startswith("#")]
        for at, line in enumerate(block):
            match = re.match(r"( +)- (?:[>|]-?|(kcat-in .*))$", line)
            if match:
                deeper = len(match[1]) + 1
                folded = [match[2] or ""]
                for more in block[at + 1 :]:
                    if len(more) - len(more.lstrip()) < deeper:
                        break
                    folded.append(more.strip())
                text = " ".join(folded).replace("$$", "$")
                if "kcat-in " in text:
                    stages.append(parse(text, name))
    if not stages:
        raise Wrong(f"{path}: no service with a pipeline that begins with kcat-in", 65)
    return in_order(stages, path)


def in_order(stages, path):
    """Each stage behind the one that fills its topic, or else in the order of the file."""
    ordered, rest = [], list(stages)
    while rest:
        awaited = {stage.sink for stage in rest if stage.sink}
        ready = next((stage for stage in rest if stage.source not in awaited), None)
        if not ready:
            raise Wrong(f"{path}: the topics of the stages go round in a circle", 65)
        if ordered and ready.source != ordered[-1].sink:
            raise Wrong(f"{path}: {ready.name} does not read what {ordered[-1].name} writes: not one chain", 65)
        ordered.append(ready)
        rest.remove(ready)
    return ordered


def write_replicas(path, replicas):
    """Sets the number behind `replicas:` of each service that was planned, and touches nothing else."""
    lines, written = read(path), set()
    for name, numbers in services(lines):
        for number in numbers:
            if name in replicas and re.match(r"\s+replicas:", lines[number]):
                lines[number] = re.sub(r"(replicas:\s*)[^\s#]+", rf"\g<1>{replicas[name]}", lines[number])
                written.add(name)
    if missing := sorted(set(replicas) - written):
        raise Wrong(f"{path}: no replicas: line in {', '.join(missing)}", 65)
    with open(path, "w") as file:
        file.write("\n".join(lines))
