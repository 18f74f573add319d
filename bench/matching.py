"""Matching mentions against all queries at once, beside one regular expression per query and a set of RE2's.

    python bench/matching.py [--queries 1000] [--texts 20000]
    make bench-matching      # 1,000 and 10,000 queries, with google-re2 installed

Texts are made from a seed: about 150 characters, a third of them naming one or two of the brands. All ways must find
the same monitors; the run fails otherwise. RE2 is left out, visibly, where google-re2 is not installed.
"""

from __future__ import annotations

import argparse
import random
import re
import time

from rich.console import Console
from rich.table import Table

from brandmelder.capture.folding import fold
from brandmelder.capture.match import Matcher

SYLLABLES = re.findall("...", "norstafunkelbriwestormalgenlaurinosthaidelprovitsalkamburgaswinterlonmerzusfal")
WORDS = re.findall(
    r"\w+",
    "der die das und ist nicht seit heute gestern wieder kein Internet Störung warte Hotline Rechnung Termin Techniker "
    "schon mal jemand eine Antwort bekommen bei euch auch alles weg Kündigung danke super endlich läuft größer Straße "
    "the and again still waiting for my refund since Monday nobody answers great service thank you",
)


def names(dice: random.Random, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(dice.choices(SYLLABLES, k=dice.randint(2, 4)))] = None
    return list(found)


def query(name: str) -> str:
    return f'({name} OR "{name[:3]} {name[3:]}" OR #{name}hilft) -stellenanzeige -"wir suchen"'


def patterns(name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    between = r"(?:(?![&+])[\W_])+"
    wanted = rf"(?<![^\W_])(?:{name}|{name[:3]}{between}{name[3:]})(?![^\W_])|(?<![\w&/])#{name}hilft(?!\w)"
    return re.compile(wanted), re.compile(rf"(?<![^\W_])(?:stellenanzeige|wir{between}suchen)(?![^\W_])")


MOST_FOR_RE2 = 1_000
"""RE2 refuses to compile ten thousand of these in one set, and takes minutes for ten sets."""


def re2_sets(brands: list[str]):
    """One set of what is wanted, one of what is not; RE2 knows no looking behind, so the signs around count too."""
    import re2

    quiet = re2.Options()
    quiet.max_mem, quiet.log_errors = 1 << 30, False
    edge, after, between = r"(?:^|[^\pL\pN])", r"(?:$|[^\pL\pN])", r"[^\pL\pN&+]+"
    wanted = re2.Set.SearchSet(quiet)
    for name in brands:
        spoken = rf"{edge}(?:{name}|{name[:3]}{between}{name[3:]}){after}"
        wanted.Add(rf"{spoken}|(?:^|[^\pL\pN_&/])#{name}hilft(?:$|[^\pL\pN_])")
    wanted.Compile()
    unwanted = re2.Set.SearchSet(quiet)
    unwanted.Add(rf"{edge}(?:stellenanzeige|wir{between}suchen){after}")
    unwanted.Compile()
    return wanted, unwanted


def by_re2(brands: list[str], texts: list[str]) -> tuple[list[tuple[str, ...]], float, float]:
    """Return what the sets find, texts per second, and seconds to build."""
    before = time.process_time()
    wanted, unwanted = re2_sets(brands)
    built, before = time.process_time() - before, time.process_time()
    found = []
    for line in map(fold, texts):
        hits = sorted(wanted.Match(line))
        found.append(tuple(brands[at] for at in hits) if hits and not unwanted.Match(line) else ())
    return found, len(texts) / (time.process_time() - before), built


def text(dice: random.Random, brands: list[str]) -> str:
    words = dice.choices(WORDS, k=24)
    if dice.random() < 1 / 3:
        for brand in dice.choices(brands, k=dice.randint(1, 2)):
            form = dice.choice(["{}", "@{}", "#{}hilft", "{}er", "{}-Shop", "{} Stellenanzeige"])
            words.insert(dice.randrange(24), form.format(brand.capitalize()))
    return " ".join(words)[:160]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--queries", type=int, default=1_000)
    arguments.add_argument("--texts", type=int, default=20_000)
    asked = arguments.parse_args()
    dice = random.Random(11)
    brands = names(dice, asked.queries)
    texts = [text(dice, brands) for _ in range(asked.texts)]

    before = time.process_time()
    matcher = Matcher({name: query(name) for name in brands})
    built = time.process_time() - before
    before = time.process_time()
    found = matcher.monitors(texts)
    ours = len(texts) / (time.process_time() - before)

    compiled = {name: patterns(name) for name in brands}
    sample = texts[: max(20, 200_000 // asked.queries)]
    before = time.process_time()
    peer = [
        tuple(
            name for name, (wanted, unwanted) in compiled.items() if wanted.search(line) and not unwanted.search(line)
        )
        for line in map(fold, sample)
    ]
    theirs = len(sample) / (time.process_time() - before)
    if peer != found[: len(sample)]:
        raise SystemExit("the two ways disagree")

    sets, why = None, f"not measured above {MOST_FOR_RE2:,} queries"
    if asked.queries <= MOST_FOR_RE2:
        try:
            sets, sets_pace, sets_built = by_re2(brands, texts[:1_000])
        except ImportError:
            why = "google-re2 is not installed"
    if sets is not None and sets != found[: len(sets)]:
        raise SystemExit("RE2's sets disagree")

    hits = sum(map(len, found)) / len(found)
    mean = sum(map(len, texts)) / len(texts)
    table = Table(title=f"{asked.queries:,} queries, texts of {mean:.0f} characters, {hits:.2f} monitors per mention")
    for column in ("method", "mentions per CPU s", "ratio"):
        table.add_column(column, justify="left" if column == "method" else "right")
    table.add_row("one regular expression per query", f"{theirs:,.0f}", "1")
    if sets is None:
        table.add_row(f"a set of RE2's ({why})", "-", "-")
    else:
        table.add_row(
            f"a set of RE2's (built in {sets_built:.2f} s)", f"{sets_pace:,.0f}", f"{sets_pace / theirs:,.0f}"
        )
    table.add_row(f"Matcher (built in {built:.2f} s)", f"{ours:,.0f}", f"{ours / theirs:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
