"""A brand's own judgement: a calibration and a small correction learnt from its labels, shrunk towards the base model.

`s(x) = a·z0(x) + b + δ·φ(x)` with z0 the base logit of negative and φ what the head sees: the n-gram vector of length 1
and, with little variance, how often each kind of the word list occurs (so fifty labels teach that incidents are bad).
The base weights are never touched. A correction is used only if it wins on labels it was not fitted to.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

SPREAD_A: Final = 0.5
SPREAD_B: Final = 1.5
"""Standard deviations of the prior of a around 1 and of b around 0."""
RIDGE, RIDGE_OF_MANY, MANY = 0.5, 0.2, 800
"""λ of the correction, and what it is from so many labels on: with fewer, 0.2 is too sure of what it saw (0037)."""
LABELS: Final = 50
NEGATIVES: Final = 10
"""Labels, and negatives among them, from which a correction is tried."""
CALIBRATE: Final = 20
"""Random labels from which a calibration is tried."""
FOLDS: Final = 10
_STEPS: Final = 30
_NEAR: Final = 1e-9
"""Step below which a fit has arrived."""


class Calibration(Struct, frozen=True):
    """P' = sigmoid(a·logit(P) + b)."""

    a: float = 1.0
    b: float = 0.0

    @property
    def version(self) -> str:
        """Name the calibration by its values."""
        return hashlib.sha256(struct.pack("<dd", self.a, self.b)).hexdigest()[:8]


class Correction(Struct, frozen=True, kw_only=True):
    """What a brand's labels taught: apply `calibration` to z0 + δ·φ. Slots and values are the sparse δ."""

    calibration: Calibration
    slots: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    inner: Calibration = Calibration()
    """a and b that were fitted together with δ."""
    labels: int = 0
    loss_before: float = 0.0
    loss_after: float = 0.0
    """Mean log loss on labels left out, without and with the correction."""
    version: str = ""


class Example(Struct, frozen=True, kw_only=True):
    """One label of the brand: z0 and φ of its text, whether it is negative, and where it came from."""

    score: float
    slots: tuple[int, ...]
    values: tuple[float, ...]
    is_negative: bool
    is_random: bool = True
    """Drawn at random, not picked because an alert showed it: only such labels may move a and b."""
    weight: float = 1.0
    """1 over the size of its group of copies."""
    group: int = 0
    """Copies share a group and stay within one fold."""


def calibrated(chance: Vector, calibration: Calibration) -> Vector:
    """Return P' for P, both in (0, 1)."""
    inside = np.clip(chance, 1e-9, 1 - 1e-9)
    return _sigmoid(calibration.a * np.log(inside / (1 - inside)) + calibration.b)


def fit_calibration(scores: Vector, labels: Vector, weights: Vector | None = None) -> Calibration:
    """Fit a and b by maximum a posteriori (Newton): priors a ~ N(1, 0.5²), b ~ N(0, 1.5²)."""
    weight = np.ones(len(scores)) if weights is None else weights
    place = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        a, b = place
        chance = _sigmoid(a * scores + b)
        error = weight * (chance - labels)
        curve = weight * chance * (1 - chance)
        slope = np.array([error @ scores + (a - 1) / SPREAD_A**2, error.sum() + b / SPREAD_B**2])
        cross = curve @ scores
        bend = np.array([[curve @ scores**2 + 1 / SPREAD_A**2, cross], [cross, curve.sum() + 1 / SPREAD_B**2]])
        move = np.linalg.solve(bend, slope)
        cost = _cost(place, scores, labels, weight)
        # Where a model is far surer than it is right, a whole step of Newton leads away from the minimum.
        while float(np.abs(move).max()) >= _NEAR and _cost(place - move, scores, labels, weight) > cost:
            move = move / 2
        place = place - move
        if float(np.abs(move).max()) < _NEAR:
            break
    return Calibration(float(place[0]), float(place[1]))


def learn(examples: Sequence[Example]) -> Correction | None:
    """Return the correction that wins on left-out labels, else the calibration that does, else None."""
    random = [one for one in examples if one.is_random]
    if len(random) < CALIBRATE:
        return None
    labels = np.array([one.is_negative for one in examples], np.float64)
    base = np.array([one.score for one in examples])
    weights = np.array([one.weight for one in examples])
    calibrated_out, corrected_out, raw_out = cross_scores(examples)
    # Labels that alerts showed move the inner a and b; without such ones a second calibration must earn its place.
    outer = fit_calibration(raw_out[trusted := _trusted(examples)], labels[trusted])
    if trusted.all() and _loss(raw_out, labels, weights) <= _loss(corrected_out, labels, weights):
        corrected_out, outer = raw_out, Calibration()
    loss = {
        "base": _loss(base, labels, weights),
        "calibrated": _loss(calibrated_out, labels, weights),
        "corrected": _loss(corrected_out, labels, weights),
    }
    enough = len(examples) >= LABELS and labels.sum() >= NEGATIVES
    if enough and loss["corrected"] < min(loss["calibrated"], loss["base"]):
        return _corrected(examples, outer, loss)
    if _wins(calibrated_out, base, labels, weights):
        fitted = _calibration_of(random)
        return Correction(
            calibration=fitted,
            labels=len(examples),
            loss_before=loss["base"],
            loss_after=loss["calibrated"],
            version=fitted.version,
        )
    return None


def cross_scores(examples: Sequence[Example]) -> tuple[Vector, Vector, Vector]:
    """Score every label by fits without its fold: calibrated, corrected and recalibrated, corrected only."""
    folds = np.array([one.group % FOLDS for one in examples])
    base = np.array([one.score for one in examples])
    labels = np.array([one.is_negative for one in examples], np.float64)
    only, raw = base.copy(), base.copy()
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
        if not len(inside) or not len(outside):
            continue
        known = [examples[index] for index in inside]
        fitted = _calibration_of([one for one in known if one.is_random] or known)
        only[outside] = fitted.a * base[outside] + fitted.b
        delta = fit_delta(known, ridge_for(len(examples)))
        raw[outside] = delta.score([examples[index] for index in outside])
    again = raw.copy()
    trusted = _trusted(examples)
    for fold in range(FOLDS):
        inside = (folds != fold) & trusted
        if inside.any():
            fitted = fit_calibration(raw[inside], labels[inside])
            again[folds == fold] = fitted.a * raw[folds == fold] + fitted.b
    return only, again, raw


class Delta(Struct, frozen=True):
    """A fitted δ with its a and b."""

    calibration: Calibration
    weights: dict[int, float]

    def score(self, examples: Sequence[Example]) -> Vector:
        """Return s(x) of each example."""
        out = [
            self.calibration.a * one.score
            + self.calibration.b
            + sum(self.weights.get(slot, 0.0) * value for slot, value in zip(one.slots, one.values, strict=True))
            for one in examples
        ]
        return np.array(out)


def ridge_for(count: int) -> float:
    """Return λ for so many labels."""
    return RIDGE if count < MANY else RIDGE_OF_MANY


def fit_delta(examples: Sequence[Example], ridge: float = RIDGE) -> Delta:
    """Minimise Σ loss + priors of a, b + λ/2·|δ|² in the dual: n unknowns u, s = z0 + K·u, by damped Newton steps."""
    scores = np.array([one.score for one in examples])
    labels = np.array([one.is_negative for one in examples], np.float64)
    weights = np.array([one.weight for one in examples])
    kernel = _gram(examples) / ridge + SPREAD_A**2 * np.outer(scores, scores) + SPREAD_B**2
    dual = np.zeros(len(examples))
    cost = _dual_cost(dual, kernel, scores, labels, weights)
    for _ in range(_STEPS):
        moved = kernel @ dual
        chance = _sigmoid(scores + moved)
        curve = np.maximum(weights * chance * (1 - chance), 1e-6)
        target = moved - weights * (chance - labels) / curve
        move = np.linalg.solve(kernel + np.diag(1 / curve), target) - dual
        # A whole step of Newton may lead away from the minimum, as in `fit_calibration`.
        while float(np.abs(move).max()) >= _NEAR and _dual_cost(dual + move, kernel, scores, labels, weights) > cost:
            move = move / 2
        dual = dual + move
        cost = _dual_cost(dual, kernel, scores, labels, weights)
        if float(np.abs(move).max()) < _NEAR:
            break
    summed: dict[int, float] = {}
    for one, share in zip(examples, (dual / ridge).tolist(), strict=True):
        for slot, value in zip(one.slots, one.values, strict=True):
            summed[slot] = summed.get(slot, 0.0) + share * value
    fitted = Calibration(1 + SPREAD_A**2 * float(scores @ dual), SPREAD_B**2 * float(dual.sum()))
    return Delta(fitted, summed)


def _corrected(examples: Sequence[Example], outer: Calibration, loss: dict[str, float]) -> Correction:
    delta = fit_delta(examples, ridge_for(len(examples)))
    slots = sorted(slot for slot, value in delta.weights.items() if abs(value) > 1e-6)
    values = tuple(round(delta.weights[slot], 6) for slot in slots)
    body = np.array([outer.a, outer.b, delta.calibration.a, delta.calibration.b, *slots, *values]).tobytes()
    return Correction(
        calibration=outer, inner=delta.calibration, slots=tuple(slots), values=values, labels=len(examples),
        loss_before=loss["base"], loss_after=loss["corrected"], version=hashlib.sha256(body).hexdigest()[:8],
    )  # fmt: skip


def _trusted(examples: Sequence[Example]) -> NDArray[np.bool_]:
    return np.array([one.is_random for one in examples])


def _calibration_of(examples: Sequence[Example]) -> Calibration:
    return fit_calibration(
        np.array([one.score for one in examples]),
        np.array([one.is_negative for one in examples], np.float64),
        np.array([one.weight for one in examples]),
    )


def _gram(examples: Sequence[Example]) -> Vector:
    """Return Φ·Φᵀ, shape (labels, labels)."""
    slots = np.unique(np.concatenate([np.array(one.slots, np.int64) for one in examples]))
    dense = np.zeros((len(examples), len(slots)))
    for row, one in enumerate(examples):
        dense[row, np.searchsorted(slots, one.slots)] = one.values
    out: Vector = dense @ dense.T
    return out


def _cost(place: Vector, scores: Vector, labels: Vector, weights: Vector) -> float:
    """Return what `fit_calibration` minimises, at a and b."""
    a, b = place
    signed = np.where(labels > 0, 1.0, -1.0) * (a * scores + b)
    prior = (a - 1) ** 2 / SPREAD_A**2 + b**2 / SPREAD_B**2
    return float(weights @ np.logaddexp(0, -signed) + prior / 2)


def _dual_cost(dual: Vector, kernel: Vector, scores: Vector, labels: Vector, weights: Vector) -> float:
    """Return what `fit_delta` minimises."""
    moved = kernel @ dual
    signed = np.where(labels > 0, 1.0, -1.0) * (scores + moved)
    return float(weights @ np.logaddexp(0, -signed) + dual @ moved / 2)


def _wins(scores: Vector, base: Vector, labels: Vector, weights: Vector) -> bool:
    """Whether the loss falls by more than its standard error: on few labels a calibration wins by chance."""
    signs = np.where(labels > 0, 1.0, -1.0)
    gains = weights * (np.logaddexp(0, -signs * base) - np.logaddexp(0, -signs * scores))
    return bool(gains.sum() > gains.std() * np.sqrt(len(gains)))


def _loss(scores: Vector, labels: Vector, weights: Vector) -> float:
    signed = np.where(labels > 0, scores, -scores)
    return float((weights * np.logaddexp(0, -signed)).sum() / max(1e-9, weights.sum()))


def _sigmoid(values: Vector) -> Vector:
    return 1 / (1 + np.exp(-np.clip(values, -35, 35)))
