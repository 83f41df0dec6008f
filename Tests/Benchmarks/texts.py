"""The inputs, made once from Debian packages and kept in a folder outside git. Delete the folder to make them anew.

    english.txt   dict-gcide, three times over; ASCII, as it stands
    plain.txt     the same, where ' . : , ; stand between two letters or digits a space instead, and - for _: on it
                  UAX #29 and `tr -cs A-Za-z0-9` agree, which on "don't" and "3.14" they do not
    words.txt     the words of plain.txt, one a line
    counts.txt    count lines: words.txt counted by parts of 50,000 words
    sorted.txt    counts.txt, sorted by key
    docs.json     counts.txt as one JSON object a line
    tokens.txt    the first two million lines of words.txt
    few.txt       the first 800,000 of them: as many as librdkafka's mock cluster keeps, however they are dealt out
    lines.txt     a million lines of english.txt, none empty: kcat leaves out empty lines
    world.txt     manpages-ru, -ja and -zh, the lines of prose with other letters than ASCII's, five times over
    world-plain.txt  the same, where UAX #29 and a pattern of grep agree
    events.json   1.5 million JSON log lines (events.py)
    some-events.json  the first 150,000 of them
"""

import glob
import gzip
import os
import re

import events
from measure import run


def english():
    with gzip.open("/usr/share/dictd/gcide.dict.dz") as file:
        text = file.read()
    text = bytes(byte for byte in text if byte < 0x80)
    return (text.strip() + b"\n") * 3


def plain():
    with open("english.txt", "rb") as file:
        text = file.read()
    return re.sub(rb"(?<=[A-Za-z0-9])['.:,;](?=[A-Za-z0-9])", b" ", text.replace(b"_", b"-"))


def world():
    pages = []
    for language in ["ru", "ja", "zh_CN", "zh_TW"]:
        for path in sorted(glob.glob(f"/usr/share/man/{language}/**/*.gz", recursive=True)):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                pages += [line for line in file if not line.isascii() and line[0] not in ".'"]
    if not pages:
        raise SystemExit("no manual pages in /usr/share/man: has dpkg been told to leave them out?")
    return "".join(pages).encode() * 5


def world_plain():
    with open("world.txt", encoding="utf-8") as file:
        text = file.read()
    joined = r"(?<=\w)['.:,;·‘’․﹒＇．﹐﹔，；︓﹕：](?=\w)"
    text = re.sub(joined, " ", text)
    # An underscore, accents that stand for themselves, Armenian punctuation (letters to UAX #29), and the one letter of
    # which the lower case is two.
    return re.sub("[_\u0301\u055a-\u055f\u058aİ]", "-", text).encode()


def made_by(command):
    """A recipe that takes what a shell command prints."""
    return lambda path: run(f"{command} > {path}")


def written(content):
    """A recipe that takes what a function returns."""

    def write(path):
        with open(path, "wb") as file:
            file.write(content())

    return write


def written_in_pieces(pieces):
    """The same for one that yields it piece by piece."""

    def write(path):
        with open(path, "wb") as file:
            file.writelines(pieces())

    return write


COUNT_BY_PARTS = """mawk '{ c[$0]++ }
    NR % 50000 == 0 { for (w in c) print w "\\t" c[w]; delete c }
    END { for (w in c) print w "\\t" c[w] }'"""

DOCUMENTS = """mawk -F'\\t' '{ printf "{\\"token\\":\\"%s\\",\\"count\\":%s}\\n", $1, $2 }'"""

# Those that are made of others stand behind them.
RECIPES = {
    "english.txt": written(english),
    "plain.txt": written(plain),
    "words.txt": made_by("tr -cs A-Za-z0-9 '\\n' < plain.txt"),
    "counts.txt": made_by(COUNT_BY_PARTS + " < words.txt"),
    "sorted.txt": made_by("sort < counts.txt"),
    "docs.json": made_by(DOCUMENTS + " < counts.txt"),
    "tokens.txt": made_by("head -n 2000000 words.txt"),
    "few.txt": made_by("head -n 800000 words.txt"),
    "lines.txt": made_by("grep -m 1000000 . english.txt"),
    "world.txt": written(world),
    "world-plain.txt": written(world_plain),
    "events.json": written_in_pieces(events.events),
    "some-events.json": made_by("head -n 150000 events.json"),
}


def prepare(folder):
    """Makes what is missing in `folder`, and goes there."""
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    for name, make in RECIPES.items():
        if not os.path.exists(name):
            print(f"making {name}", flush=True)
            make(name + ".part")
            os.rename(name + ".part", name)
