"""How far a window is from normal, and whether that is far enough to page: the detector's one step.

`step` takes settled bins in order; `look` judges a bin that is still running and teaches nothing. Both are pure: bins
between the settled and the running one may be stepped on a copy of the state that is then thrown away.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from brandmelder.detect.baseline import Baseline, Normal, learn, normal, rebuild
from brandmelder.detect.calibrate import RECOVERY, rarity, threshold
from brandmelder.detect.tail import central_range, surprise
from brandmelder.model import Bin, Finding, Spike, SpikeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = b"1"
_HOUR, _DAY = 3600, 86400
WINDOW = timedelta(hours=1)
CARRIES = timedelta(hours=25)
"""How far back a state carries single bins: the reach of `revise`."""
_COLD, _WIDE = 1.0, 28.0
_COLD_MARGIN = 1.0
"""What a first-day score must exceed the threshold by; it fades until four weeks are seen."""


class DetectorRules(Struct, frozen=True, kw_only=True):
    """What a monitor's owner decides."""

    budget: float = 1 / 30
    """False pages per day that are put up with."""
    zone: str = "Europe/Berlin"
    """IANA name of the zone whose clock and week the brand's public lives by."""
    floor: float = 3.0
    """Never page below so many negatives in the window."""
    kind: SpikeKind = SpikeKind.NEGATIVE


class Recent(Struct, frozen=True, kw_only=True, array_like=True):
    """One bin that the state still carries."""

    negative: float
    labelled: float
    seen: float
    flagged: bool = False


class DetectorState(Struct, frozen=True, kw_only=True):
    """All a detector knows of one series. Treat it as opaque: `encode` and `decode` are its only outside form."""

    width: int = 0
    """Seconds per bin; 0 until the first bin."""
    next: int = 0
    """Start of the next bin, in seconds of the epoch."""
    bins_seen: float = 0.0
    labelled: float = 1.0
    summed: float = 1.0
    """Exponentially weighted Σ labelled and Σ P(negative): people are shown the former."""
    baseline: Baseline = Baseline()
    recent: tuple[Recent, ...] = ()
    """The last bins, oldest first; the last one ends at `next`."""


def new_state() -> DetectorState:
    """Return the state of a detector that has seen nothing."""
    return DetectorState()


def step(state: DetectorState, bin: Bin, rules: DetectorRules) -> tuple[DetectorState, Finding]:  # noqa: A002
    """Judge the next settled bin and learn from the past.

    Bins between the state's last one and this were not seen. Raises ValueError for a bin that is not aligned, has
    another width than the ones before, or lies before the last one.
    """
    state = _until(state, bin, rules)
    judged = _push(state, bin)
    finding = _judge(judged, bin, rules, is_open_bin=False)
    newest = replace(judged.recent[-1], flagged=finding.flagged)
    judged = replace(judged, recent=(*judged.recent[:-1], newest))
    return _teach(judged, rules), finding


def look(state: DetectorState, bin: Bin, rules: DetectorRules) -> Finding:  # noqa: A002
    """Judge a running bin: its count can only grow, so it is held against the whole bin's expectation."""
    whole = msgspec.structs.replace(bin, exposure=1.0)
    return _judge(_push(_until(state, whole, rules), whole), bin, rules, is_open_bin=True)


def revise(state: DetectorState, bins: Sequence[Bin]) -> DetectorState:
    """Replace counts and exposures of the recent bins the state still carries; older or newer ones are passed over."""
    if not state.width:
        return state
    oldest = state.next - len(state.recent) * state.width
    recent = list(state.recent)
    for late in bins:
        place, rest = divmod(round(late.start.timestamp()) - oldest, state.width)
        if not rest and 0 <= place < len(recent):
            recent[place] = replace(
                recent[place], negative=late.negative, labelled=float(late.labelled), seen=late.exposure
            )
    return replace(state, recent=tuple(recent))


def usual(state: DetectorState, start: datetime, window: timedelta, rules: DetectorRules) -> tuple[int, int]:
    """Return the usual range (central 90 %) of labelled negatives in a window that ends at `start`."""
    end, length = round(start.timestamp()), round(window.total_seconds())
    pieces = _pieces(end - length, end, rules.zone)
    return _range(state, normal(state.baseline, pieces, _early(state)))


def encode(state: DetectorState) -> bytes:
    """Return the state as bytes that name their version."""
    return _VERSION + msgspec.msgpack.encode(state)


def decode(packed: bytes) -> DetectorState:
    """Read a state. Raises ValueError for another version or broken bytes: seed the detector anew from its bins."""
    if packed[:1] != _VERSION:
        raise ValueError(f"a detector state of version {packed[:1]!r}, not {_VERSION!r}: seed it anew from its bins")
    try:
        return msgspec.msgpack.decode(packed[1:], type=DetectorState)
    except msgspec.DecodeError as error:
        raise ValueError(f"a detector state that cannot be read ({error}): seed it anew from its bins") from error


# ------------------------------------------------------------- moving on in time


def _until(state: DetectorState, bin_: Bin, rules: DetectorRules) -> DetectorState:
    """Return the state moved up to the bin's start; what lies between was not seen."""
    start, width = round(bin_.start.timestamp()), round(bin_.width.total_seconds())
    if not state.width:
        _check_width(width)
        state = replace(state, width=width, next=start)
    if width != state.width or start % width != state.next % width:
        raise ValueError(f"a bin of {bin_.width} at {bin_.start.isoformat()} does not continue this series")
    if start < state.next:
        raise ValueError(f"the bin at {bin_.start.isoformat()} was judged already")
    missed = (start - state.next) // width
    longest = 2 * _carried(width)
    if missed > longest:  # nothing is carried over so long a blindness, so the rest need not be walked
        state = replace(state, next=start - longest * width)
        missed = longest
    for _ in range(missed):
        unseen = Bin(start=datetime.fromtimestamp(state.next, UTC), width=bin_.width, exposure=0.0)
        state = _teach(_push(state, unseen), rules)
    return state


def _check_width(width: int) -> None:
    fits = width % _HOUR == 0 and _DAY % width == 0 if width > _HOUR else width >= 60 and _HOUR % width == 0
    if not fits:
        raise ValueError(f"bins of {width} s; a width divides the hour, or is whole hours that divide the day")


def _carried(width: int) -> int:
    """Return how many bins a state carries: a day's lag and the hour to be learnt."""
    return _DAY // width + max(1, _HOUR // width)


def _push(state: DetectorState, bin_: Bin) -> DetectorState:
    seen = min(1.0, max(0.0, bin_.exposure))
    newest = Recent(negative=bin_.negative, labelled=float(bin_.labelled), seen=seen)
    decay = 0.5 ** (state.width / (28 * _DAY))
    return replace(
        state,
        next=state.next + state.width,
        bins_seen=state.bins_seen + seen,
        labelled=state.labelled * decay + bin_.labelled,
        summed=state.summed * decay + bin_.negative,
        recent=(*state.recent, newest)[-_carried(state.width) :],
    )


def _teach(state: DetectorState, rules: DetectorRules) -> DetectorState:
    """Learn the hour (or the bin, if longer) that lies a day back, once it is complete."""
    unit = max(_HOUR, state.width)
    bins = unit // state.width
    if state.next % unit or len(state.recent) < _carried(state.width):
        return state
    past = state.recent[:bins]
    begin = state.next - len(state.recent) * state.width
    seen = math.fsum(one.seen for one in past) / bins
    count = math.fsum(one.negative for one in past if one.seen > 0) / (unit / _HOUR)
    flagged = any(one.flagged for one in past)
    cell = _cell(begin // _HOUR, rules.zone)
    baseline = learn(state.baseline, cell, count, seen, flagged=flagged)
    return replace(state, baseline=rebuild(baseline, begin // _DAY))


# ------------------------------------------------------------------- judging


def _judge(state: DetectorState, bin_: Bin, rules: DetectorRules, *, is_open_bin: bool) -> Finding:
    bins = max(1, _HOUR // state.width)
    window = state.recent[-bins:]
    until = state.next
    since = until - len(window) * state.width
    early = _early(state)
    pieces = [
        (cell, hours * one.seen)
        for place, one in enumerate(window)
        for cell, hours in _pieces(since + place * state.width, since + (place + 1) * state.width, rules.zone)
    ]
    at_hand = normal(state.baseline, pieces, early)
    count = math.fsum(one.negative for one in window if one.seen > 0)
    score = max(0.0, float(surprise(count, at_hand.mean, at_hand.variance)))
    history = state.bins_seen * state.width / _DAY
    entry = threshold(rules.budget) + _margin(history)
    whole = normal(state.baseline, _pieces(since, until, rules.zone), early)
    low, high = _range(state, whole)
    labelled = math.fsum(one.labelled for one in window if one.seen > 0)
    is_estimate = labelled < 0.7 * count
    spike = Spike(
        kind=rules.kind,
        since=datetime.fromtimestamp(since, UTC),
        until=datetime.fromtimestamp(until, UTC),
        window=timedelta(seconds=until - since),
        observed=round(count if is_estimate else labelled),
        usual_low=low,
        usual_high=high,
        expected=whole.mean,
        score=score,
        is_estimate=is_estimate,
        rarity=rarity(score),
        learning=history < _COLD,
        history=timedelta(days=history),
        is_partial=any(one.seen < 0.999 for one in window) or bin_.exposure < 0.999,
        is_open_bin=is_open_bin,
    )
    enough = count >= rules.floor
    is_high = enough and score >= RECOVERY * entry
    return Finding(
        start=bin_.start,
        spike=spike,
        pages=enough and score >= entry,
        is_high=is_high,
        flagged=is_high,
        seen=min(1.0, at_hand.mean / whole.mean),
    )


def _margin(days: float) -> float:
    """Return what a score must exceed the threshold by while little history is seen."""
    return _COLD_MARGIN * max(0.0, 1.0 - days / _WIDE)


def _range(state: DetectorState, at_hand: Normal) -> tuple[int, int]:
    share = min(2.0, max(0.3, state.labelled / state.summed))
    mean = share * at_hand.mean
    return central_range(mean, mean + share * share * (at_hand.variance - at_hand.mean))


def _early(state: DetectorState) -> tuple[float, float]:
    """Return counts and seen hours that the day's lag still holds back, while less than two days are learnt."""
    if state.baseline.hours >= 2 * 24 or not state.width:
        return (0.0, 0.0)
    before = [one for one in state.recent[: -max(1, _HOUR // state.width)] if one.seen > 0 and not one.flagged]
    hours = math.fsum(one.seen for one in before) * state.width / _HOUR
    return math.fsum(one.negative for one in before), hours


# ---------------------------------------------------------------- local time


def _pieces(since: int, until: int, zone: str) -> list[tuple[int, float]]:
    """Cut [since, until) at the hours of UTC and return (cell of the local week, hours) of each piece."""
    pieces = []
    while since < until:
        end = min(until, since // _HOUR * _HOUR + _HOUR)
        pieces.append((_cell(since // _HOUR, zone), (end - since) / _HOUR))
        since = end
    return pieces


@lru_cache(maxsize=4096)
def _cell(hour: int, zone: str) -> int:
    """Return the hour of the local week in which an hour of the epoch begins."""
    local = datetime.fromtimestamp(hour * _HOUR, UTC).astimezone(ZoneInfo(zone))
    return local.weekday() * 24 + local.hour
