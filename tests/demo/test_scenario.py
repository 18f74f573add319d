"""The demo's story: told the same every time, quiet for eight weeks, then a storm."""

from __future__ import annotations

import string
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.demo import rhythm, scenario, voices
from brandmelder.demo.events import Kind
from brandmelder.model import Label

STORY = scenario.build()
ANSWERS = {"reply", "blog", "press", "people"}
PARTS = {"addendum", "opening", "closing"}


def _posts() -> list[voices.Post]:
    return [
        post
        for chapter, moods in voices.chapters().items()
        if chapter not in ANSWERS
        for mood in moods
        if mood not in PARTS | {"reply"}
        for post in voices.written(chapter, mood)
    ]


def test_some_hundred_posts_are_written_and_no_two_are_alike():
    texts = [post.text.casefold() for post in _posts()]
    assert len(texts) >= 350
    assert len(set(texts)) == len(texts)


def test_german_comes_first():
    languages = Counter(post.language for post in _posts())
    assert 0.7 <= languages["de"] / languages.total() <= 0.85


def test_posts_have_only_known_slots():
    known = {"ort", "first", "tage", "mbit", "stunden", "euro"}
    for post in _posts():
        names = {name for _, name, _, _ in string.Formatter().parse(post.text) if name is not None}
        assert names <= known, post.text


def test_the_same_seed_tells_the_same_story():
    assert scenario.build(seed=7) == scenario.build(seed=7)
    assert scenario.build(seed=7).events != scenario.build(seed=8).events


def test_the_spot_runs_at_two_minutes_to_eight_in_berlin():
    local = STORY.onset.astimezone(scenario.ZONE)
    assert local.strftime("%Y-%m-%d %H:%M") == "2026-12-15 19:58"


def test_the_story_starts_eight_weeks_before_in_any_zone():
    story = scenario.build(start=datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC))
    assert story.start == datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
    assert story.onset.astimezone(scenario.ZONE).strftime("%Y-%m-%d %H:%M") == "2026-04-26 19:58"


@given(seed=st.integers(min_value=0, max_value=10_000), day=st.integers(min_value=0, max_value=800))
@settings(max_examples=15, deadline=None)
def test_every_story_is_whole(seed: int, day: int):
    story = scenario.build(seed, scenario.START + timedelta(days=day))
    moments = [event.t for event in story.events]
    assert moments == sorted(moments)
    assert story.start <= moments[0]
    assert all(moment.microsecond == 0 and moment.tzinfo is UTC for moment in moments)
    assert all(event.published_at <= event.t for event in story.events)
    born = {event.ref: event.t for event in story.events if event.kind in {Kind.COMMENT, Kind.ARTICLE}}
    for event in story.events:
        if event.kind in {Kind.EDIT, Kind.DELETE}:
            assert born[event.ref] < event.t
        if event.parent is not None:
            assert born[event.parent] < event.t
    assert 120 <= story.negatives(story.onset, story.onset + rhythm.STORM) <= 300


def test_the_quiet_weeks_are_quiet_and_the_storm_is_not():
    days = Counter(event.t.date() for event in STORY.comments(STORY.start, STORY.onset) if not event.own)
    assert max(days.values()) <= 30
    hour = timedelta(hours=1)
    quietest_hour_of_storm = STORY.negatives(STORY.onset + hour / 6, STORY.onset + hour)
    busiest_quiet_hour = max(
        STORY.negatives(STORY.start + number * hour, STORY.start + (number + 1) * hour) for number in range(24 * 56 - 1)
    )
    assert quietest_hour_of_storm >= 10 * busiest_quiet_hour


def test_the_night_is_calm_again():
    assert STORY.negatives(STORY.onset + rhythm.STORM, STORY.end) <= 6


def test_nights_are_quieter_than_evenings_and_sundays_than_mondays():
    monday_evening = datetime(2026, 11, 2, 19, 30, tzinfo=scenario.ZONE)
    assert rhythm.quiet_rate(monday_evening) > 5 * rhythm.quiet_rate(monday_evening.replace(hour=3))
    assert rhythm.quiet_rate(monday_evening) > rhythm.quiet_rate(monday_evening + timedelta(days=6))


def test_the_storm_rises_and_falls():
    rates = [rhythm.storm_rate(timedelta(minutes=minute)) for minute in range(0, 210, 5)]
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == 0


def test_a_quiet_week_brings_about_as_many_comments_as_its_days_promise():
    hours = [rhythm.quiet_rate(scenario.START + timedelta(hours=hour)) for hour in range(24 * 7)]
    assert sum(hours) == pytest.approx(7 * rhythm.A_DAY, rel=0.02)


def test_the_company_answers_but_too_few():
    storm = STORY.comments(STORY.onset, STORY.end)
    answered = {event.parent for event in storm if event.own}
    critics = [event for event in storm if event.truth is Label.NEGATIVE]
    assert answered
    assert sum(event.ref in answered for event in critics) < 0.2 * len(critics)


def test_answers_are_in_the_language_of_the_question():
    texts = {event.ref: event for event in STORY.events if event.kind is Kind.COMMENT}
    english = {
        post.text
        for chapter in ("reply", "storm")
        for mood in ("negative", "neutral", "positive", "reply")
        for post in voices.written(chapter, mood)
        if post.language == "en"
    }
    for event in texts.values():
        if event.parent is not None:
            assert ("Your Nordfunk team" in event.text) == (event.text in english)


def test_advertised_jobs_do_not_concern_the_monitor():
    jobs = [event for event in STORY.events if "Stellenanzeige" in event.text]
    assert jobs
    assert not any(event.is_about_brand for event in jobs)


def test_until_tells_what_has_happened_so_far():
    first = STORY.until(STORY.events[9].t)
    assert len(first) >= 10
    assert all(event.t <= STORY.events[9].t for event in first)
    assert STORY.until(STORY.start - timedelta(seconds=1)) == ()


def test_the_configuration_file_is_the_demo_s_own():
    root = Path(__file__).parents[2]
    assert (root / "config" / "demo.yaml").read_text() == scenario.config("http://127.0.0.1:8080")
