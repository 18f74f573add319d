"""Which of a bin's findings an incident is told: one storm is one incident, whichever kinds of spike it shows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from brandmelder.incident.transitions import RUNNING
from brandmelder.model import SpikeKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brandmelder.model import Finding, Incident, Spike

GRAVITY: Final = (
    SpikeKind.NEGATIVE,
    SpikeKind.REACH,
    SpikeKind.SHARE,
    SpikeKind.NEW_SOURCE,
    SpikeKind.TOTAL,
)
"""The kinds of a storm, the one that says most first: an incident takes the graver name as soon as it deserves it."""

CARRIES: Final = timedelta(hours=3)
"""The longest window in which another kind carries an incident on."""


def choose(incident: Incident | None, findings: Sequence[Finding]) -> Finding:
    """Return what the incident is told of a bin; `findings` are of one track, at least one.

    A running incident keeps its kind while that burns, but for a graver kind that pages; when its own kind is over,
    any kind that pages carries it on, if it does so within a short window: a long one still holds what is over. Raises
    ValueError without findings.
    """
    if not findings:
        raise ValueError("a bin without findings")
    ordered = sorted(findings, key=lambda one: _gravity(one.spike.kind))
    paging = next((one for one in ordered if one.pages), None)
    if incident is None or incident.state not in RUNNING:
        return paging or ordered[0]
    own = next((one for one in ordered if one.spike.kind is incident.kind), None)
    if paging is not None and _gravity(paging.spike.kind) < _gravity(incident.kind):
        return paging
    if own is not None and (own.pages or own.is_high):
        return own
    fresh = next((one for one in ordered if one.pages and one.spike.window <= CARRIES), None)
    return fresh or own or ordered[0]


def renamed(incident: Incident | None, finding: Finding) -> Incident | None:
    """Return a running incident under the kind of its newest finding: what the former kind counted is no comparison."""
    spike = finding.spike
    if incident is None or incident.state not in RUNNING or incident.kind is spike.kind:
        return incident
    return replace(
        incident,
        kind=spike.kind,
        spike=spike,
        peak=spike.observed,
        peak_window=spike.window,
        is_provisional=spike.is_open_bin or spike.is_partial,
        trail=tuple(
            replace(pace, observed=spike.observed, window=spike.window, hour=None) for pace in incident.trail[-1:]
        ),
    )


def under_event(spike: Spike, events: Sequence[tuple[str, datetime, datetime]]) -> Spike:
    """Return the spike with the known event, given as name, start and end, that raised what is expected of it."""
    for name, since, until in events:
        if since < spike.until and until > spike.since:
            return replace(spike, event=name, event_at=since)
    return spike


def _gravity(kind: SpikeKind) -> int:
    return GRAVITY.index(kind) if kind in GRAVITY else len(GRAVITY)
