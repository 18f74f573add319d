"""Make detect/priors.py anew: what clean series of every rate show, and by how much the whole procedure misses there.

    python bench/detection/priors.py

Seeds 5 (hourly), 6 (five-minute bins), 77 (groups) and 78 (the rate that comes out); nothing else uses them.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "service"))

import engine
from families import WARM_UP, Family, _profile
from score import false_pages

from brandmelder.detect import calibrate, priors

AIM = 1.05
"""False pages where one was asked, on clean series."""
ENTRIES = np.arange(0.5, 2.31, 0.3)
ASKED = 1.5
"""The entry of one page in 30 days."""


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


def maxima(*, series, days, parts, seed, groups):
    """Return daily maxima of the raw scores by window, or of the standardised ones by group: (W, rates, n)."""
    counts, cells = clean(10.0**priors.LOG_RATES, series=series, days=days, parts=parts, seed=seed)
    raw, daily, tops = [None], [], [None]
    plain, fit = calibrate.standard, calibrate._fit  # noqa: SLF001

    def stash(score, rate, table):
        raw[0] = score
        return plain(score, rate, table)

    def watch(judged, place):
        found = calibrate.groups(judged.standard) if groups else raw[0]
        tops[0] = found if tops[0] is None else np.maximum(tops[0], found)
        if (place + 1) % (24 * parts) == 0:
            if place >= WARM_UP * 24 * parts:
                daily.append(tops[0])
            tops[0] = None

    calibrate.standard, calibrate._fit = stash, lambda *_: None  # noqa: SLF001
    engine.run(counts, cells, entry=99.0, watch=watch, parts=parts)
    calibrate.standard, calibrate._fit = plain, fit  # noqa: SLF001
    found = np.stack(daily)
    return (
        found.reshape(len(daily), found.shape[1], -1, series)
        .transpose(1, 2, 0, 3)
        .reshape(found.shape[1], len(priors.LOG_RATES), -1)
    )


def table(**how):
    """Return medians and scales, (windows, rates)."""
    found = maxima(groups=False, **how)
    median = np.median(found, axis=2)
    return median, np.maximum((np.quantile(found, 0.98, axis=2) - median) / np.log(25), 0.1)


def misses(*, series, days, parts, seed):
    """Return by how many decades the threshold of every rate must move for AIM false pages, (rates,)."""
    counts, cells = clean(10.0**priors.LOG_RATES, series=series, days=days, parts=parts, seed=seed)
    seen = []
    for entry in ENTRIES:
        crossings = engine.run(counts, cells, entry=entry, parts=parts)
        hourly = crossings.reshape(len(counts), -1, parts).any(axis=2)
        seen.append([false_pages(rows) for rows in np.split(hourly, len(priors.LOG_RATES))])
    rates = np.log10(np.maximum(np.array(seen), 0.01))
    print(np.round(10**rates, 2))
    moved = [np.interp(-math.log10(AIM), -column, ENTRIES - ASKED) for column in rates.T]
    return np.convolve(np.pad(moved, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")


def write(path: Path, **arrays):
    """Replace arrays in the module; numbers keep three digits."""
    text = path.read_text("utf-8")
    for name, values in arrays.items():
        begin = text.index(f"\n{name} = ") + 1
        ends = "\n)\n" if text[begin:].startswith(f"{name} = np.array") else "\n"
        end = text.index(ends, begin) + len(ends)
        text = text[:begin] + f"{name} = {_said(values)}\n" + text[end:]
    path.write_text(text, "utf-8")


def _said(values):
    if isinstance(values, tuple):
        return "(" + ", ".join(f"{value:.2f}" for value in values) + ")"
    lines = ["np.array("]
    _lines(values, 1, lines)
    lines[-1] = lines[-1].rstrip(",")
    return "\n".join(lines) + "\n)"


def _lines(values, depth, lines):
    pad = "    " * depth
    if values.ndim == 1:
        lines.append(pad + "(" + ", ".join(f"{value:.3f}" for value in values) + "),")
        return
    lines.append(pad + "(")
    for part in values:
        _lines(part, depth + 1, lines)
    lines.append(pad + "),")


def main():
    path = Path(priors.__file__)
    hours = table(series=100, days=130, parts=1, seed=5)
    short = table(series=12, days=90, parts=12, seed=6)
    padded = [np.pad(one, ((0, 4), (0, 0)), constant_values=value) for one, value in zip(hours, (0, 1), strict=True)]
    priors.MEDIANS[:], priors.SCALES[:] = np.stack([padded[0], short[0]]), np.stack([padded[1], short[1]])
    write(path, MEDIANS=priors.MEDIANS, SCALES=priors.SCALES)
    hourly = maxima(series=60, days=130, parts=1, seed=77, groups=True)[:, 2:].reshape(2, -1)
    fine = maxima(series=8, days=90, parts=12, seed=77, groups=True)[:, 2:].reshape(3, -1)
    centre = (*np.median(hourly, axis=1), float(np.median(fine[2])))
    tails = [*hourly, fine[2]]
    scale = tuple(
        float((np.quantile(one, 0.984) - middle) / math.log(0.5 / 0.016))
        for one, middle in zip(tails, centre, strict=True)
    )
    write(path, CENTRE=tuple(map(float, centre)), SCALE=scale)
    calibrate.CENTRE, calibrate.SCALE, priors.SHIFTS[:] = centre, scale, 0.0
    moved = [misses(series=50, days=110, parts=1, seed=78), misses(series=8, days=80, parts=12, seed=78)]
    write(path, SHIFTS=np.array(moved))


if __name__ == "__main__":
    main()
