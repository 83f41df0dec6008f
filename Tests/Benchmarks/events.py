"""JSON log lines, the same at each run: what a web shop's servers would write, 1.5 million of them in 377 MB.

The two fields that the rows count are nested: `request.path`, of which there are some 40,000, and `response.status`.
One line in fifty has escapes in its message, one in a hundred letters that are not ASCII.
"""

import random

LINES = 1_500_000
LEVELS = ["info"] * 94 + ["warn"] * 4 + ["error"] * 2
METHODS = ["GET"] * 8 + ["POST", "PUT"]
STATUSES = [200] * 85 + [204, 301, 302, 304, 304, 400, 401, 403, 404, 404, 404, 404, 500, 502, 503]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "Mozilla/5.0 (iPhone; CPU OS 17_0)", "okhttp/4.12.0"]
MESSAGES = ["request done", "served from cache", "slow upstream, answered all the same"]
ESCAPED = ['unknown sort order \\"price\\"', "upstream said:\\n\\tnot now"]
FOREIGN = ["Größe unbekannt", "страница не найдена", "在庫がありません"]


def events(lines=LINES):
    """The lines, in bytes, some thousands at a time."""
    draw = random.Random(20)
    number, pick = draw.random, draw.choice
    pieces = []
    for index in range(lines):
        seconds = index // 100
        hour, minute, second = seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
        # Few pages are asked for often: the square of an even draw, squared.
        page = int(number() ** 4 * 40_000)
        message = pick(ESCAPED) if index % 50 == 49 else pick(FOREIGN) if index % 100 == 0 else pick(MESSAGES)
        pieces.append(
            f'{{"@timestamp":"2026-11-22T{hour:02}:{minute:02}:{second:02}.{index % 100:02}0Z","level":"{pick(LEVELS)}",'
            f'"host":"web-{page % 20:02}","request":{{"method":"{pick(METHODS)}","path":"/products/{page}",'
            f'"agent":"{pick(AGENTS)}"}},"response":{{"status":{pick(STATUSES)},'
            f'"seconds":{number():.4f}}},"customer":{int(number() * 100_000)},"message":"{message}"}}\n')
        if len(pieces) == 10_000:
            yield "".join(pieces).encode()
            pieces.clear()
    yield "".join(pieces).encode()
