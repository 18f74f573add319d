"""One fire, one alert: which incident tells of another, and when the other speaks for itself again."""

import pytest
from msgspec.structs import replace

from brandmelder.incident.shelter import Neighbour, leaves, may_shelter, shelter_of
from brandmelder.model import IncidentId, MonitorId, SpikeKind, State
from notify.stories import INCIDENT, changed


def incident(name, number=1, *, observed=10, severity=3, state=State.OPEN, under=None, kind=SpikeKind.NEGATIVE):
    return replace(
        changed(observed=observed, kind=kind),
        id=IncidentId(f"NF-2026-{number:03}"),
        monitor=MonitorId(name),
        severity=severity,
        state=state,
        under=under,
    )


TARIFFS = incident("tariffs", 2)


@pytest.mark.parametrize(
    ("other", "shared", "mutes", "found"),
    [
        (incident("company", observed=40), 0.9, False, True),
        (incident("company", observed=40), 0.7, False, False),
        (incident("company", observed=40), 0.0, True, True),
        (incident("company", observed=9), 1.0, False, False),
        (incident("company", observed=10), 1.0, False, True),
        (incident("company", 3, observed=10), 1.0, False, False),
        (incident("company", observed=40, severity=2), 1.0, False, False),
        (incident("company", observed=40, severity=2), 0.0, True, True),
        (incident("company", observed=40, state=State.ACKNOWLEDGED), 1.0, False, True),
        (incident("company", observed=40, state=State.PENDING), 1.0, True, False),
        (incident("company", observed=40, state=State.RESOLVED), 1.0, True, False),
        (incident("company", observed=40, under=IncidentId("NF-2026-000")), 1.0, True, False),
        (incident("company", observed=40, kind=SpikeKind.KEY_MENTION), 1.0, True, False),
        (incident("tariffs", observed=40), 1.0, True, False),
        (INCIDENT, 1.0, True, True),
    ],
)
def test_it_is_told_where_its_mentions_are_counted_or_its_monitor_is_muted(other, shared, mutes, found):
    under = shelter_of(TARIFFS, [Neighbour(incident=other, shared=shared, mutes=mutes)])
    assert under == (other.id if found else None)


def test_of_two_that_see_the_same_exactly_one_tells_of_the_other():
    for sizes in ((10, 10), (10, 40), (40, 10)):
        one, other = (
            incident(name, number, observed=size) for name, number, size in zip("ab", (1, 2), sizes, strict=True)
        )
        under = [
            shelter_of(this, [Neighbour(incident=that, shared=1.0)]) for this, that in ((one, other), (other, one))
        ]
        assert sum(found is not None for found in under) == 1


def test_of_several_the_largest_tells():
    others = [incident("a", 3, observed=20), incident("b", 4, observed=90), incident("c", 5, observed=40)]
    assert shelter_of(TARIFFS, [Neighbour(incident=one, shared=1.0) for one in others]) == others[1].id


def test_a_key_mention_and_a_silence_speak_for_themselves():
    company = incident("company", observed=40)
    for kind in (SpikeKind.KEY_MENTION, SpikeKind.SILENCE, SpikeKind.BACKLOG):
        assert not may_shelter(incident("tariffs", kind=kind), company)


@pytest.mark.parametrize(
    ("above", "severity", "speaks"),
    [
        (incident("company"), 3, False),
        (incident("company"), 4, True),
        (incident("company", state=State.RESOLVED), 3, True),
        (incident("company", state=State.DISMISSED), 3, False),
        (incident("company", state=State.DISMISSED), 4, True),
        (None, 1, True),
    ],
)
def test_it_speaks_when_its_shelter_ends_or_it_is_the_worse_of_the_two(above, severity, speaks):
    assert leaves(incident("tariffs", severity=severity), above) is speaks
