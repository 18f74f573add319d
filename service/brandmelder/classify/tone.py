"""How a text sounds: the words that weigh something, each in its scope of negation, stress, question and mockery.

A few linear rules. A negator turns what stands up to three words behind it, never across punctuation, and not into its
full opposite (Taboada et al. 2011: `nicht gut` is milder than `schlecht`). What one may expect counts when denied. A
sentence that asks says less; behind a `but` stands the main point; praise that opens bad news is mockery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.classify.words import TOPICS, Role, Term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEGATION: Final = -0.7
UNMET: Final = -1.8
"""What a denied duty weighs: `keine Antwort`, `meldet sich niemand`."""
REACH: Final = 3
"""How many words forward a negator reaches."""
REACH_BACK: Final = 5
"""How far behind a verb or a duty its negator may stand: `geht seit heute überhaupt nichts`."""
MORE, LESS = 1.35, 0.7
BEFORE_BUT, AFTER_BUT = 0.6, 1.25
ASKED, ASKED_INCIDENT = 0.6, 0.2
SOLVED, DEFENDED, MOCKED = 0.3, 0.4, -0.5

# Plain numbers: to ask an enum for its member costs more than the rest of the loop.
_BREAK, _END, _ASKS = int(Role.BREAK), int(Role.END), int(Role.ASKS)
_BUT, _NEGATOR, _NUMBER = int(Role.BUT), int(Role.NEGATOR), int(Role.NUMBER)
_MORE, _STRESS, _DUTY = int(Role.MORE), int(Role.MORE | Role.LESS), int(Role.DUTY)
_DENIED_LATER, _SOBER = int(Role.DUTY | Role.AFTER), int(Role.INCIDENT | Role.DUTY)
_INSULT, _FIXED = int(Role.INSULT), int(Role.INSULT | Role.SARCASM)
_IRONY, _OPENER, _SOLVED, _DEFENCE = int(Role.IRONY), int(Role.OPENER), int(Role.SOLVED), int(Role.DEFENCE)
_NEVER = -1_000
_STOP = Term("", roles=_END)
_AFTER_MOCKERY = frozenset(", ! !! !!! . .. schon wieder jetzt noch mal another again just now".split())  # noqa: SIM905


class Hit:
    """A term at its place in the text, and what it weighs there."""

    __slots__ = ("opens", "place", "term", "value")

    def __init__(self, place: int, term: Term, value: float) -> None:
        self.place, self.term, self.value = place, term, value
        self.opens = False


class Tone(Struct, frozen=True):
    """What was found in a text: `positive` and `negative` are sums of weights, both from 0 up."""

    hits: tuple[Hit, ...]
    positive: float
    negative: float
    insult: float
    defends: bool
    topics: tuple[str, ...]


def weigh(tokens: Sequence[str], dictionary: Mapping[str, Term | None]) -> Tone:
    """Return the tone of a text's tokens (words.py), by the terms of the dictionary."""
    terms = _join_phrases(tokens, [dictionary[token] for token in tokens])
    hits = _hits(tokens, terms)
    _settle(hits, terms)
    named = [topic for term in terms if term is not None for topic in term.topics]
    spared = 1.0
    for hit in hits:
        if hit.term.roles & _INSULT and hit.value < 0:
            spared *= 1 + max(-0.8, hit.term.weight * 0.27)
    return Tone(
        hits=tuple(hits),
        positive=sum(hit.value for hit in hits if hit.value > 0),
        negative=-sum(hit.value for hit in hits if hit.value < 0),
        insult=1 - spared,
        defends=any(hit.term.roles & _DEFENCE and hit.value > 0 for hit in hits),
        topics=tuple(sorted(set(named), key=lambda topic: (-named.count(topic), TOPICS.index(topic)))) if named else (),
    )


def _join_phrases(tokens: Sequence[str], terms: list[Term | None]) -> list[Term | None]:
    """Put the term of each phrase at its last token and nothing at the others; the longest phrase wins."""
    for place, term in enumerate(terms[:-1]):
        if term is None or not term.phrases or terms[place] is None:
            continue
        following = terms[place + 1]
        options = term.phrases.get(tokens[place + 1])
        if options is None and following is not None and following.roles & _NUMBER:
            options = term.phrases.get("0")
        for rest, phrase in options or ():
            end = place + 1 + len(rest)
            if end <= len(tokens) and all(map(_fits, rest, tokens[place + 1 : end], terms[place + 1 : end])):
                terms[place:end] = [None] * len(rest) + [phrase]
                break
    return terms


def _fits(wanted: str, token: str, term: Term | None) -> bool:
    return wanted == token or (wanted == "0" and term is not None and bool(term.roles & _NUMBER))


def _hits(tokens: Sequence[str], terms: Sequence[Term | None]) -> list[Hit]:
    """Weigh every term in its scope, sentence by sentence."""
    hits: list[Hit] = []
    start = 0
    for place, term in enumerate([*terms, _STOP]):
        if term is None or not term.roles & _END:
            continue
        sentence = _sentence(terms, start, place)
        if sentence:
            first = sentence[0]
            first.opens = first.place <= start + 3 and _goes_on_to_mock(tokens, first.place)
            if term.roles & _ASKS:
                _ask(sentence)
            hits += sentence
        start = place + 1
    return hits


def _goes_on_to_mock(tokens: Sequence[str], place: int) -> bool:
    return place + 1 < len(tokens) and tokens[place + 1] in _AFTER_MOCKERY


def _sentence(terms: Sequence[Term | None], start: int, end: int) -> list[Hit]:
    hits: list[Hit] = []
    scope, negator, turned, stress = start, _NEVER, False, 1.0
    for place in range(start, end):
        term = terms[place]
        if term is None:
            continue
        roles = term.roles
        if roles & _BREAK:
            scope, negator = place + 1, _NEVER
            continue
        if roles & _NEGATOR:
            _deny_before(hits, scope, place)
        if roles & _BUT and hits:
            stress = AFTER_BUT
            for hit in hits:
                hit.value *= BEFORE_BUT
        if (term.weight or roles & _DUTY) and not (roles & _STRESS and _is_weighed(terms, place + 1)):
            is_denied = place - negator <= REACH and (term.weight != 0 or not turned)
            before = terms[place - 1] if place else None
            hits.append(Hit(place, term, stress * _in_scope(term, is_denied=is_denied, before=before)))
            turned |= is_denied  # one denial, one unmet duty
        if roles & _NEGATOR:
            negator, turned = place, False
    return hits


def _is_weighed(terms: Sequence[Term | None], place: int) -> bool:
    following = terms[place] if place < len(terms) else None
    return following is not None and following.weight != 0


def _in_scope(term: Term, *, is_denied: bool, before: Term | None) -> float:
    value = term.weight
    if before is not None and before.roles & _STRESS:
        value *= MORE if before.roles & _MORE else LESS
    if not is_denied or term.roles & _FIXED:
        return value
    return value * NEGATION if value else UNMET


def _deny_before(hits: list[Hit], scope: int, place: int) -> None:
    """Turn the nearest verb or duty in front of a negator: `gefällt mir nicht`, `antwortet keiner`."""
    for hit in reversed(hits):
        if hit.place < max(scope, place - REACH_BACK):
            return
        if hit.term.roles & _DENIED_LATER and hit.value >= 0:
            hit.value = hit.term.weight * NEGATION or UNMET
            return


def _ask(hits: Sequence[Hit]) -> None:
    for hit in hits:
        if hit.term.roles & _SOBER:
            hit.value *= ASKED_INCIDENT
        elif abs(hit.value) < 2.5:
            hit.value *= ASKED


def _settle(hits: Sequence[Hit], terms: Sequence[Term | None]) -> None:
    """Apply what only the whole text shows: faults that are over, critics quoted to be answered, praise that mocks."""
    together = 0
    for hit in hits:
        if hit.value > 0 or hit.term.roles & _IRONY:
            together |= hit.term.roles
    is_solved, defends = together & _SOLVED, together & _DEFENCE
    if not is_solved and not defends:
        _mock(hits, terms)
        return
    for hit in hits:
        if hit.value < 0 and is_solved and hit.term.roles & _SOBER:
            hit.value *= SOLVED
        elif hit.value < 0 and defends:
            hit.value *= DEFENDED


def _mock(hits: Sequence[Hit], terms: Sequence[Term | None]) -> None:
    praise = [hit for hit in hits if hit.value > 0]
    if not praise or len(praise) == len(hits):
        return
    if any(hit.term.roles & _IRONY and hit.value < 0 for hit in hits):
        mocking = praise
    else:
        mocking = [hit for hit in praise if hit.term.roles & _IRONY or (hit.opens and hit.term.roles & _OPENER)]
        bad = -sum(hit.value for hit in hits if hit.value < 0)
        if len(mocking) < len(praise) or bad < 1 or any(term is not None and term.roles & _BUT for term in terms):
            return
    for hit in mocking:
        hit.value *= MOCKED
