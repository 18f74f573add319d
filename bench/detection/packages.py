"""Packages a user could install today, each as a peer: hourly counts (series × hours) to scores, in the order of time.

They are in the dependency group `detection`; one that does not import is named and left out. They see the counts as
a user would feed them: residuals against the hour of the week where the package itself knows no week.
"""

from __future__ import annotations

import importlib

import numpy as np

from peers import hour_of_week


def river_gaussian(counts: np.ndarray) -> np.ndarray:
    """river's GaussianScorer over seven days of residuals: one minus the upper tail, as −log10."""
    anomaly = importlib.import_module("river.anomaly")
    scores = np.zeros_like(counts)
    for row, residuals in enumerate(hour_of_week(counts)):
        scorer = anomaly.GaussianScorer(window_size=168)
        for hour, value in enumerate(residuals):
            chance = scorer.score_one(None, float(value)) if value > 0 else 0.0
            scores[row, hour] = -np.log10(max(1.0 - chance, 1e-12))
            scorer.learn_one(None, float(value))
    return scores


def focus_package(counts: np.ndarray) -> np.ndarray:
    """changepoint_online's Focus for a Gaussian mean of 0, upward only, on residuals; begun anew every week."""
    package = importlib.import_module("changepoint_online")
    scores = np.zeros_like(counts)
    for row, residuals in enumerate(hour_of_week(counts)):
        detector = None
        for hour, value in enumerate(residuals):
            if hour % 168 == 0:
                detector = package.Focus(package.Gaussian(loc=0), side="right")
            detector.update(float(value))
            scores[row, hour] = detector.statistic()
    return scores


def installed() -> dict[str, object]:
    """Return the peers whose package imports; say which do not."""
    found = {}
    for name, module, peer in (
        ("river GaussianScorer", "river.anomaly", river_gaussian),
        ("changepoint_online Focus", "changepoint_online", focus_package),
    ):
        try:
            importlib.import_module(module)
        except ImportError:
            print(f"{name}: not installed (uv sync --group detection)")
        else:
            found[name] = peer
    return found
