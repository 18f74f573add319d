"""Another class of source joins: told once, remembered from the beginning, quiet before anybody was told."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from brandmelder.incident.joining import join
from brandmelder.incident.transitions import Change
from brandmelder.model import Act, Evidence, SourceClass, SourceId, State, Transition
from notify.stories import INCIDENT, sight

NOW = datetime(2026, 12, 15, 21, 8, tzinfo=UTC)
CLASSES = {"x": SourceClass.SOCIAL, "mastodon": SourceClass.SOCIAL, "paper": SourceClass.NEWS, "mail": SourceClass.MAIL}
SIGHT = tuple(sight(name, kind=kind) for name, kind in CLASSES.items())


def seen(*names, media=0):
    return Evidence(sources=tuple((SourceId(name), 3) for name in names), sight=SIGHT, media=media)


def told(*classes, **more):
    return replace(INCIDENT, classes=classes, **more)


def steps(change):
    return [(step.act, step.note) for step in change.transitions]


def test_news_after_social_media_is_told_once():
    first = join(Change(incident=told(SourceClass.SOCIAL)), seen("x", "paper"), NOW)
    assert steps(first) == [(Act.JOIN, "news")]
    assert first.incident.classes == (SourceClass.NEWS, SourceClass.SOCIAL)
    assert first.incident.revision == INCIDENT.revision + 1
    assert steps(join(Change(incident=first.incident), seen("x", "paper"), NOW)) == []


def test_a_second_source_of_a_class_is_no_news():
    assert steps(join(Change(incident=told(SourceClass.SOCIAL)), seen("x", "mastodon"), NOW)) == []


def test_an_article_counts_whatever_its_tone():
    assert steps(join(Change(incident=told(SourceClass.SOCIAL)), seen("x", media=3), NOW)) == [(Act.JOIN, "news")]


@pytest.mark.parametrize("act", [Act.OPEN, Act.SUSPECT, Act.REOPEN])
def test_what_an_incident_begins_with_is_remembered_and_not_told(act):
    begun = Transition(incident=INCIDENT.id, revision=1, at=NOW, act=act, before=None, after=State.OPEN)
    change = join(Change(incident=told(SourceClass.MAIL), transitions=(begun,)), seen("x", "mail"), NOW)
    assert steps(change) == [(act, "")]
    assert change.incident.classes == (SourceClass.MAIL, SourceClass.SOCIAL)
    assert steps(join(Change(incident=told()), seen("x"), NOW)) == []


@pytest.mark.parametrize("state", [State.PENDING, State.RESOLVED, State.DISMISSED])
def test_nobody_is_told_of_what_they_were_not_told_of_or_what_has_ended(state):
    change = join(Change(incident=told(SourceClass.SOCIAL, state=state)), seen("x", "paper"), NOW)
    assert steps(change) == []


def test_several_classes_at_once_are_told_one_by_one_in_order():
    change = join(Change(incident=told(SourceClass.SOCIAL, state=State.ACKNOWLEDGED)), seen("x", "paper", "mail"), NOW)
    assert steps(change) == [(Act.JOIN, "mail"), (Act.JOIN, "news")]
    assert [step.revision for step in change.transitions] == [2, 3]
