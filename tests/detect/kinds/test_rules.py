"""Kinds that follow rules which people set: who waits for an answer, and which mention is key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.detect.kinds import backlog, key
from brandmelder.detect.kinds.backlog import BacklogRules, Question
from brandmelder.detect.kinds.key import Hit
from brandmelder.model import SpikeKind, Track

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = BacklogRules(after=45 * MINUTE, least=3)


def seconds(minutes):
    return round((NOW - minutes * MINUTE).timestamp())


def question(number, minutes):
    return Question(mention=number, source="blog", external_id=str(number), at=seconds(minutes))


@pytest.mark.parametrize(
    ("waits", "pages", "is_high", "observed"),
    [
        ((), False, False, 0),
        ((44, 44, 44), False, False, 0),
        ((45, 46), False, True, 2),
        ((45, 46, 47), True, True, 3),
        ((50, 60, 70, 10), True, True, 3),
    ],
)
def test_nobody_answered_for_longer_than_was_agreed(waits, pages, is_high, observed):
    waiting = backlog.wait((), [question(at, one) for at, one in enumerate(waits)], frozenset(), now=NOW)
    finding = backlog.judge(waiting, start=NOW, now=NOW, rules=RULES)
    assert (finding.pages, finding.is_high, finding.spike.observed) == (pages, is_high, observed)
    assert finding.spike.kind.track is Track.ANSWERS


def test_the_window_is_as_long_as_the_oldest_has_waited():
    waiting = backlog.wait((), [question(1, 50), question(2, 70)], frozenset(), now=NOW)
    spike = backlog.judge(waiting, start=NOW, now=NOW, rules=RULES).spike
    assert (spike.window, spike.since) == (70 * MINUTE, NOW - 70 * MINUTE)


def test_who_was_answered_or_forgotten_waits_no_longer():
    first = backlog.wait((), [question(1, 50), question(2, 60)], frozenset(), now=NOW)
    later = backlog.wait(first, [question(2, 60), question(3, 1)], {("blog", "1")}, now=NOW)
    assert [one.mention for one in later] == [2, 3]
    assert backlog.wait(later, (), frozenset(), now=NOW + timedelta(days=2)) == ()


def hit(number, minutes=0, *, why="word:Rückruf", reach=0):
    return Hit(mention=number, at=seconds(minutes), published_at=seconds(minutes + 3), why=why, reach=reach)


def test_one_key_mention_is_enough():
    finding = key.judge((hit(1),), (hit(1),), start=NOW, now=NOW)
    assert (finding.pages, finding.spike.observed, finding.spike.mention) == (True, 1, 1)
    assert finding.spike.kind is SpikeKind.KEY_MENTION


def test_of_several_the_one_with_the_widest_reach_is_named():
    fresh = (hit(1, reach=5), hit(2, why="reach", reach=90_000))
    spike = key.judge(fresh, fresh, start=NOW, now=NOW).spike
    assert (spike.subject, spike.whole, spike.mention) == ("reach", 90_000, 2)


def test_an_hour_later_nothing_burns_any_more():
    hits = key.remember((), (hit(1),), now=NOW)
    assert key.judge(key.remember(hits, (), now=NOW + 59 * MINUTE), (), start=NOW, now=NOW).is_high
    left = key.remember(hits, (), now=NOW + 61 * MINUTE)
    finding = key.judge(left, (), start=NOW, now=NOW + 61 * MINUTE)
    assert (finding.is_high, finding.pages, finding.spike.observed) == (False, False, 0)
    assert (finding.spike.mention, finding.spike.subject) == (1, "word:Rückruf")


def test_the_same_mention_is_remembered_once():
    assert len(key.remember((hit(1),), (hit(1), hit(2)), now=NOW)) == 2
