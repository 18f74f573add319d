"""Which mentions are near copies: one text sent round three hundred times is not three hundred critics."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIMILAR = 0.75
"""Jaccard similarity of the word sets from which two texts are copies."""
_FEWEST = 5
"""Texts of fewer words ("danke", "ok") are copies only if they are equal."""
_MOST_CHARACTERS = 2000
_MOST_WORDS = 150
_MOST_COMPARED = 64
"""How many first texts one is compared with: strangers must not buy quadratic time."""
_UNSAID = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@[\w.@-]+")
_WORD = re.compile(r"[^\W_]+")


def fingerprint(text: str) -> str:
    """Return what is left of a text without case, links, handles, punctuation and spacing; the text if nothing is."""
    return _print(text, _words(text))


def _print(text: str, words: list[str]) -> str:
    return " ".join(words) if words else " ".join(text[:_MOST_CHARACTERS].split())


def first_of_kind(texts: Sequence[str]) -> list[int]:
    """Return for each text the place of the first one it is a copy of, its own place if there is none before it.

    Texts are grouped round the first of their kind: equal fingerprints, or word sets with a Jaccard similarity of at
    least SIMILAR, found by the prefix filter (two such sets share one of their rarest words: Bayardo, Ma and Srikant,
    WWW 2007).
    """
    said = [_words(text) for text in texts]
    prints = [_print(text, mine) for text, mine in zip(texts, said, strict=True)]
    words = {one: frozenset(mine) for one, mine in zip(prints, said, strict=True)}
    spread = Counter(word for distinct in words.values() for word in distinct)
    firsts: dict[str, int] = {}
    by_word: defaultdict[str, list[str]] = defaultdict(list)
    places = []
    for place, one in enumerate(prints):
        if one not in firsts:
            rare = _rarest(words[one], spread)
            known = _alike(words[one], rare, by_word, words)
            firsts[one] = place if known is None else firsts[known]
            if known is None:
                for word in rare:
                    by_word[word].append(one)
        places.append(firsts[one])
    return places


def _words(text: str) -> list[str]:
    plain = _UNSAID.sub(" ", unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS]).casefold())
    return _WORD.findall(plain)[:_MOST_WORDS]


def _rarest(words: frozenset[str], spread: Counter[str]) -> list[str]:
    if len(words) < _FEWEST:
        return []
    length = len(words) - math.ceil(SIMILAR * len(words)) + 1
    return sorted(words, key=lambda word: (spread[word], word))[:length]


def _alike(
    words: frozenset[str], rare: list[str], by_word: defaultdict[str, list[str]], known: dict[str, frozenset[str]]
) -> str | None:
    candidates = dict.fromkeys(one for word in rare if word in by_word for one in by_word[word][:_MOST_COMPARED])
    for one in list(candidates)[:_MOST_COMPARED]:
        shared = len(words & known[one])
        if shared >= SIMILAR * (len(words) + len(known[one]) - shared):
            return one
    return None
