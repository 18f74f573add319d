"""Five thousand hostile feeds through the real parser child: none may take longer than its limits, none may kill us.

    python bench/fuzz/feeds.py [COUNT]

Feeds are made from honest ones by the tricks of hostile servers (bombs, nesting, quadratic markup, charset lies, cuts,
controls, huge fields) and by mutation; the same number makes the same feeds. Prints what became of them.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from brandmelder.capture.child import ParserChild
from brandmelder.errors import Blocked

RECORDED = sorted((Path(__file__).parents[2] / "tests/capture/recorded").glob("*.xml"))
KINDS = ("application/rss+xml", "text/xml; charset=utf-16", "text/html", "application/atom+xml; charset=x-evil", "")


def _bomb(_honest: bytes, _rng: random.Random, _many: int) -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return f"<!DOCTYPE x [{entities}]><rss><channel><item><title>&a9;</title></item></channel></rss>".encode()


def _outside(_honest: bytes, _rng: random.Random, _many: int) -> bytes:
    head = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return head + b'<rss version="2.0"><channel><item><title>&e;</title></item></channel></rss>'


def _recoded(honest: bytes, rng: random.Random, _many: int) -> bytes:
    return honest.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32", "utf-7", "cp037")), "replace")


def _noise(_honest: bytes, rng: random.Random, many: int) -> bytes:
    return bytes(rng.randrange(256) for _ in range(min(many, 3_000)))


def _many_items(_honest: bytes, _rng: random.Random, many: int) -> bytes:
    return _RSS + b"<item><title>x</title><guid>1</guid></item>" * many + b"</channel></rss>"


_RSS = b'<rss version="2.0"><channel>'
_ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>'
TRICKS = (
    _bomb,
    _outside,
    _recoded,
    _noise,
    _many_items,
    lambda _h, _r, many: _RSS + b"<item>" * many + b"<title>x",
    lambda _h, _r, many: _RSS + b"<item><description>" + b"&lt;div&gt;" * many,
    lambda _h, _r, many: _RSS + b"<item><title>" + b"<![CDATA[" * many + b"]]>" * many,
    lambda _h, _r, many: b"<rss " + b" ".join(b'a%d="x"' % n for n in range(many)) + b"><channel/></rss>",
    lambda _h, _r, many: b"<rss" + b" xmlns:a='x'" * many + b"/>",
    lambda honest, rng, _m: honest[: rng.randrange(len(honest))],
    lambda honest, _r, many: b"\xff\xfe" + honest + b"\0" * many,
    lambda _h, _r, many: _ATOM + b'<content type="xhtml">' + b"<div>" * many,
    lambda _h, _r, many: _RSS + b"<item><pubDate>" + b"9" * many + b"</pubDate></item></channel></rss>",
    lambda _h, _r, many: _RSS + b"<item><link>" + b"http://" * many + b"</link></item></channel></rss>",
    lambda honest, rng, _m: _mutated(honest, rng),
)


def tricks(rng: random.Random) -> bytes:
    """Return one feed that is meant badly."""
    return rng.choice(TRICKS)(rng.choice(RECORDED).read_bytes(), rng, rng.choice((10, 1_000, 30_000)))


_PIECES = (b"<", b">", b"&", b"]]>", b"<!--", b"\0", b"\xc0\x80", b"</item>", b"<item>", b"&#x0;", b"\x1b[2J")


def _mutated(honest: bytes, rng: random.Random) -> bytes:
    body = bytearray(honest)
    for _ in range(rng.randrange(1, 40)):
        at = rng.randrange(len(body))
        piece = rng.choice(
            (b"<", b">", b"&", b"]]>", b"<!--", b"\0", b"\xc0\x80", b"</item>", b"<item>", b"&#x0;", b"\x1b[2J")
        )
        body[at : at + rng.randrange(3)] = piece
    return bytes(body)


async def main(count: int) -> int:
    """Parse `count` feeds."""
    rng, child = random.Random(2026), ParserChild()
    outcomes: Counter[str] = Counter()
    slowest, began = 0.0, time.monotonic()
    for number in range(count):
        body, kind = tricks(rng), rng.choice(KINDS)
        start = time.monotonic()
        try:
            found = await child.parse_feed(body, kind)
            outcomes["read" if found.entries else "refused" if found.refusal else "empty"] += 1
        except Blocked as error:
            outcomes[error.why] += 1
        slowest = max(slowest, time.monotonic() - start)
        if number % 1000 == 999:
            print(f"{number + 1} feeds, {time.monotonic() - began:.0f} s", flush=True)
    await child.close()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    told = ", ".join(f"{what} {many}" for what, many in outcomes.most_common())
    print(f"{count} feeds: {told}; slowest {slowest:.1f} s, child at most {peak} MB, the service {ours} MB, uncaught 0")
    return 0 if slowest < 7 and peak <= 512 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)))
