"""Invented incidents, told to their end, for tests of reports."""

from datetime import timedelta

from msgspec.structs import replace

from brandmelder.model import Act, Gap, Picture, SourceId, State, Transition
from brandmelder.notify.news import ENGINE
from brandmelder.report.account import Account, Answers, Spoken, Told
from notify.stories import ALARM, ENDED, ENDED_EVIDENCE, HOUR, INCIDENT, MINUTE, TEXTS, context

BARS = (1, 0, 2, 1, 1, 2, 1, 5, 11, 22, 41, 38, 42, 30, 21, 12, 9, 6, 3, 1, 0, 1)


def step(revision, act, at, *, by=ENGINE, note="", after=State.OPEN):
    return Transition(
        incident=INCIDENT.id, revision=revision, at=at, act=act, before=State.OPEN, after=after, by=by, note=note
    )


TIMELINE = (
    step(1, Act.OPEN, ALARM),
    step(4, Act.WORSEN, ALARM + 6 * MINUTE, note="3 → 4"),
    step(5, Act.ACKNOWLEDGE, ALARM + 8 * MINUTE, by="Anna", after=State.ACKNOWLEDGED),
    step(6, Act.CORRECT, ALARM + 20 * MINUTE, note="46 → 46"),
    step(7, Act.JOIN, ALARM + 27 * MINUTE, note="news"),
    step(8, Act.HAND_OVER, ALARM + 41 * MINUTE, by="Anna", note="Ben"),
    step(9, Act.TURN, ALARM + 65 * MINUTE, note="subsiding"),
    step(12, Act.RESOLVE, ALARM + 191 * MINUTE, after=State.RESOLVED),
)
SPOKEN = tuple(
    Spoken(
        text=text,
        source=SourceId(source),
        url=f"https://{source}.example/{number}",
        published_at=ALARM - number * MINUTE,
        reach=12_400 if source == "mastodon" else None,
        copies=2 if source == "x" else 0,
    )
    for number, (text, source) in enumerate(zip(TEXTS.values(), ("x", "blog", "mastodon"), strict=True))
)
GAP = Gap(source=SourceId("facebook"), since=ALARM - 29 * MINUTE, until=ALARM + 40 * MINUTE, reason="answered 503")


def account(language="de", **changed):
    """Return what is known of an incident that ended; `changed` replaces parts of it."""
    known = {
        "incident": ENDED,
        "evidence": replace(ENDED_EVIDENCE, mentions=611, quotes=()),
        "timeline": TIMELINE,
        "context": context(
            language, at=ALARM + 5 * HOUR, first_acknowledged_at=ALARM + 8 * MINUTE, query='(nordfunk OR "nord funk")'
        ),
        "drawn": Picture(
            until=ALARM + 199 * MINUTE, width=20 * MINUTE, counts=BARS, usual=((0, 3),) * len(BARS), holes=()
        ),
        "peak_at": ALARM + 79 * MINUTE,
        "peak_usual": (4, 12),
        "spoken": SPOKEN,
        "answers": Answers(
            asked=402,
            answered=64,
            answered_since=80,
            first=ALARM + 55 * MINUTE,
            median=timedelta(minutes=71),
            oldest_unanswered=ALARM - 47 * MINUTE,
        ),
        "told": (
            Told(channel="Slack (krise)", at=ALARM + timedelta(seconds=9)),
            Told(channel="Mail (presse)", at=None),
        ),
        "calls": 3,
        "judge": "linear d3e1252a4a63",
        "written_at": ALARM + 5 * HOUR,
        "version": "0.1.0",
    }
    return Account(**known | changed)
