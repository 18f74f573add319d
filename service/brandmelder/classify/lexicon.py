"""The classifier without training: words, emoji and negation, in German and English; a small head makes probabilities.

The head is a three-class logistic regression on eight numbers of a text's tone. bench/fit_lexicon.py fitted it, and
says on what and how good it is.
"""

from __future__ import annotations

import hashlib
from math import exp, log1p
from typing import TYPE_CHECKING, Final

from brandmelder.classify.language import UNDETERMINED, identify_words
from brandmelder.classify.tone import Hit, Tone, weigh
from brandmelder.classify.words import Dictionary, fold, load_words, tokenise
from brandmelder.model import Label, Stance, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brandmelder.model import Mention

BASE: Final = (0.3, 0.5, 0.2)
"""The shares of negative, neutral and positive mentions it is fitted to: customers complain more than tweets do."""
MARGIN: Final = 0.25
"""A verdict is unsure when its class leads the next by less."""
READABLE: Final = 0.25
"""In an undetermined language, the share of words that must be known; below it only emoji are judged."""
REASONS: Final = 5
COEFFICIENTS: Final = (
    (-0.619, 1.478, 0.041, -0.600, 0.050, 0.689, 0.308, -1.017, -0.158),
    (0.534, -0.270, -0.356, -1.482, 0.470, 1.140, -0.107, -2.073, -0.034),
)
"""Rows: negative and positive, each against neutral. Columns: the eight features, then the intercept."""
_RULES = 1
"""Raise it when tone.py or words.py read the same list in another way."""
_LABELS = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)


class LexiconClassifier:
    """Judges by the word list. The brand's own name says nothing, whatever its words mean elsewhere."""

    name = "lexicon"
    is_quick = True

    def __init__(self, brand: str) -> None:
        self._dictionaries = {
            "de": Dictionary(("de",), brand),
            "en": Dictionary(("en",), brand),
            UNDETERMINED: Dictionary(("de", "en"), brand),
            "": Dictionary((), brand),
        }
        self.version = _version()

    def classify(self, mentions: Sequence[Mention]) -> tuple[Verdict, ...]:
        """Return one verdict per mention, in order; the first 4,000 characters of each are judged."""
        return tuple(map(self._judge, mentions))

    def _judge(self, mention: Mention) -> Verdict:
        tokens = tokenise(fold(mention.text))
        words = [token for token in tokens if token[0].isalpha()]
        language = identify_words(words)
        if language == UNDETERMINED and mention.language and mention.language in self._dictionaries:
            language = mention.language
        tone = weigh(tokens, self._dictionaries[language])
        is_readable = language != UNDETERMINED or len(tone.hits) > READABLE * len(words)
        if not is_readable:
            tone = weigh(tokens, self._dictionaries[""])
        shares = predict(measure(tone, tokens))
        best, second = sorted(shares, reverse=True)[:2]
        label = _LABELS[shares.index(best)]
        return Verdict(
            p_negative=shares[0],
            p_neutral=shares[1],
            p_positive=shares[2],
            label=label,
            unsure=best - second < MARGIN or not is_readable,
            language=language,
            classifier=self.name,
            model_version=self.version,
            stance=_stance(label, tone),
            insult=round(tone.insult, 3),
            topics=tone.topics,
            reasons=_reasons(label, tone.hits),
            weight=0.0 if mention.own else 1.0,
        )


def measure(tone: Tone, tokens: Sequence[str]) -> tuple[float, ...]:
    """Return the eight features; P and N are the sums of positive and negative weights.

    log(1+P), log(1+N), (P-N)/(P+N+1), N alone, P alone, `!` up to four as a share, `?` up to three, neither P nor N.
    """
    p, n = tone.positive, tone.negative
    marks = "".join([token for token in tokens if token[0] in "!?"])
    return (
        log1p(p),
        log1p(n),
        (p - n) / (p + n + 1),
        float(n > 0 and p == 0),
        float(p > 0 and n == 0),
        min(marks.count("!"), 4) / 4,
        min(marks.count("?"), 3) / 3,
        float(p == 0 and n == 0),
    )


def predict(features: Sequence[float]) -> tuple[float, float, float]:
    """Return the probabilities of negative, neutral and positive; they sum to 1."""
    negative, positive = (
        exp(sum(map(float.__mul__, row, features), row[-1])) for row in COEFFICIENTS
    )  # against neutral, whose odds are 1
    total = 1 + negative + positive
    p_negative, p_positive = round(negative / total, 6), round(positive / total, 6)
    return p_negative, round(1 - p_negative - p_positive, 6), p_positive


def _stance(label: Label, tone: Tone) -> Stance:
    if label is Label.NEGATIVE:
        return Stance.CRITIC
    return Stance.DEFENDER if label is Label.POSITIVE or tone.defends else Stance.NEUTRAL


def _reasons(label: Label, hits: Sequence[Hit]) -> tuple[tuple[str, float], ...]:
    """Return the entries that speak for the label, strongest first, each with its share of all that was weighed."""
    side = {Label.NEGATIVE: -1, Label.NEUTRAL: 0, Label.POSITIVE: 1}[label]
    shares: dict[str, float] = {}
    for hit in hits:
        if hit.value and hit.value * side >= 0:
            shares[hit.term.text] = shares.get(hit.term.text, 0) + abs(hit.value)
    total = sum(abs(hit.value) for hit in hits)
    strongest = sorted(shares.items(), key=lambda item: -item[1])[:REASONS]
    return tuple((text, round(value / total, 3)) for text, value in strongest)


def _version() -> str:
    """Return 12 hex digits of the list, the coefficients and the rules."""
    lines = [f"{entry.text}\t{entry.weight}\t{entry.classes}\t{entry.language}" for entry in load_words()]
    packed = "\n".join([*lines, repr((COEFFICIENTS, MARGIN, READABLE, _RULES))])
    return hashlib.sha256(packed.encode()).hexdigest()[:12]
