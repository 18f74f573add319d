"""What they talk about now that they did not before.

Ranked by log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis
16, 2008, section 3.5), with a floor of 1 in the prior: a word never seen before must not drown in its own variance.
Let in by the likelihood ratio of the mentions that hold it (Dunning, Computational Linguistics 19, 1993): of random
negative tweets (12-120 against 150-3,000 earlier ones) its signed root ≥ 4.3 let a word through once in 16 to 150
times and found a cause named by 15 % of 33 mentions against 700 every time; z ≥ 4 let one through every fifth time
and found that cause once in three.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from brandmelder.incident.copies import fingerprint, first_of_kind
from brandmelder.model import Phrase

LEAST_BACKGROUND = 100
"""So many mentions before the onset are needed to say what is new."""
_LEAST_ROOT = 4.3
_LEAST_COUNT = 3
_SAME = 0.8
"""Phrases whose mentions overlap by more than this share are one."""
_MOST_CHARACTERS = 2000
_MOST_WORDS = 150
"""Of a mention, no more is read: who writes more does not say more, and must not cost more."""
_LONGEST = 40
_UNSAID = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@[\w.@-]+")
_WORD = re.compile(r"#?[^\W_]+(?:[-'’][^\W_]+)*")
_LETTERS = re.compile(r"[^\W\d_].*[^\W\d_].*[^\W\d_]")
"""Three letters."""

_FUNCTION_WORDS = frozenset(
    """
    aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist da dabei dafür damit dann
    das dass daß dein deine dem den denn der des dessen deshalb dich die dies diese diesem diesen dieser dieses dir
    doch dort du durch ein eine einem einen einer eines einfach er es etwas euch euer eure für gar ganz gegen gerade
    gibt habe haben habt halt hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer
    in ins ist ja jede jedem jeden jeder jedes jetzt kann kannst kein keine keinem keinen keiner können könnt man
    mal mehr mein meine meinem meinen meiner mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne
    schon sehr sein seine seit selbst sich sie sind so solche soll sollte sonst über um und uns unser unsere unter
    viel vom von vor wann war waren warum was weil welche wenn wer werde werden wie wieder will wir wird wirklich wo
    wollen wurde wurden zu zum zur zwar a about after again all also am an and any are as at be because been before
    being but by can could did do does don't even for from get go got had has have he her here him his how i i'm if
    in into is it it's its just like me more most my never no not now of off on one only or other our out over
    really she should so some still such than that the their them then there these they this those through to too
    under until up us very was we were what when where which while who why will with would you your
    """.split()  # noqa: SIM905 - a list of two hundred strings is no text to read
)


_COLOURLESS = frozenset(
    """
    andere anderem anderen anderer anderes bleiben bleibt bringen bringt geht gehen ging kam kommen kommt lassen lässt
    machen macht machte sagen sagt sagte stehen steht tun tut
    came come comes does doing gets getting goes going made make makes said say saying says take takes took went
    """.split()  # noqa: SIM905 - as above
)
"""Verbs and the like that stand in every story: alone they say nothing of this one, in a pair they may."""
_NUMBERS = frozenset(
    """
    zwei drei vier fünf sechs sieben acht neun zehn elf zwölf
    two three four five six seven eight nine ten eleven twelve
    """.split()  # noqa: SIM905 - as above
)
"""Words that say how many: like figures they name nothing alone."""


class Background(Struct, frozen=True, kw_only=True):
    """In how many of the brand's mentions before the onset each word and pair stood."""

    counts: Mapping[str, int] = MappingProxyType({})
    mentions: int = 0


def background(texts: Iterable[str]) -> Background:
    """Count the words and pairs of the mentions before the onset, once for each mention, equal texts once."""
    distinct = {fingerprint(text): text for text in texts}
    counts = Counter(term for text in distinct.values() for term in terms(text))
    return Background(counts=counts, mentions=len(distinct))


def terms(text: str) -> dict[str, str]:
    """Return the words (three letters or more, #tags kept) and pairs of a text: folded form to the form it stands in.

    Links, handles and lone numbers are left out; a pair does not cross punctuation, nor does it begin or end with a
    function word.
    """
    plain = _UNSAID.sub(" | ", unicodedata.normalize("NFC", text[:_MOST_CHARACTERS]))
    found: dict[str, str] = {}
    before: re.Match[str] | None = None
    for match, _ in zip(_WORD.finditer(plain), range(_MOST_WORDS), strict=False):
        word = match[0]
        if _is_telling(word) and _names_something(word):
            found.setdefault(word.casefold(), word)
        if before is not None and _is_pair(before, match, plain):
            pair = f"{before[0]} {word}"
            found.setdefault(pair.casefold(), pair)
        before = match
    return found


def _is_telling(word: str) -> bool:
    return len(word) <= _LONGEST and word.casefold() not in _FUNCTION_WORDS


def _is_pair(first: re.Match[str], second: re.Match[str], text: str) -> bool:
    if not text[first.end() : second.start()].isspace():
        return False
    if not (_is_telling(first[0]) and _is_telling(second[0])):
        return False
    return _names_something(first[0]) or _names_something(second[0])


def _names_something(word: str) -> bool:
    return _LETTERS.search(word) is not None and word.casefold() not in _NUMBERS | _COLOURLESS


def key_phrases(
    texts: Sequence[str], before: Background, *, own_names: Iterable[str] = (), most: int = 5
) -> tuple[Phrase, ...]:
    """Return up to `most` words or pairs that are new against the usual, the most telling first.

    `texts` are the incident's negative mentions (near copies count once), `own_names` the brand's. Nothing is better
    than noise: a phrase stands in at least three mentions and far beyond chance, and without LEAST_BACKGROUND mentions
    to compare with there is none.
    """
    distinct = [terms(texts[place]) for place, first in enumerate(first_of_kind(texts)) if place == first]
    return key_terms(distinct, before, own_names=own_names, most=most)


def key_terms(
    distinct: Sequence[Mapping[str, str]], before: Background, *, own_names: Iterable[str] = (), most: int = 5
) -> tuple[Phrase, ...]:
    """Return the same from the `terms` of mentions that are no copies of one another."""
    if before.mentions < LEAST_BACKGROUND:
        return ()
    standing = _where_each_stands(distinct)
    scores = _log_odds({term: len(places) for term, places in standing.items()}, before.counts)
    names = _names(own_names)
    telling = [
        term
        for term, _ in sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))
        if not _is_own(term, names) and _is_new(len(standing[term]), len(distinct), before, term)
    ]
    chosen = _merged(telling, standing)[:most]
    return tuple(Phrase(text=_written(term, distinct), count=len(standing[term])) for term in chosen)


def _is_new(count: int, mentions: int, before: Background, term: str) -> bool:
    if count < _LEAST_COUNT:
        return False
    return _root(count, mentions, min(before.counts.get(term, 0), before.mentions), before.mentions) >= _LEAST_ROOT


def _root(now: int, of_now: int, before: int, of_before: int) -> float:
    """Return the signed square root of the likelihood ratio that a term's shares now and before are one."""
    together = (now + before) / (of_now + of_before)
    ratio = sum(
        count * math.log(count / (total * share))
        for count, total, share in (
            (now, of_now, together),
            (of_now - now, of_now, 1 - together),
            (before, of_before, together),
            (of_before - before, of_before, 1 - together),
        )
        if count
    )
    return math.copysign(math.sqrt(2 * max(0.0, ratio)), now / of_now - before / of_before)


def _where_each_stands(distinct: Sequence[Mapping[str, str]]) -> dict[str, frozenset[int]]:
    standing: dict[str, set[int]] = {}
    for place, found in enumerate(distinct):
        for term in found:
            standing.setdefault(term, set()).add(place)
    return {term: frozenset(places) for term, places in standing.items()}


def _log_odds(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, float]:
    """Return z per term: the log-odds ratio of its counts now and before over its standard deviation.

    The vocabulary is what is said now; α_w = 0.02·(f + g) + 1.
    """
    counts = {term: (count, before.get(term, 0)) for term, count in now.items()}
    total_now, total_before = sum(now.values()), sum(before.values())
    prior = {term: 0.02 * (f + g) + 1 for term, (f, g) in counts.items()}
    all_prior = sum(prior.values())
    scores = {}
    for term, (f, g) in counts.items():
        here, there = f + prior[term], g + prior[term]
        others_now, others_before = total_now + all_prior - here, total_before + all_prior - there
        odds = math.log(here / max(1.0, others_now)) - math.log(there / max(1.0, others_before))
        scores[term] = odds / math.sqrt(1 / here + 1 / there)
    return scores


def _names(own_names: Iterable[str]) -> frozenset[str]:
    """Return the brand's names as words and as whole terms, folded."""
    folded = [" ".join(_WORD.findall(name.casefold())) for name in own_names]
    return frozenset(word.removeprefix("#") for name in folded for word in (name, *name.split()) if word)


def _is_own(term: str, names: frozenset[str]) -> bool:
    """Return whether a term holds one of the brand's names, also in the genitive."""
    words = [word.removeprefix("#") for word in term.split()]
    return any(word in names or word.removesuffix("s") in names or word.split("-")[0] in names for word in words)


def _merged(telling: Sequence[str], standing: Mapping[str, frozenset[int]]) -> list[str]:
    """Return the terms without those that stand in the same mentions as another: the longer is kept."""
    kept: list[str] = []
    for term in telling:
        twin = next((one for one in kept if _overlap(standing[term], standing[one]) > _SAME), None)
        if twin is None:
            kept.append(term)
        elif len(term) > len(twin):
            kept[kept.index(twin)] = term
    return kept


def _overlap(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other)


def _written(term: str, distinct: Sequence[Mapping[str, str]]) -> str:
    """Return the form in which a term stands most often."""
    forms = Counter(found[term] for found in distinct if term in found)
    return max(sorted(forms), key=lambda form: forms[form])
