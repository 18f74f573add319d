"""Make the table of detect/priors.py: daily maxima of every window's score on clean series, by rate."""

from __future__ import annotations

import numpy as np
from engine import run
from families import WARM_UP, Family, _profile

from brandmelder.detect import priors


def clean(rates, *, series, days, parts, seed):
    """Negative-binomial series, `series` of each rate, bins of 1/parts hours."""
    rng = np.random.default_rng(seed)
    rows = []
    for rate in rates:
        family = Family("prior", rate)
        local = np.arange(days * 24)
        mean = rate / 24 * _profile(family, rng, series, local, days)
        spread = rng.choice([0.05, 0.1, 0.2, 0.3], (series, 1))
        mean = mean * rng.gamma(1 / spread, spread, mean.shape)
        mean = np.repeat(mean / parts, parts, axis=1)
        if parts > 1:
            spread = rng.choice([0.05, 0.3, 1.0], (series, 1))
            mean = mean * rng.gamma(1 / spread, spread, mean.shape)
        rows.append(rng.poisson(mean).astype(float))
    return np.concatenate(rows), np.arange(days * 24) % 168


def table(*, series, days, parts, seed):
    """Return medians and scales, (windows, rates)."""
    rates = 10.0**priors.LOG_RATES
    counts, cells = clean(rates, series=series, days=days, parts=parts, seed=seed)
    daily, tops = [], None

    def watch(judged, place):
        nonlocal tops
        number = int(parts > 1)
        score = judged.standard * _scale(number, judged) + _median(number, judged)
        tops = score if tops is None else np.maximum(tops, score)
        if (place + 1) % (24 * parts) == 0:
            if place >= WARM_UP * 24 * parts:
                daily.append(tops)
            tops = None

    def _median(number, judged):
        return np.repeat(saved[0][number][: len(judged.standard)], series, axis=1)

    def _scale(number, judged):
        return np.repeat(saved[1][number][: len(judged.standard)], series, axis=1)

    # rates are read off the series, so standardise with a table that is the same for all of them
    saved = (priors.MEDIANS.copy(), priors.SCALES.copy())
    run(counts, cells, entry=99.0, watch=watch, parts=parts)
    maxima = np.stack(daily)  # days, windows, series
    maxima = maxima.reshape(len(daily), maxima.shape[1], len(rates), series).transpose(1, 2, 0, 3)
    maxima = maxima.reshape(maxima.shape[0], len(rates), -1)
    median = np.median(maxima, axis=2)
    return median, (np.quantile(maxima, 0.98, axis=2) - median) / np.log(25)
