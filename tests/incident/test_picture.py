"""The bars of a picture: how wide, how many, what they hold."""

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.incident.picture import YOUNG, Behind, frame_of, picture, shows_band
from brandmelder.model import Bin, Hole, Occasion, SourceId, Spike, SpikeKind

UNTIL = datetime(2026, 12, 15, 20, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def spike(minutes=60, **more):
    window = minutes * MINUTE
    known = {
        "kind": SpikeKind.NEGATIVE,
        "since": UNTIL - window,
        "until": UNTIL,
        "window": window,
        "observed": 9,
        "usual_low": 0,
        "usual_high": 2,
        "expected": 1.0,
        "score": 5.0,
        "history": timedelta(weeks=8),
    }
    return Spike(**known | more)


def bins(*counts, exposure=1.0, kind="labelled"):
    """Bins of five minutes that end at UNTIL."""
    start = UNTIL - len(counts) * 5 * MINUTE
    return [
        Bin(start=start + place * 5 * MINUTE, exposure=exposure, **{kind: count}) for place, count in enumerate(counts)
    ]


HOURS = 60
FRAMES = [(5, 5, 24), (15, 15, 18), (30, 15, 18), (60, 20, 18), (100, 20, 18), (6 * HOURS, 20, 18)]
FRAMES += [(12 * HOURS, 60, 24), (24 * HOURS, 60, 24), (48 * HOURS, 360, 28), (72 * HOURS, 360, 28)]


@pytest.mark.parametrize(("minutes", "width", "count"), FRAMES)
def test_bars_are_as_wide_as_the_window_asks(minutes, width, count):
    frame = frame_of(spike(minutes))
    assert (frame.width, frame.count) == (width * MINUTE, count)
    assert frame.since <= UNTIL - minutes * MINUTE
    assert frame.ends[-1] == UNTIL


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_the_last_bars_add_up_to_the_number_of_a_short_window(minutes):
    frame = frame_of(spike(minutes))
    drawn = picture(frame, bins(*range(24)), kind=SpikeKind.NEGATIVE, behind=Behind())
    bars = minutes * MINUTE // frame.width
    assert sum(drawn.counts[-bars:]) == sum(range(24)[-minutes // 5 :])


def test_what_was_not_seen_is_no_zero_and_what_was_partly_seen_counts():
    seen = bins(1, 1, 1, 1)
    unseen = [Bin(start=one.start - 20 * MINUTE, exposure=0.0, labelled=3) for one in seen]
    half = [Bin(start=one.start - 40 * MINUTE, exposure=0.4, labelled=2) for one in seen]
    drawn = picture(frame_of(spike()), half + unseen + seen, kind=SpikeKind.NEGATIVE, behind=Behind())
    assert drawn.counts[-3:] == (8, -1, 4)
    assert drawn.counts[0] == -1


def test_a_flood_counts_all_mentions():
    drawn = picture(frame_of(spike()), bins(2.0, 3.0, kind="total"), kind=SpikeKind.TOTAL, behind=Behind())
    assert drawn.counts[-1] == 5


def test_only_what_lies_in_the_picture_stands_behind_it():
    frame = frame_of(spike())
    names = {"before": frame.since - MINUTE, "first": frame.since, "last": UNTIL, "after": UNTIL + MINUTE}
    hole = Hole(source=SourceId("x"), since=frame.since - 9 * MINUTE, until=frame.since + MINUTE)
    past = Hole(source=SourceId("y"), since=frame.since - 9 * MINUTE, until=frame.since)
    behind = Behind(
        usual=((0, 1),) * frame.count,
        holes=(hole, past),
        events=tuple(Occasion(at=at, name=name) for name, at in names.items()),
    )
    drawn = picture(frame, bins(1), kind=SpikeKind.NEGATIVE, behind=behind)
    assert [event.name for event in drawn.events] == ["first", "last"]
    assert drawn.holes == (hole,)
    assert drawn.usual == ((0, 1),) * 18


def test_no_band_is_drawn_while_too_little_is_known():
    assert shows_band(spike(history=YOUNG))
    assert not shows_band(spike(history=YOUNG - MINUTE))
    assert not shows_band(spike(learning=True))
