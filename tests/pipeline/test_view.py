"""What was seen of a window, asked for at once and asked for bin by bin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.model import BIN, Gap, MonitorId, SourceClass, SourceId, SourceSight
from brandmelder.pipeline.view import WHOLE, Sights, Steps

NOON = datetime(2026, 12, 15, 12, 0, tzinfo=UTC)
MOMENTS = st.integers(-12, 24).map(lambda number: NOON + number * BIN / 2)
SOURCES = (SourceId("blog"), SourceId("press"))


@st.composite
def _sights(draw):
    contacts = {ident: draw(MOMENTS) for ident in SOURCES if draw(st.integers(0, 5))}
    gaps = draw(st.lists(st.tuples(st.sampled_from(SOURCES), MOMENTS, st.integers(1, 40)), max_size=2))
    return Sights(
        monitor=MonitorId("nordfunk"),
        rows=tuple(
            SourceSight(source=ident, source_class=SourceClass.OWN, read_until=draw(st.none() | MOMENTS))
            for ident in SOURCES
        ),
        first_contact=contacts,
        first_bin={ident: draw(MOMENTS) for ident in contacts},
        news_since=draw(st.none() | MOMENTS),
        gaps=tuple(
            Gap(source=ident, since=since, until=since + timedelta(minutes=minutes), reason="restart")
            for ident, since, minutes in gaps
        ),
        shares={ident: draw(st.floats(1, 50)) for ident in SOURCES},
    )


@given(_sights(), st.integers(-6, 12), st.integers(0, 8))
def test_a_window_is_whole_exactly_if_each_of_its_bins_is(sights, first, length):
    since = NOON + first * BIN
    each = [sights.exposure_of(since + number * BIN) >= WHOLE for number in range(length)]
    assert sights.is_whole(since, since + length * BIN) == all(each)


@given(_sights(), st.lists(st.integers(-20, 30), min_size=1))
def test_what_is_asked_once_for_a_stretch_holds_for_each_of_its_bins(sights, places):
    steps = Steps(sights)
    for start in (NOON + place * BIN for place in places):
        assert steps.exposure_of(start) == sights.exposure_of(start)
        assert list(steps.seen_at(start)) == sights.seen_at(start)


@pytest.mark.parametrize(("read", "seen"), [(-1, 0.25), (0, 0.25), (2.5, 0.625), (5, 1.0), (60, 1.0)])
def test_a_bin_in_which_a_source_is_still_being_read_is_seen_in_part(read, seen):
    until = {SOURCES[0]: NOON + timedelta(minutes=read), SOURCES[1]: NOON + timedelta(hours=1)}
    sights = Sights(
        monitor=MonitorId("nordfunk"),
        rows=tuple(SourceSight(source=one, source_class=SourceClass.OWN, read_until=until[one]) for one in SOURCES),
        first_contact=dict.fromkeys(SOURCES, NOON - timedelta(days=1)),
        first_bin={},
        news_since=NOON - timedelta(days=1),
        gaps=(),
        shares={SOURCES[0]: 3.0, SOURCES[1]: 1.0},
    )
    assert sights.exposure_of(NOON) == seen
    assert (SOURCES[0] in sights.seen_at(NOON)) == (read >= 5)
