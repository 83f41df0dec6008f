"""Holds from-json and to-json against Python's json. Started by Tests/JSON/check.

Strict, the fields of every line must be those that Python finds, or both refuse the line. Without --strict every line
that strict takes must give the same, and what it takes besides must have the outline that docs/json.md names.
"""

import json
import random
import re
import subprocess
import sys
import tempfile

from lines import Lines

DEEPEST = 1023  # one level more may be there if it is empty


class Number(str):
    """A number as it was written."""


class Object:
    def __init__(self, pairs):
        self.members = {}
        for name, value in pairs:
            self.members.setdefault(name, value)


class Refused(Exception):
    pass


def no_constant(word):
    raise ValueError(word)


DECODER = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=Number, parse_float=Number, parse_constant=no_constant)


def parsed(line):
    """The object in a line, which must be one by RFC 8259."""
    try:
        value = DECODER.decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise Refused("JSON") from error
    if not isinstance(value, Object) or too_deep(line):
        raise Refused("JSON")
    return value


# Outside of a string a backslash does nothing but keep a quote from being one.
STRINGS = re.compile(rb'\\["\\]|"(?:[^"\\]|\\.)*"', re.DOTALL)


def too_deep(line):
    if line.count(b"{") + line.count(b"[") <= DEEPEST:
        return False
    depth = deepest = 0
    for byte in re.sub(rb"\[\s*\]|\{\s*\}", b"0", STRINGS.sub(b"", line)):
        depth += (byte in b"{[") - (byte in b"}]")
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def has_outline(line):
    """What is checked without --strict: strings are closed, and braces and brackets are those of one object."""
    rest = STRINGS.sub(b"", line).strip(b" \t\r")
    if b'"' in rest or not rest.startswith(b"{"):
        return False
    depth = 0
    for at, byte in enumerate(rest):
        depth += (byte in b"{[") - (byte in b"}]")
        if depth == 0:
            return at == len(rest) - 1
    return False


def at(value, path):
    for name in path:
        if isinstance(value, Object):
            value = value.members.get(name)
        elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}


def compact(text):
    return re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', r"\1", text)


def same(left, right):
    """Whether two values are, with the members that Python and we both drop."""
    if isinstance(left, Object):
        return (isinstance(right, Object) and left.members.keys() == right.members.keys()
                and all(same(left.members[name], right.members[name]) for name in left.members))
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def fits(value, kind):
    if kind == "int":
        return isinstance(value, Number) and re.fullmatch("-?[0-9]+", value)
    if kind == "number":
        return isinstance(value, Number)
    if kind == "string":
        return type(value) is str
    if kind == "bool":
        return isinstance(value, bool)
    return True


def field(value, kind, escapes):
    """The field of a value; of an object or array itself, which is compared by what it means."""
    if value is None:
        return ""
    if not fits(value, kind):
        raise Refused("type")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return str(value)
    if type(value) is not str:
        return value
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refused("surrogate") from error
    if escapes:
        return re.sub("[\t\n\r\\\\]", lambda found: ESCAPES[found[0]], value)
    if "\t" in value or "\n" in value:
        raise Refused("TAB or LF")
    return value


def expected(line, columns, escapes):
    value = parsed(line)
    return [field(at(value, path), kind, escapes) for _, path, kind in columns]


def agree(fields, text, line):
    found = text.split("\t")
    if len(found) != len(fields):
        return False
    for want, have in zip(fields, found):
        if isinstance(want, (Object, list)):
            if have != compact(have) or not same(want, DECODER.decode(have)):
                return False
        elif want != have:
            return False
    return True


def run(arguments, lines):
    """What comes out, and the numbers of the lines that were rejected."""
    with tempfile.NamedTemporaryFile() as rejects:
        done = subprocess.run(
            [*arguments, "--reject", rejects.name], input=b"".join(line + b"\n" for line in lines), capture_output=True)
        if done.returncode != 0:
            sys.exit(f"{arguments}: status {done.returncode}: {done.stderr.decode()}")
        numbers = {int(line.split(b":", 1)[0].removeprefix(b"line ")) for line in rejects.read().split(b"\n")[:-1]}
        return done.stdout.decode(errors="surrogateescape").split("\n")[:-1], numbers


COLUMNS = [
    ("a", ["a"], "any"), ("b", ["b"], "any"), ("a.b", ["a", "b"], "any"), ("a.0.b", ["a", "0", "b"], "any"),
    ("b.1", ["b", "1"], "any"), ("é", ["é"], "any"), ("/", [""], "any"), ("/a.b", ["a.b"], "any"),
    ("/x~1y", ["x/y"], "any"), (".", [], "any")]
TYPED = [("a:int", ["a"], "int"), ("b:string", ["b"], "string"), ("c:bool", ["c"], "bool"), ("0:number", ["0"], "number")]


def check_fields(lines, columns, escapes):
    command = ["from-json", *(column[0] for column in columns)] + ["--escape"] * escapes
    strict, refused = run([*command, "--strict"], lines)
    loose, loosely_refused = run(command, lines)
    strict, loose = iter(strict), iter(loose)
    counts = {"taken": 0, "JSON": 0, "type": 0, "surrogate": 0, "TAB or LF": 0, "only without --strict": 0}
    for number, line in enumerate(lines, 1):
        if not line.strip(b" \t\r"):
            continue
        try:
            fields, reason = expected(line, columns, escapes), "taken"
        except Refused as error:
            fields, reason = None, str(error)
        counts[reason] += 1
        if (fields is None) != (number in refused):
            sys.exit(f"{command}: line {number}: Python says {reason}: {line!r}")
        text = None if fields is None else next(strict)
        if text is not None and not agree(fields, text, line):
            sys.exit(f"{command}: line {number}: {text!r}, not {fields}: {line!r}")
        if number in loosely_refused:
            if text is not None:
                sys.exit(f"{command}: line {number}: refused only without --strict: {line!r}")
            continue
        found = next(loose)
        if text is None:
            counts["only without --strict"] += 1
            if reason != "JSON" or not has_outline(line):
                sys.exit(f"{command}: line {number}: taken without --strict ({reason}): {line!r}")
        elif found != text:
            sys.exit(f"{command}: line {number}: {found!r} without --strict, {text!r} with it: {line!r}")
    if next(strict, None) is not None or next(loose, None) is not None:
        sys.exit(f"{command}: more lines than there are objects")
    print(f"{' '.join(command)}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))


def flat_object(draw):
    letters = "ab \"\\/\t\n\r\b\f\x00\x1fé\u2028\u7f8e😀\x7f"
    members = [
        ("s", "".join(draw.choices(letters, k=draw.randrange(12)))),
        ("/t.u", "".join(draw.choices(letters, k=draw.randrange(3)))),
        ("n", draw.choice([draw.randrange(-10**6, 10**6), draw.random(), 10 ** draw.randrange(30), -0.0])),
        ("b", draw.random() < 0.5)]
    draw.shuffle(members)
    return {name.removeprefix("/"): value for name, value in members}


def check_round_trip(count, draw):
    """from-json, then to-json: the same objects."""
    objects = [flat_object(draw) for _ in range(count)]
    lines = [json.dumps(value, ensure_ascii=draw.random() < 0.5).encode() for value in objects]
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", "from-json --escape s n:number b:bool /t.u | "
         "to-json --unescape --invalid fail s n:number b:bool /t.u"],
        input=b"".join(line + b"\n" for line in lines), capture_output=True)
    found = done.stdout.decode().split("\n")[:-1]
    if done.returncode != 0 or len(found) != count:
        sys.exit(f"round trip: status {done.returncode}, {len(found)} lines: {done.stderr.decode()}")
    for line, text in zip(lines, found):
        if not same(DECODER.decode(line.decode()), DECODER.decode(text)):
            sys.exit(f"round trip: {line!r} became {text!r}")
    print(f"from-json --escape | to-json --unescape: {count:,} objects came back")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.setrecursionlimit(100_000)
    draw = random.Random(seed)
    source = Lines(draw)
    lines = [b'{"a":0}'] + [source.line() for _ in range(count)]  # no byte order mark begins the input
    check_fields(lines, COLUMNS, True)
    check_fields(lines, COLUMNS, False)
    check_fields(lines, TYPED, True)
    check_round_trip(count // 3, draw)


if __name__ == "__main__":
    main()
