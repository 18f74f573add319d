"""How long the slowest hostile text takes: `python bench/judgement/hostile.py`; 50 ms is the limit."""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime

from brandmelder.classify.lexicon import LexiconClassifier
from brandmelder.classify.linear import LinearClassifier
from brandmelder.model import Mention, SourceId

MEGABYTE = 1_000_000
LIMIT = 50
NOON = datetime(2026, 1, 1, tzinfo=UTC)
REPEATED = (
    "a", " ", "\n", "\0", "é", "e\u0301", "ß", "…", "🤬", "👩\u200d👩\u200d👧", "\u200b", "\u202e", "\ud83d", "ﷺ", "电",
    "Ж", "!", "?!", "@a ", "@", "http://", "https://a.de/b ", "www.", ".de/", "&amp;", "&lt;", "nicht ",
    "kein Internet ", "not ", "Störung", "ausfall", "abc.", "#tag ", "\u0308", "i\u0307", ":-) ", "~", "'", "-",
    "seit 3 ", "!?", "1", "\ufb00", "\u01c4", "한", "\u1161", "अ", "ا",
)  # fmt: skip


def texts():
    """Yield texts of a megabyte of one thing, and texts of any code points."""
    for piece in REPEATED:
        yield repr(piece), piece * (MEGABYTE // len(piece))
    rng = random.Random(5)
    for number in range(200):
        yield f"random {number}", "".join(map(chr, rng.choices(range(0x11000), k=2_000)))


def slowest(classifier):
    """Return (CPU milliseconds, name) of every text, slowest first."""
    found = []
    for name, text in texts():
        mention = Mention(source=SourceId("a"), external_id="1", text=text, published_at=NOON, captured_at=NOON)
        times = []
        for _ in range(3):
            begin = time.process_time()
            classifier.classify([mention])
            times.append(time.process_time() - begin)
        found.append((1000 * min(times), name))
    return sorted(found, reverse=True)


def main():
    """Print the slowest five of each classifier; fail above the limit."""
    is_late = False
    for classifier in (LinearClassifier("Acme"), LexiconClassifier("Acme")):
        found = slowest(classifier)
        print(f"{classifier.name}: {len(found)} hostile texts, no exception; the slowest, in CPU milliseconds:")
        for milliseconds, name in found[:5]:
            print(f"  {milliseconds:6.2f}  {name}")
        is_late |= found[0][0] > LIMIT
    sys.exit(f"slower than {LIMIT} ms" if is_late else 0)


if __name__ == "__main__":
    main()
