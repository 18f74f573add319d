"""Multinomial logistic regression on sparse counts, by L-BFGS: same data, same bytes."""

from __future__ import annotations

from collections import deque

import numpy as np


def softmax(logits):
    """Return probabilities, row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def fit(design, targets, weights, ridge, steps=80):
    """Minimise Σ weight·cross-entropy + ½ Σ ridge·W²; `ridge` has the shape of W, `design` is a CSR matrix."""
    shape = (design.shape[1], targets.shape[1])
    transposed = design.T.tocsr()

    def loss(flat):
        current = flat.reshape(shape)
        logits = (design @ current.astype(np.float32)).astype(float)
        top = logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
        value = float((weights * (total - (targets * logits).sum(axis=1))).sum())
        errors = ((softmax(logits) - targets) * weights[:, None]).astype(np.float32)
        penalty = ridge * current
        slope = (transposed @ errors).astype(float) + penalty
        return value + 0.5 * float((current * penalty).sum()), slope.ravel()

    return lbfgs(loss, np.zeros(shape[0] * shape[1]), steps).reshape(shape)


def lbfgs(loss, start, steps, memory=8):
    """Nocedal and Wright, Numerical Optimization (2006), algorithm 7.5, with Armijo backtracking."""
    point, (value, slope) = start, loss(start)
    pairs = deque(maxlen=memory)
    for _ in range(steps):
        direction = -_two_loops(slope, pairs)
        step = 1.0 if pairs else 1.0 / max(1.0, float(np.abs(slope).sum()))
        expected = float(slope @ direction)
        while True:
            trial = point + step * direction
            new_value, new_slope = loss(trial)
            if new_value <= value + 1e-4 * step * expected or step < 1e-8:
                break
            step *= 0.5
        moved, bent = trial - point, new_slope - slope
        if float(moved @ bent) > 1e-10:
            pairs.append((moved, bent))
        is_done = value - new_value < 1e-6 * abs(value)
        point, value, slope = trial, new_value, new_slope
        if is_done:
            break
    return point


def _two_loops(slope, pairs):
    result, factors = slope.copy(), []
    for moved, bent in reversed(pairs):
        factor = float(moved @ result) / float(moved @ bent)
        factors.append(factor)
        result -= factor * bent
    if pairs:
        moved, bent = pairs[-1]
        result *= float(moved @ bent) / float(bent @ bent)
    for (moved, bent), factor in zip(pairs, reversed(factors), strict=True):
        result += (factor - float(bent @ result) / float(moved @ bent)) * moved
    return result
