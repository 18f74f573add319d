"""Scores of labels, and the label bias that development files ask for."""

from __future__ import annotations

import numpy as np


def macro_f1(labels, guesses):
    """Return the mean of the F1 of the three classes."""
    scores = []
    for label in range(3):
        hits = int(((guesses == label) & (labels == label)).sum())
        scores.append(2 * hits / max(1, int((guesses == label).sum() + (labels == label).sum())))
    return float(np.mean(scores))


def biased(logits, bias):
    """Return the label (0 negative, 1 neutral, 2 positive) of each row under a bias of negative and positive."""
    return np.argmax(np.stack([logits[:, 0] + bias[0], np.zeros(len(logits)), logits[:, 1] + bias[1]], axis=1), axis=1)


def balanced_bias(judged, targets):
    """Return the bias that brings the corpus furthest below its target nearest to it.

    The mean of those within .005 of the best, smoothed over neighbours: the peak itself is chance.
    """
    steps = np.arange(-0.6, 1.01, 0.1)
    surface = np.array(
        [
            [min(macro_f1(y, biased(z, (a, c))) - t for (z, y), t in zip(judged, targets, strict=True)) for c in steps]
            for a in steps
        ]
    )
    padded = np.pad(surface, 1, mode="edge")
    smooth = sum(padded[i : i + len(steps), j : j + len(steps)] for i in range(3) for j in range(3)) / 9
    good = np.argwhere(smooth >= smooth.max() - 0.005)
    negative, positive = steps[good].mean(axis=0).tolist()
    return round(negative, 2), round(positive, 2)


def two_f1(labels, guesses):
    """Return the mean F1 of both classes."""
    scores = []
    for label in (0, 1):
        hits = int(((guesses == label) & (labels == label)).sum())
        scores.append(2 * hits / max(1, int((guesses == label).sum() + (labels == label).sum())))
    return float(np.mean(scores))
