"""The rows of the table: what is run against what, on which input, and what is compared before a ratio is printed."""

import os
from dataclasses import dataclass
from functools import partial

from measure import CommandFailed, answer, in_turn, run


@dataclass(frozen=True)
class Row:
    name: str  # on the command line of bin/bench
    ours: str  # as in the table
    against: str  # as in the table
    target: float | None  # the ratio to reach; None: shown for comparison only
    input: str
    unit: str  # "MB" or "M lines" of the input
    run: str  # what is timed; reads the input, writes to /dev/null
    rival: str
    same: str  # what is compared, in words
    answers: tuple[str, str] | None = None  # what is compared, where that is not the two timed commands' outputs
    cpu: float | None = None  # the most processor time it may take, as a share of the rival's

    def measure(self, seconds):
        """First the answers, then the times. Returns the number of lines that were the same, and the pairs of runs."""
        return self.compare(), in_turn(*(partial(run, self.timed(work)) for work in (self.run, self.rival)), seconds)

    def compare(self):
        """Runs both to the end and compares what they print. Returns the number of lines that were found the same."""
        ours, rival = (answer(f"{{ {command}; }} < {self.input}") for command in self.answers or (self.run, self.rival))
        if ours.lines == 0 or ours != rival:
            raise CommandFailed(f"the answers differ ({ours.lines:,} lines and {rival.lines:,})")
        return ours.lines

    def amount(self):
        """How much the input is, in millions of bytes or lines."""
        if self.unit == "MB":
            return os.path.getsize(self.input) / 1e6
        with open(self.input, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) / 1e6

    def timed(self, command):
        return f"{{ {command}; }} < {self.input} > /dev/null"


TR_SPACE = r"tr -s ' \t\v\f\r\n' '\n'"
TR_WORDS = r"tr -cs A-Za-z0-9 '\n'"
GREP_RUNS = r"LC_ALL=C.UTF-8 grep -oP '(*UCP)\w+'"
# What UAX #29 makes of world-plain.txt: each ideograph and hiragana alone, katakana together, other letters and digits.
GREP_WORDS = (
    r"LC_ALL=C.UTF-8 grep -oP '(*UCP)[\p{sc:Han}\p{sc:Hiragana}]|[\p{sc:Katakana}ー]+|"
    r"[^\W\p{sc:Han}\p{sc:Hiragana}\p{sc:Katakana}ー\p{No}]+'")
FOLD = r"LC_ALL=C.UTF-8 sed 's/.*/\L&/'"
MAWK_COUNT = "mawk '{ c[$0]++ } END { for (w in c) print w \"\\t\" c[w] }'"
MAWK_SUM = "mawk -F'\\t' '{ c[$1] += $2 } END { for (w in c) print w \"\\t\" c[w] }'"
# The order of a top list: count descending, then key ascending.
BY_COUNT = "sort -t'\t' -k2,2nr -k1,1"
MAWK_JSON = "mawk -F'\\t' '{ printf \"{\\\"token\\\":\\\"%s\\\",\\\"count\\\":%s}\\n\", $1, $2 }'"
JQ_JSON = "jq -Rc 'split(\"\\t\") | { token: .[0], count: (.[1] | tonumber) }'"
JQ_BULK = "jq -c '{ index: { _index: \"words\", _id: .token } }, .'"

# Two nested fields of JSON log lines, alone and counted. The rivals read the file by its name, on two threads.
FIELDS = "from-json request.path response.status"
JQ_FIELDS = "jq -r '[.request.path, .response.status] | @tsv'"
PYTHON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.venv-bench/bin")


def duckdb(limit):
    columns = "{request: 'STRUCT(path VARCHAR)', response: 'STRUCT(status BIGINT)'}"
    groups = (
        "SELECT request.path AS path, response.status AS status, count(*) AS n "
        f"FROM read_ndjson('events.json', columns = {columns}) GROUP BY ALL")
    query = f"FROM ({groups}) ORDER BY n DESC, path || chr(9) || status" + (f" LIMIT {limit}" if limit else "")
    return f"{PYTHON}/duckdb -list -noheader -separator $'\\t' -c 'SET threads = 2' -c \"{query}\""


def library(name, limit):
    """polars or ClickHouse; the time has that of starting Python and loading it in it, a quarter of a second."""
    return f"{PYTHON}/python {os.path.dirname(os.path.abspath(__file__))}/json_rivals.py {name} {limit}"


COUNTED = "every pair and its count, in the order of a top list (`cms-topk -k 0`, and the rival without its limit)"


def counting(name, ours, against, target, work, rival, cpu=None):
    return Row(
        name, f"{ours} | cms-topk", against, target, "events.json", "MB", f"{work} | cms-topk", rival(10), COUNTED,
        answers=(f"{work} | cms-topk -k 0", rival(0)), cpu=cpu)


WORLD_ANSWERS = ("tokenize -w -l", f"{GREP_WORDS} | {FOLD}")

ROWS = [
    Row(
        "tokenize", "tokenize", "tr -s", 4, "english.txt", "MB", "tokenize", TR_SPACE,
        "every token, in order"),
    Row(
        "tokenize-cat", "cat | tokenize", "cat | cat", 0.8, "english.txt", "MB", "cat | tokenize", "cat | cat",
        "every token, in order, with `cat | tr -s` in place of `cat | cat`",
        answers=("cat | tokenize", f"cat | {TR_SPACE}")),
    Row(
        "tokenize-words", "tokenize -w -l", "tr -cs", 3, "plain.txt", "MB", "tokenize -w -l", TR_WORDS,
        "every token, in order, with `| tr A-Z a-z` behind the rival (timed without it)",
        answers=("tokenize -w -l", TR_WORDS + " | tr A-Z a-z")),
    Row(
        "tokenize-words-raw", "tokenize -w -l, text as it stands", "tr -cs", None, "english.txt", "MB", "tokenize -w -l",
        TR_WORDS,
        "every token, in order, with `tr -cs` behind ours (it splits don't and 3.14) and `tr A-Z a-z` behind the rival "
        "(both timed without)",
        answers=(f"tokenize -w -l | {TR_WORDS}", TR_WORDS + " | tr A-Z a-z")),
    Row(
        "tokenize-world", "tokenize -w -l, Cyrillic and CJK", "grep -oP '\\w+'", 20, "world-plain.txt", "MB",
        # Where its output is /dev/null grep would stop at the first match; and a pipe would slow both.
        "tokenize -w -l", f"{GREP_RUNS} > /dev/zero",
        "every token, in order, with `sed 's/.*/\\L&/'` behind the rival and a pattern that takes runs of ideographs "
        "apart (timed without both)",
        answers=WORLD_ANSWERS),
    Row(
        "tokenize-world-folded", "tokenize -w -l, Cyrillic and CJK", "grep -oP '\\w+' | sed \\L", None,
        "world-plain.txt", "MB", "tokenize -w -l", f"{GREP_RUNS} | {FOLD}", "as above", answers=WORLD_ANSWERS),
    Row(
        "cms-topk", "cms-topk", "mawk '{c[$0]++}'", 7, "words.txt", "M lines", "cms-topk -k 20", "mawk '{ c[$0]++ }'",
        "every word and its count, in the order of a top list: `cms-topk -k 0` and mawk with a loop that prints "
        "(timed without it)",
        answers=("cms-topk -k 0", f"{MAWK_COUNT} | {BY_COUNT}")),
    Row(
        "pipeline-mawk", "tokenize -w | cms-topk", "tr -cs | mawk", 6, "plain.txt", "MB",
        "tokenize -w | cms-topk -k 20", TR_WORDS + " | mawk '{ c[$0]++ }'",
        "every word and its count, as above",
        answers=("tokenize -w | cms-topk -k 0", f"{TR_WORDS} | {MAWK_COUNT} | {BY_COUNT}")),
    Row(
        "pipeline-sort", "tokenize -w | cms-topk", "tr | sort | uniq -c | sort -rn", 20, "plain.txt", "MB",
        "tokenize -w | cms-topk -k 20", TR_WORDS + " | sort | uniq -c | sort -rn",
        "every word and its count, as above, the rival's columns swapped",
        answers=(
            "tokenize -w | cms-topk -k 0",
            TR_WORDS + " | sort | uniq -c | mawk '{ print $2 \"\\t\" $1 }' | " + BY_COUNT)),
    Row(
        "merge-counts-mawk", "merge-counts", "mawk '{c[$1]+=$2}'", 5, "counts.txt", "M lines", "merge-counts",
        MAWK_SUM, "every key and its total, both sorted",
        answers=("merge-counts | sort", MAWK_SUM + " | sort")),
    Row(
        "merge-counts-datamash", "merge-counts", "datamash -s -g 1 sum 2", 10, "counts.txt", "M lines", "merge-counts",
        "datamash -s -g 1 sum 2", "every key and its total, both sorted",
        answers=("merge-counts | sort", "datamash -s -g 1 sum 2 | sort")),
    Row(
        "to-json-mawk", "to-json token count:int", "mawk printf", 4, "counts.txt", "M lines", "to-json token count:int",
        MAWK_JSON, "every document"),
    Row(
        "to-json-jq", "to-json token count:int", "jq -R", 40, "counts.txt", "M lines", "to-json token count:int",
        JQ_JSON, "every document"),
    Row(
        "es-bulk", "es-bulk --id token", "jq", 15, "docs.json", "M lines", "es-bulk --index words --id token", JQ_BULK,
        "every action line and document (empty lines between batches left out)",
        answers=("es-bulk --index words --id token | sed '/^$/d'", JQ_BULK)),
    Row(
        "from-json-jq", "from-json, two nested fields", "jq", 30, "some-events.json", "MB", FIELDS, JQ_FIELDS,
        "both fields of every line"),
    Row(
        "from-json-strict-jq", "from-json --strict, the same", "jq", None, "some-events.json", "MB", FIELDS + " --strict",
        JQ_FIELDS, "both fields of every line"),
    counting("from-json-duckdb", "from-json", "DuckDB, two threads", 2, FIELDS, duckdb, cpu=0.5),
    counting("from-json-strict-duckdb", "from-json --strict", "DuckDB, two threads", 1.2, FIELDS + " --strict", duckdb),
    counting("from-json-polars", "from-json", "polars, two threads", None, FIELDS, partial(library, "polars")),
    counting("from-json-clickhouse", "from-json", "ClickHouse, two threads", None, FIELDS, partial(library, "clickhouse")),
]
