"""The default judge: a linear model per language. Small, local, no download; the same text gets the same verdict."""

from __future__ import annotations

import functools
import hashlib
import io
import re
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from msgspec import structs

from brandmelder.classify.adapt import Correction, Example
from brandmelder.classify.head import Head, Reading, Scores, chunks
from brandmelder.classify.language import UNDETERMINED, identify, is_foreign
from brandmelder.classify.spam import is_spam
from brandmelder.errors import BrandmelderError
from brandmelder.model import Label, Stance, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from brandmelder.model import Mention

FILE: Final = "linear.npz"
SHA256: Final = "9c1d43ae57894b6639b3c5c3678bcb62e682bbe89b358214f3b694df404e2d09"
"""Of the model file that belongs to this version of the code; training prints it."""
KNOWN: Final = 0.5
"""Share of the words of a text of unknown language that a head must know to judge it."""
LOCAL: Final = "de"
"""Judges what says too little to name its language and shows no sign of another one."""

_LETTERS = re.compile(r"[\W_]+")
_ADDRESSES = re.compile(r"(?:https?://|www\.|@)\S+|^rt\b")
_LABELS: Final = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)


class Model(NamedTuple):
    """The shipped model: one head per language, and what to say of texts nothing is known of."""

    heads: dict[str, Head]
    prior: tuple[float, float, float]
    topics: tuple[str, ...]
    insult_threshold: float
    version: str


@functools.cache
def load() -> Model:
    """Read the model of the package. Raises BrandmelderError if the file is not the one this version was made with."""
    content = files("brandmelder.classify").joinpath("model", FILE).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise BrandmelderError(f"the model file {FILE} is not the one of this version; install Brandmelder again")
    return build(content)


def build(content: bytes) -> Model:
    """Build a model from the bytes of its file; nothing in it is executed."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    prior = arrays["prior"].tolist()
    return Model(
        heads={prefix: Head(arrays, prefix) for prefix in ("de", "en")},
        prior=(prior[0], prior[1], prior[2]),
        topics=tuple(str(name) for name in arrays["topic_names"].tolist()),
        insult_threshold=float(arrays["insult_threshold"]),
        version=hashlib.sha256(content).hexdigest()[:12],
    )


class LinearClassifier:
    """Judges German and English; says `unsure` of everything else. Built as `LinearClassifier(brand)`."""

    name = "linear"
    is_quick = True

    def __init__(self, brand: str, *, corrections: Mapping[str, Correction] | None = None) -> None:
        self.brand = brand
        self._model = load()
        self._corrections = dict(corrections or {})
        self._tables = {key: self._model.heads[key].table(one) for key, one in self._corrections.items()}
        parts = [f"{key}{self._corrections[key].version}" for key in sorted(self._corrections)]
        self.version = "+".join([self._model.version, *parts])

    def classify(self, mentions: Sequence[Mention]) -> tuple[Verdict, ...]:
        """Return one verdict per mention, in order; never raises on any text."""
        languages = self._languages([(mention.text, mention.language) for mention in mentions])
        verdicts: list[Verdict | None] = [None] * len(mentions)
        for language in self._model.heads:
            rows = [row for row, one in enumerate(languages) if one[0] == language]
            texts = [mentions[row].text for row in rows]
            position = 0
            for part in chunks(texts):
                here = rows[position : position + len(part)]
                found = self._verdicts(language, part, [languages[row][1] for row in here])
                for row, verdict in zip(here, found, strict=True):
                    verdicts[row] = verdict
                position += len(part)
        return tuple(
            _weighed(mention, verdict or self._unknown()) for mention, verdict in zip(mentions, verdicts, strict=True)
        )

    def language_of(self, text: str, hint: str | None = None) -> tuple[str, str]:
        """Return the head that judges a text (`und`: none), and the language its verdict names."""
        return self._languages([(text, hint)])[0]

    def _languages(self, asked: Sequence[tuple[str, str | None]]) -> list[tuple[str, str]]:
        """Return `language_of` of many texts, each with its hint; those that need a word list are read together."""
        found: dict[int, tuple[str, str]] = {}
        open_rows: list[int] = []
        for row, (text, hint) in enumerate(asked):
            language = identify(text)
            if language != UNDETERMINED:
                found[row] = language, language
            elif hint is not None and hint in self._model.heads:
                found[row] = hint, hint
            elif is_foreign(text):
                found[row] = UNDETERMINED, UNDETERMINED
            else:
                open_rows.append(row)
        texts = [asked[row][0][:200] for row in open_rows]
        known = {key: head.shares_known(texts) for key, head in self._model.heads.items()}
        for at, row in enumerate(open_rows):
            best = max(known, key=lambda key: known[key][at])
            found[row] = (best if known[best][at] >= KNOWN else LOCAL), UNDETERMINED
        return [found[row] for row in range(len(asked))]

    def _verdicts(self, key: str, texts: Sequence[str], languages: Sequence[str]) -> list[Verdict]:
        head = self._model.heads[key]
        reading = head.read(texts)
        scores = head.score_reading(reading)
        chances = self._chances(key, reading, scores)
        labels = head.labels(scores, self._moved(key, scores, chances[:, 0]))
        insults = np.round(1 / (1 + np.exp(-np.clip(scores.logits[:, 2], -30, 30))), 4)
        reasons = head.reasons(reading)
        out: list[Verdict] = []
        for row, (negative, neutral, positive) in enumerate(chances.tolist()):
            label = _LABELS[labels[row]]
            out.append(
                Verdict(
                    p_negative=negative,
                    p_neutral=neutral,
                    p_positive=positive,
                    label=label,
                    unsure=abs(negative - 0.5) < head.unsure_band,
                    language=languages[row],
                    classifier=self.name,
                    model_version=self.version,
                    stance=stance_of(label, negative, defends=bool(scores.defends[row])),
                    insult=float(insults[row]),
                    topics=self._topics(int(scores.topics[row])),
                    reasons=reasons[row],
                )
            )
        return out

    def _chances(self, key: str, reading: Reading, scores: Scores) -> NDArray[np.float64]:
        """Return calibrated P(negative), P(neutral), P(positive), each row summing to 1 within 1e-6."""
        head = self._model.heads[key]
        raw = softmax(np.insert(scores.logits[:, :2], 1, 0.0, axis=1))
        base = calibrated_logits(head, scores)
        negative = self._corrected(key, reading, base)
        rest = (1 - negative) / np.maximum(1 - raw[:, 0], 1e-9)
        negative, neutral = np.round(negative, 6), np.round(raw[:, 1] * rest, 6)
        return np.round(np.stack([negative, neutral, np.maximum(1 - negative - neutral, 0)], axis=1), 6)

    def corrected(self, key: str, text: str, base: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(negative) of a text for its log-odds `base`, from whichever model, as staff taught it."""
        return self._corrected(key, self._model.heads[key].read([text]), base)

    def _corrected(self, key: str, reading: Reading, base: NDArray[np.float64]) -> NDArray[np.float64]:
        correction = self._corrections.get(key)
        if correction is None:
            return sigmoid(base)
        shift = self._model.heads[key].shift(reading, self._tables[key])
        inner = correction.inner.a * base + correction.inner.b + shift
        return sigmoid(correction.calibration.a * inner + correction.calibration.b)

    def examples(
        self,
        texts: Sequence[str],
        labels: Sequence[bool],
        *,
        random: Sequence[bool],
        scores: Sequence[float] | None = None,
    ) -> dict[str, list[Example]]:
        """Return the labels as `adapt.learn` takes them, by head; texts that no head judges are left out.

        `scores` are the log-odds of negative where another model's are to be corrected.
        """
        out: dict[str, list[Example]] = {}
        groups: dict[str, int] = {}
        copies = Counter(copy_key(text) for text in texts)
        for at, (text, is_negative, is_random) in enumerate(zip(texts, labels, random, strict=True)):
            key, _ = self.language_of(text)
            if key not in self._model.heads:
                continue
            head = self._model.heads[key]
            reading = head.read([text])
            slots, values = head.vectors(reading)[0]
            mark = copy_key(text)
            own = calibrated_logits(head, head.score_reading(reading))[0] if scores is None else scores[at]
            out.setdefault(key, []).append(
                Example(
                    score=float(own),
                    slots=slots,
                    values=values,
                    is_negative=is_negative,
                    is_random=is_random,
                    weight=1 / copies[mark],
                    group=groups.setdefault(mark, len(groups)),
                )
            )
        return out

    def _moved(self, key: str, scores: Scores, negative: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much a correction raised the log-odds of negative; the label must follow."""
        if key not in self._corrections:
            return np.zeros(len(negative))
        inside = np.clip(negative, 1e-6, 1 - 1e-6)
        out: NDArray[np.float64] = np.log(inside / (1 - inside))
        return out - calibrated_logits(self._model.heads[key], scores)

    def _topics(self, bits: int) -> tuple[str, ...]:
        return tuple(name for index, name in enumerate(self._model.topics) if bits >> index & 1) if bits else ()

    def _unknown(self) -> Verdict:
        negative, neutral, _ = (round(share, 6) for share in self._model.prior)
        return Verdict(
            p_negative=negative,
            p_neutral=neutral,
            p_positive=round(1 - negative - neutral, 6),
            label=Label.NEUTRAL,
            unsure=True,
            language=UNDETERMINED,
            classifier=self.name,
            model_version=self.version,
        )


def copy_key(text: str) -> str:
    """Return what copies of a text share: its letters, without links and handles."""
    return _LETTERS.sub("", _ADDRESSES.sub(" ", text.lower()))


def negative_logits(scores: Scores) -> NDArray[np.float64]:
    """Return log(P / (1 - P)) of negative before calibration."""
    out: NDArray[np.float64] = scores.logits[:, 0] - np.logaddexp(0.0, scores.logits[:, 1])
    return out


def calibrated_logits(head: Head, scores: Scores) -> NDArray[np.float64]:
    """Return log(P / (1 - P)) of negative as the shipped model says it: z0, which a brand's labels correct."""
    out: NDArray[np.float64] = head.calibration.a * negative_logits(scores) + head.calibration.b
    return out


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + e^-x)."""
    out: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(values, -35, 35)))
    return out


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, row by row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return out


def stance_of(label: Label, negative: float, *, defends: bool) -> Stance:
    """Return where an author stands who says this of the brand; `defends`: with a phrase that takes its side."""
    if defends and negative < 0.5:
        return Stance.DEFENDER
    if label is Label.NEGATIVE:
        return Stance.CRITIC
    return Stance.DEFENDER if label is Label.POSITIVE else Stance.NEUTRAL


def _weighed(mention: Mention, verdict: Verdict) -> Verdict:
    """Own posts and spam are judged and not counted."""
    if mention.own or is_spam(mention.text):
        return structs.replace(verdict, weight=0.0)
    return verdict
