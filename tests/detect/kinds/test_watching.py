"""Six weeks of ordinary hours, then something that only one kind of spike can see."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from brandmelder.detect.kinds import watching
from brandmelder.detect.kinds.budget import DEFAULT, PARTS, split
from brandmelder.detect.kinds.watching import KindRules, SeenBin, close_history, decode, encode, look, new_kinds, step
from brandmelder.detect.scan import DetectorRules
from brandmelder.model import Bin, SpikeKind

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
RULES = KindRules(volume=DetectorRules())
SOURCES = ("blog", "forum", "facebook")
DAYS = 42


def hour(number, total=0, negative=0, *, reach=None, exposure=1.0, brought=None, critical=None, sources=SOURCES):
    brought = {"blog": float(total)} if brought is None and total else brought or {}
    critical = {"source:blog": float(negative)} if critical is None and negative else critical or {}
    one = Bin(
        start=START + number * HOUR,
        width=HOUR,
        total=total,
        negative=negative,
        labelled=negative,
        reach=300.0 * negative if reach is None else reach,
        exposure=exposure,
    )
    return SeenBin(bin=one, brought=brought, critical=critical, sources=sources)


def ordinary(number, rng):
    """Two mentions an hour by day, one in five of them negative, two thirds of them in the blog."""
    mean = 3 if 7 <= number % 24 < 23 else 0.5
    total = sum(rng.random() < mean / 12 for _ in range(12))
    negative = sum(rng.random() < 0.2 for _ in range(total))
    forum = sum(rng.random() < 0.33 for _ in range(total))
    brought = {name: float(count) for name, count in (("blog", total - forum), ("forum", forum)) if count}
    return hour(number, total, negative, brought=brought)


def walk(state, seens):
    findings = []
    for seen in seens:
        state, found = step(state, seen, RULES, flagged=False)
        findings.append(found)
    return state, findings


@pytest.fixture(scope="module")
def weeks():
    rng = random.Random(7)
    return walk(new_kinds(), (ordinary(number, rng) for number in range(DAYS * 24)))


@pytest.fixture
def known(weeks):
    return weeks[0]


def paging(findings):
    return {one.spike.kind for found in findings for one in found if one.pages}


def newest(findings, kind):
    return [one for found in findings for one in found if one.spike.kind is kind][-1]


AT = DAYS * 24 + 10


def test_six_ordinary_weeks_stay_quiet(weeks):
    assert sum(one.pages for found in weeks[1] for one in found) <= 1


def test_a_negative_share_pages_without_more_mentions_than_usual(known):
    _, findings = walk(known, [hour(AT + number, 3, 3) for number in range(6)])
    assert paging(findings) == {SpikeKind.SHARE}
    spike = newest(findings, SpikeKind.SHARE).spike
    assert spike.observed > spike.usual_high
    assert spike.whole >= spike.observed >= 5


def test_many_friendly_mentions_are_a_spike_of_all_mentions_only(known):
    _, findings = walk(known, [hour(AT, 40, 4)])
    assert paging(findings) == {SpikeKind.TOTAL}
    assert newest(findings, SpikeKind.TOTAL).spike.observed >= 40


@pytest.mark.parametrize(("negative", "pages"), [(2, False), (3, True)])
def test_a_wide_reach_pages_from_three_negatives_on(known, negative, pages):
    _, findings = walk(known, [hour(AT, 4, negative, reach=900_000.0)])
    assert (SpikeKind.REACH in paging(findings)) is pages
    spike = newest(findings, SpikeKind.REACH).spike
    assert (spike.observed, spike.whole >= negative) == (900_000, True) or not pages


@pytest.mark.parametrize("name", ["source:facebook", "topic:safety"])
def test_a_source_or_topic_that_was_never_criticised_joins(known, name):
    critical = [{name: 2.0}, {name: 2.0, "source:blog": 1.0}]
    _, findings = walk(known, [hour(AT + at, 3, 2, critical=one) for at, one in enumerate(critical)])
    finding = newest(findings, SpikeKind.NEW_SOURCE)
    assert finding.pages
    assert (finding.spike.subject, finding.spike.observed, finding.spike.window) == (name, 4, timedelta(days=1))


def test_an_old_acquaintance_does_not_join(known):
    _, findings = walk(known, [hour(AT, 4, 4)])
    assert SpikeKind.NEW_SOURCE not in paging(findings)


def test_a_newcomer_is_told_of_once(known):
    critical = {"source:facebook": 2.0}
    _, findings = walk(known, [hour(AT + number, 2, 2, critical=critical) for number in range(12)])
    told = [one.pages for found in findings for one in found if one.spike.kind is SpikeKind.NEW_SOURCE]
    assert any(told)
    assert not any(told[5:])


def test_a_monitor_that_usually_writes_falls_silent_and_is_heard_again(known):
    state, findings = walk(known, [hour(AT + number) for number in range(40)])
    finding = newest(findings, SpikeKind.SILENCE)
    assert SpikeKind.SILENCE in paging(findings)
    assert finding.spike.observed == 0
    assert finding.spike.usual_low > 0
    _, findings = walk(state, [hour(AT + 40, 1)])
    whole = [one for one in findings[0] if one.spike.kind is SpikeKind.SILENCE and not one.spike.subject]
    assert [one.is_high for one in whole] == [False]


def test_what_could_not_be_read_is_no_silence(known):
    _, findings = walk(known, [hour(AT + number, exposure=0.0, sources=()) for number in range(60)])
    assert SpikeKind.SILENCE not in paging(findings)


def test_one_source_falls_silent_while_others_write(known):
    _, findings = walk(known, [hour(AT + at, 2, brought={"blog": 2.0}) for at in range(90)])
    spikes = [one.spike for found in findings for one in found if one.pages and one.spike.kind is SpikeKind.SILENCE]
    assert spikes
    assert {spike.subject for spike in spikes} == {"source:forum"}


def test_a_storm_that_is_over_is_not_told_again(known):
    state, _ = walk(known, [hour(AT + number, 4, 4) for number in range(6)])
    _, findings = walk(state, [hour(AT + 6 + number, 3 * (number % 2)) for number in range(20)])
    assert SpikeKind.SHARE not in paging(findings[8:])


def test_history_that_ends_in_a_storm_pages_nothing(known):
    state, _ = walk(known, [hour(AT + number, 30, 30, reach=1e6) for number in range(3)])
    _, findings = walk(close_history(state), [hour(AT + 3, 1), hour(AT + 4, 2)])
    assert paging(findings) == set()


def test_a_running_bin_is_judged_and_teaches_nothing(known):
    before = encode(known)
    found = look(known, hour(AT, 40, 4), RULES)
    assert encode(known) == before
    assert {one.spike.kind for one in found if one.pages} == {SpikeKind.TOTAL}
    assert all(one.spike.is_open_bin for one in found)


def test_an_empty_running_bin_says_nothing_of_silence(known):
    assert SpikeKind.SILENCE not in {one.spike.kind for one in look(known, hour(AT), RULES)}


def test_a_state_survives_its_bytes(known):
    assert decode(encode(known)) == known
    with pytest.raises(ValueError, match="version"):
        decode(b"xx" + encode(known))
    with pytest.raises(ValueError, match="cannot be read"):
        decode(encode(known)[:40])


def test_the_past_cannot_be_stepped_again(known):
    with pytest.raises(ValueError, match="does not continue"):
        step(known, hour(3), RULES, flagged=False)


def test_in_the_first_week_no_kind_speaks():
    rng = random.Random(3)
    state, _ = walk(new_kinds(), (ordinary(number, rng) for number in range(6 * 24)))
    _, findings = walk(state, [hour(6 * 24 + 10 + number, 50, 50, reach=1e7) for number in range(3)])
    assert paging(findings) == set()


def test_in_the_first_week_no_kind_speaks_however_large_the_budget():
    rules = KindRules(volume=DetectorRules(budget=4.0), kinds=(SpikeKind.TOTAL,))
    state, found = new_kinds(), []
    for number in range(24):
        state, one = step(state, hour(number, 50, 50), rules, flagged=False)
        found.append(one)
    assert paging(found) == set()


def test_only_the_kinds_that_are_watched_speak(known):
    rules = KindRules(volume=DetectorRules(), kinds=(SpikeKind.NEGATIVE, SpikeKind.TOTAL))
    _, found = step(known, hour(AT, 40, 40, reach=1e7), rules, flagged=False)
    assert {one.spike.kind for one in found} == {SpikeKind.TOTAL}


def test_bins_of_a_day_are_judged_too():
    rng = random.Random(5)
    state = new_kinds()
    for day in range(60):
        total = 20 + rng.randrange(10)
        one = Bin(start=START + day * timedelta(days=1), width=timedelta(days=1), total=total, labelled=total // 5)
        state, _ = step(state, SeenBin(bin=one), RULES, flagged=False)
    one = Bin(start=START + timedelta(days=60), width=timedelta(days=1), total=25, negative=22, labelled=22)
    _, found = step(state, SeenBin(bin=one), RULES, flagged=False)
    assert {finding.spike.kind for finding in found if finding.pages} == {SpikeKind.SHARE}
    assert found[-1].spike.window >= timedelta(days=1)


@pytest.mark.parametrize("kinds", [DEFAULT, (SpikeKind.NEGATIVE,), (SpikeKind.SHARE, SpikeKind.TOTAL)])
def test_the_parts_are_the_budget(kinds):
    parts = split(1 / 30, kinds)
    assert set(parts) == set(kinds)
    spent = [min(parts[kind], PARTS[kind] / sum(PARTS[one] for one in kinds) / 30) for kind in kinds]
    assert sum(spent) == pytest.approx(1 / 30)


def test_a_kind_that_spends_little_of_its_threshold_gets_one_that_lets_it_spend_its_part():
    parts = split(1 / 30, DEFAULT)
    assert parts[SpikeKind.REACH] == pytest.approx(4 * PARTS[SpikeKind.REACH] / 30)
    assert parts[SpikeKind.NEGATIVE] == pytest.approx(PARTS[SpikeKind.NEGATIVE] / 30)


def test_every_kind_has_a_prior_and_a_name():
    assert set(watching._KINDS) == set(watching._PRIORS)
