"""Numbers of accounts in words: in both languages, in Slack's blocks, and whatever an account calls itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.notify.accounts import AccountDay, Leap, account_lines, leap_notice
from brandmelder.notify.bulletin import Reader
from brandmelder.notify.channels.slack_blocks import render
from brandmelder.notify.compose import plain_text
from brandmelder.notify.voice import Voice, words_of
from notify.stories import BERLIN
from notify.test_digest import UNTIL
from peers.slack.blocks import refusals

LOSS = Leap(title="@nordfunk", place="X", metric="followers", before=12_340, after=12_028, usual=(-4, 9))
STARS = Leap(title="Nordfunk-App", place="App Store", metric="rating", before=4.1, after=3.85, usual=(-0.01, 0.02))


def told(leap, language="de"):
    reader = Reader(brand="Nordfunk", language=language, zone=BERLIN, now=UNTIL)
    return leap_notice("jump:1", leap, reader)


@pytest.mark.parametrize(
    ("leap", "language", "lines"),
    [
        (LOSS, "de", ["📉 Nordfunk: @nordfunk verliert 312 Follower in 24 Std.",
                      "X: 12.340 → 12.028, an einem Tag üblich −4 bis +9."]),
        (LOSS, "en", ["📉 Nordfunk: @nordfunk loses 312 followers in 24 h",
                      "X: 12,340 → 12,028, usual in a day −4 to +9."]),
        (STARS, "de", ["📉 Nordfunk: Nordfunk-App verliert 0,25 Sterne in 24 Std.",
                       "App Store: 4,1 → 3,85, an einem Tag üblich −0,01 bis +0,02."]),
    ],
)  # fmt: skip
def test_a_jump_says_what_changed_and_what_is_usual(leap, language, lines):
    assert plain_text(told(leap, language)).splitlines()[:2] == lines


def test_ours_stand_before_others_and_what_needs_a_look_before_the_rest():
    voice = Voice(words_of("en"), BERLIN, UNTIL)
    days = [
        AccountDay(title="Other", place="X", own=False, numbers=(("followers", 1825, 12),)),
        AccountDay(title="@b", place="X", own=True, numbers=(("followers", 1053, -3),), silent=2),
        AccountDay(title="@old", place="X", own=True, numbers=(("followers", 21, None),), silent=200),
        AccountDay(title="@a", place="X", own=True, numbers=(("followers", 9, 0),), jumped=("followers",)),
    ]
    lines = [(line.label, "".join(span.text for span in line.spans)) for line in account_lines(days, voice)]
    assert lines == [
        ("@a", "X: 9 followers ❗"),
        ("@old", "X: 21 followers, abandoned: no post for 6 months"),
        ("@b", "X: 1,053 followers (−3)"),
        ("Other (to compare)", "X: 1,825 followers (+12)"),
    ]


@pytest.mark.parametrize(
    ("days", "after", "says"),
    [
        (89, 90, None),
        (90, 90, "no post for 3 months"),
        (179, 180, None),
        (180, 180, "no post for 6 months"),
        (20, 14, "no post for 2 weeks"),
        (5, 3, "no post for 5 days"),
    ],
)
def test_after_how_long_an_account_is_abandoned_is_a_setting(days, after, says):
    account = AccountDay(
        title="@a", place="X", own=True, numbers=(), silent=days, abandoned_after=timedelta(days=after)
    )
    (line,) = account_lines([account], Voice(words_of("en"), BERLIN, UNTIL))
    said = "".join(span.text for span in line.spans)
    assert said == (f"X: abandoned: {says}" if says else "X: ")


@settings(deadline=None)
@given(st.text(max_size=80), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_whatever_an_account_calls_itself_slack_takes_the_notice(title, before, after):
    leap = Leap(title=title, place=title, metric=title, before=before, after=after, usual=(-1.5, 2))
    message = told(leap)
    assert len(message.headline) <= 150
    _, blocks = render(message)
    assert refusals(blocks) == []
