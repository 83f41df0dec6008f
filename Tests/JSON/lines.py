"""JSON lines drawn at random, good ones and damaged ones."""

import re

NAMES = ["a", "b", "c", "0", "1", "", "é", "a.b", "x/y", "long name of a member that is longer than sixty-four bytes, to see"]
PIECES = [
    "a", "plain text", "é", "привет", "😀", "\\n", "\\t", "\\r", "\\\\", "\\\"", "\\/", "\\b", "\\f", "\\u0041", "\\u00e9",
    "\\u0000", "\\u0009", "\\u000A", "\\ud83d\\ude00", "\\uD83D\\uDE00", "{", "}", "[", "]", ",", ":", " ", "null", "\x7f",
    "x" * 61]
LONE = ["\\ud800", "\\udc00", "\\ud83dx", "\\ud83d\\n", "\\ude00\\ud83d"]
NUMBERS = [
    "0", "-0", "1", "-1", "10", "1.0", "-0.50", "1e5", "1E+5", "1e-05", "0e0", "1e999", "-1e-999", "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "0.1000", "1" * 400, "0." + "3" * 400]
BAD_VALUES = [
    "01", "1.", ".5", "-", "+1", "1e", "nul", "trueish", "1x", '"\\x"', '"\\u12g4"', '"\x01"', '"\udcff"', '"\udcc3"', '"open', "",
    '"a" "b"']
SPACES = ["", "", "", "", "", "", " ", "\t", "\r", "  \t "]
BYTES = b'"\\{}[]:,.-+0129eEtrufalsn \t\r/u\x00\x01\x1f\x7f\x80\xbf\xc3\xe2\xed\xf0\xff\xef\xbb\xbf'

# Strings, with the colon that makes one a name, numbers and words.
TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|[-+.\w]+')


class Lines:
    def __init__(self, draw):
        self.draw = draw
        self.run = []

    def line(self):
        """A line without its LF: one that differs from all before it, or one of a run of lines made like a few of them."""
        if not self.run:
            if self.draw.random() < 0.994:
                return self.new_line()
            shapes = [self.space() + self.object(3) + self.space() for _ in range(self.draw.choice([1, 1, 2, 3]))]
            self.run = [self.alike(self.draw.choice(shapes)) for _ in range(self.draw.randrange(1, 300))]
        return self.run.pop()

    def alike(self, shape):
        """The line with other strings, numbers and words; one in five damaged, some with a value that is none."""
        def other(token):
            if token[2]:  # a name
                return token[0]
            if self.draw.random() < 0.04:
                return self.draw.choice(BAD_VALUES)
            return self.string() if token[1] else self.scalar()

        line = TOKENS.sub(other, shape).encode(errors="surrogateescape")
        return line if self.draw.random() < 0.8 else self.damaged(line)

    def new_line(self):
        draw = self.draw
        kind = draw.random()
        if kind < 0.01:
            return draw.choice([b"", b" ", b"\t\r", b"\r"])
        if kind < 0.02:
            return self.value(2).encode()
        if kind < 0.022:
            return self.deep()
        line = (self.space() + self.object(3) + self.space()).encode()
        return line if kind < 0.6 else self.damaged(line)

    def damaged(self, line):
        draw = self.draw
        line = bytearray(line)
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            at = draw.randrange(len(line) + 1)
            what = draw.randrange(6)
            if what == 0:
                line[at:at] = bytes([draw.choice(BYTES)])
            elif what == 1:
                del line[at:at + 1]
            elif what == 2:
                line[at:at + 1] = bytes([draw.choice(BYTES)])
            elif what == 3:
                del line[at:]
            elif what == 4:
                line[at:at] = line[:draw.randrange(20)]
            else:
                line[at:at] = draw.choice(LONE + ["\\x", "\\u12g4", "01", "1.", "nul", "NaN", "/**/", ",", "//"]).encode()
        return bytes(line)

    def deep(self):
        levels = self.draw.randrange(1015, 1032)
        opened = [self.draw.choice(['{"a":', "[", '{"b":']) for _ in range(levels)]
        opened[0] = '{"a":'
        inside = self.draw.choice(["1", "[]", "{}"])
        return ("".join(opened) + inside + "".join("]" if text == "[" else "}" for text in reversed(opened))).encode()

    def space(self):
        return self.draw.choice(SPACES)

    def value(self, depth):
        kind = self.draw.randrange(10 if depth > 0 else 8)
        if kind < 3:
            return self.string()
        if kind < 8:
            return self.scalar()
        return self.object(depth - 1) if kind == 8 else self.array(depth - 1)

    def object(self, depth):
        members = [
            self.space() + self.name() + self.space() + ":" + self.space() + self.value(depth) + self.space()
            for _ in range(self.draw.randrange(7))]
        return "{" + (",".join(members) or self.space()) + "}"

    def array(self, depth):
        elements = [self.space() + self.value(depth) + self.space() for _ in range(self.draw.randrange(4))]
        return "[" + (",".join(elements) or self.space()) + "]"

    def name(self):
        name = self.draw.choice(NAMES[:self.draw.choice([2, 3, len(NAMES)])])
        if self.draw.random() < 0.1:
            name = "".join(f"\\u{ord(letter):04x}" if self.draw.random() < 0.7 else letter for letter in name)
        return f'"{name}"'

    def string(self):
        pieces = self.draw.choices(PIECES, k=self.draw.choice([0, 1, 1, 2, 3, 8]))
        if self.draw.random() < 0.02:
            pieces.append(self.draw.choice(LONE))
        return '"' + "".join(pieces) + '"'

    def scalar(self):
        return self.draw.choice(["true", "false", "null"]) if self.draw.random() < 0.4 else self.number()

    def number(self):
        if self.draw.random() < 0.5:
            return str(self.draw.randrange(-1000, 100_000))
        return self.draw.choice(NUMBERS)
