"""A series that is loud every third day by nature, and one in which incidents are rare."""

from __future__ import annotations

import numpy as np
import pytest

from brandmelder.detect.advance import Moment, advance
from brandmelder.detect.calibrate import ENTRY
from brandmelder.detect.memory import fresh

SERIES, DAYS = 12, 110


def pages(counts):
    """Return pages by series and day, hourly bins, at one a month; a page silences for a day."""
    memory, found = fresh(len(counts)), []
    for hour, column in enumerate(counts.T.astype(float)):
        cells = (hour % 168, hour % 168)
        moment = Moment(unit=96 + hour, part=0, parts=1, pace=24, cells=cells, past_cells=cells)
        found.append(advance(memory, moment, (column, column, np.ones(len(counts))), entry=ENTRY, floor=3.0).pages)
    crossed = np.array(found).T.reshape(len(counts), -1, 24).any(axis=2)
    crossed[:, 1:] &= ~crossed[:, :-1]
    return crossed, memory


@pytest.fixture(scope="module")
def ordinary():
    return np.random.default_rng(11).poisson(2.0, (SERIES, DAYS * 24))


def test_what_is_loud_every_third_day_is_soon_taken_for_its_nature(ordinary):
    rng = np.random.default_rng(12)
    threads = (rng.random(ordinary.shape) < 0.4 / 24) * np.round(rng.lognormal(3.4, 0.6, ordinary.shape))
    found, memory = pages(ordinary + threads)
    early, late = found[:, 3:20].sum() / 17, found[:, 60:].sum() / (DAYS - 60)
    assert memory["restless"].mean() > 0.7
    assert late < 0.45 * early


def test_incidents_every_twelfth_day_stay_incidents(ordinary):
    rng = np.random.default_rng(13)
    counts = ordinary.copy()
    for row in range(SERIES):
        for day in range(8, DAYS, 12):
            counts[row, day * 24 + 9 : day * 24 + 9 + int(rng.choice([2, 6, 24]))] += rng.poisson(18)
    found, memory = pages(counts)
    assert not memory["restless"].any()
    days = np.arange(8, DAYS, 12)[4:]
    assert found[:, days].mean() > 0.85
