"""Invented incidents of an invented provider, for tests of what people read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from brandmelder.model import (
    Act,
    Course,
    DeliveryKind,
    Evidence,
    Incident,
    IncidentId,
    MentionId,
    MonitorId,
    Occasion,
    Phrase,
    Picture,
    Quote,
    SourceClass,
    SourceId,
    SourceSight,
    SourceState,
    Spike,
    SpikeKind,
    State,
    Transition,
)
from brandmelder.notify.call import call
from brandmelder.notify.compose import Beside, Case, Context, compose, rule_words
from brandmelder.notify.message import Callee
from brandmelder.notify.story import Story

ALARM = datetime(2026, 12, 15, 19, 41, tzinfo=UTC)
"""20:41 in Berlin, a Tuesday."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
NAMES = {"x": "X", "blog": "Blog", "mastodon": "Mastodon", "mail": "Postfach", "facebook": "Facebook"}

SPIKE = Spike(
    kind=SpikeKind.NEGATIVE,
    since=ALARM - 61 * MINUTE,
    until=ALARM - MINUTE,
    window=HOUR,
    observed=38,
    usual_low=2,
    usual_high=6,
    expected=4.1,
    score=9.3,
    rarity=timedelta(weeks=12),
    history=timedelta(weeks=12),
)
INCIDENT = Incident(
    id=IncidentId("NF-2026-042"),
    monitor=MonitorId("nordfunk"),
    kind=SpikeKind.NEGATIVE,
    state=State.OPEN,
    revision=1,
    onset=ALARM - 61 * MINUTE,
    opened_at=ALARM,
    changed_at=ALARM,
    spike=SPIKE,
    peak=38,
    total=38,
    severity=3,
    first_severity=3,
    course=Course.RISING,
)


def sight(name, *, read=1, blind=None, kind=SourceClass.SOCIAL, state=SourceState.OK):
    """Return a source that was read until `read` minutes before the alarm, and is blind since `blind` minutes."""
    return SourceSight(
        source=SourceId(name),
        source_class=kind,
        read_until=None if read is None else ALARM - read * MINUTE,
        state=state if blind is None else SourceState.FAILING,
        blind_since=None if blind is None else ALARM - blind * MINUTE,
    )


SIGHT = tuple(sight(name) for name in NAMES)
BARS = (1, 0, 2, 1, 1, 0, 2, 1, 1, 2, 0, 1, 1, 2, 1, 5, 11, 22)
PICTURE = Picture(until=SPIKE.until, width=20 * MINUTE, counts=BARS, usual=((0, 3),) * len(BARS))
EVIDENCE = Evidence(
    phrases=(
        Phrase(text="TV-Spot", count=15),
        Phrase(text="Warteschleife", count=11),
        Phrase(text="14 Tage", count=7),
    ),
    sources=((SourceId("x"), 17), (SourceId("blog"), 11), (SourceId("mastodon"), 6), (SourceId("mail"), 4)),
    critics=29,
    reach_critics=2,
    defenders=4,
    copies_share=0.06,
    top_authors=6,
    top_share=0.34,
    unclear_share=0.11,
    course=(5, 11, 22),
    spark=BARS,
    mentions=71,
    negatives=38,
    oldest_unanswered=ALARM - 47 * MINUTE,
    newest=ALARM - 2 * MINUTE,
    compared=2310,
    community=3,
    community_inputs=(("critics", 29.0), ("channels", 4.0), ("echo", 0.13)),
    similar=("NF-2025-061",),
    quotes=(
        Quote(
            mention=MentionId(1),
            source=SourceId("x"),
            url="https://x.example/1",
            published_at=ALARM - 10 * MINUTE,
            copies=2,
        ),
        Quote(mention=MentionId(2), source=SourceId("blog"), url="", published_at=ALARM - 38 * MINUTE),
        Quote(
            mention=MentionId(3),
            source=SourceId("mastodon"),
            url="https://social.example/@a/3",
            published_at=ALARM - 2 * MINUTE,
            reach=12_400,
        ),
    ),
    sight=SIGHT,
    picture=PICTURE,
)
TEXTS = {
    MentionId(1): "Im Fernsehen um Post bitten, und dann kommt eine automatische Antwort: „Bearbeitungszeit 14 Tage“.",
    MentionId(2): "Seit drei Wochen ohne Anschluss. Ihr Leiter lächelt, meine Leitung schweigt.\n\nSchade.",
    MentionId(3): "Elf Minuten Warteschleife, dann aufgelegt. Mehr davon: https://www.social.example/@a/3?utm=1",
}


def context(language="de", *, at=ALARM, **more):
    known = {
        "brand": "Nordfunk",
        "title": "Nordfunk",
        "zone": BERLIN,
        "on_call": "Anna",
        "source_names": {SourceId(name): shown for name, shown in NAMES.items()},
        "rule": rule_words(1 / 30, language),
        "details_url": "https://brandmelder.example/vorfall/NF-2026-042",
        "cases": (
            Case(
                id="NF-2025-061",
                opened_at=ALARM - timedelta(days=280),
                duration=5 * HOUR,
                community=3,
                what="Preiserhöhung",
                ended=State.RESOLVED,
                is_by_itself=True,
            ),
        ),
    }
    return Context(**known | more, language=language, now=at)


def step(act, *, note="", by="brandmelder", at=ALARM + 6 * MINUTE, after=State.OPEN):
    return Transition(
        incident=INCIDENT.id, revision=4, at=at, act=act, before=State.OPEN, after=after, by=by, note=note
    )


def called(language="de", **known):
    """Return the word that calls people to an incident nobody took."""
    said = Story(changed(observed=46, usual_low=5, usual_high=15), EVIDENCE, context(language, at=known.pop("at")))
    return call(said, known.pop("transition"), callees=CALLEES, patience=15 * MINUTE)


def told(incident=INCIDENT, evidence=EVIDENCE, *, kind=DeliveryKind.OPEN, language="de", texts=TEXTS, **known):
    """Return the message of a story; `known` goes into its context."""
    return compose(incident, evidence, kind=kind, context=context(language, **known), quotes=texts)


def changed(incident=INCIDENT, **spike):
    """Return an incident with other figures."""
    return replace(incident, spike=replace(incident.spike, **spike))


CALLEES = (Callee(name="Anna", slack="U0123456789"), Callee(name="Ben", mail="ben@nordfunk.example"))
CALLS = {
    "escalated": {"transition": step(Act.ESCALATE, note="1", at=ALARM + 15 * MINUTE), "at": ALARM + 15 * MINUTE},
    "asked": {"transition": step(Act.ASK, note="Anna", at=ALARM + 4 * HOUR), "at": ALARM + 4 * HOUR},
}

ACKNOWLEDGED = replace(
    changed(observed=98, usual_low=4, usual_high=12, expected=7.6),
    state=State.ACKNOWLEDGED,
    revision=6,
    acknowledged_by="Anna",
    acknowledged_at=ALARM + 8 * MINUTE,
    severity=4,
    peak=98,
    total=111,
)
WORSE = replace(changed(observed=46, usual_low=5, usual_high=15, expected=9.5), severity=4, peak=46, total=52)
ENDED = replace(
    changed(ACKNOWLEDGED, observed=3, usual_low=0, usual_high=4, expected=1.4),
    state=State.RESOLVED,
    revision=12,
    course=Course.CALM,
    peak=121,
    total=402,
    calm_since=ALARM + 71 * MINUTE,
    closed_at=ALARM + 191 * MINUTE,
    closed_by="brandmelder",
)
ENDED_EVIDENCE = replace(EVIDENCE, negatives=402, answered=64, critics=241, first_answered=ALARM + 55 * MINUTE)
FACEBOOK_BLIND = (*SIGHT[:4], sight("facebook", blind=29))
IN_THE_THREAD = {"kind": DeliveryKind.THREAD}

STORIES = {
    "opening": {},
    "acknowledged": {
        "incident": ACKNOWLEDGED,
        "evidence": replace(
            EVIDENCE,
            negatives=111,
            answered=6,
            course=(22, 35, 41),
            picture=replace(PICTURE, counts=(*BARS[:12], 5, 11, 22, 22, 35, 41), usual=((0, 5),) * len(BARS)),
        ),
        "kind": DeliveryKind.UPDATE,
        "at": ALARM + 12 * MINUTE,
    },
    "worsened": {"incident": WORSE, "transition": step(Act.WORSEN, note="3 → 4"), "at": ALARM + 6 * MINUTE}
    | IN_THE_THREAD,
    "incomplete": {
        "incident": replace(changed(observed=33, usual_low=5, usual_high=15, is_partial=True), is_provisional=True),
        "evidence": replace(EVIDENCE, sight=(*FACEBOOK_BLIND[:2], sight("mastodon", read=24), *FACEBOOK_BLIND[3:])),
    },
    "copies": {
        "evidence": replace(EVIDENCE, copies_share=0.61, critics=9, top_authors=2, top_share=0.55, phrases=()),
    },
    "one-source": {"evidence": replace(EVIDENCE, sources=((SourceId("mail"), 38),), unclear_share=0.31)},
    "learning": {
        "incident": changed(learning=True, history=timedelta(days=3), rarity=None),
        "evidence": replace(EVIDENCE, phrases=(), compared=61, similar=(), picture=replace(PICTURE, usual=())),
    },
    "low-counts": {
        "incident": replace(
            changed(observed=4, usual_low=0, usual_high=0, expected=0.2, history=timedelta(weeks=8), is_estimate=True),
            severity=1,
            peak=4,
            total=4,
        ),
        "evidence": replace(
            EVIDENCE,
            phrases=(),
            sources=((SourceId("blog"), 3), (SourceId("mail"), 1)),
            critics=4,
            reach_critics=0,
            defenders=1,
            copies_share=0.25,
            unclear_share=0.5,
            mentions=8,
            negatives=4,
            answered=1,
            course=(0, 1, 3),
            spark=(-1, -1, 0, 0, 0, 1, 3),
            picture=replace(PICTURE, counts=(-1, -1, *[0] * 14, 1, 3), usual=((0, 0),) * len(BARS)),
            community=1,
            community_inputs=(("critics", 4.0),),
            similar=(),
            quotes=EVIDENCE.quotes[1:2],
        ),
    },
    "spot": {
        "incident": changed(observed=46, usual_low=5, usual_high=15, expected=9.5),
        "evidence": replace(
            EVIDENCE,
            media=3,
            media_inputs=(("articles", 1.0),),
            picture=replace(
                PICTURE,
                events=(Occasion(at=ALARM - 43 * MINUTE, until=ALARM + HOUR, name="TV-Spot „Zufriedenheit“"),),
            ),
        ),
    },
    "beside": {
        "beside": tuple(
            Beside(id=f"NF-2026-04{number}", title=title, spike=replace(SPIKE, observed=12 - number, usual_high=2))
            for number, title in enumerate(("Tarife", "Hotline", "Netz", "Shop", "Presse", "App"))
        ),
    },
    "delayed": {
        "incident": replace(INCIDENT, is_delayed=True, opened_at=ALARM + 14 * HOUR),
        "evidence": replace(EVIDENCE, sight=tuple(sight(name, read=-14 * 60 + 2) for name in NAMES)),
        "at": ALARM + 14 * HOUR,
    },
    "end": {
        "incident": ENDED,
        "evidence": ENDED_EVIDENCE,
        "transition": step(Act.RESOLVE, after=State.RESOLVED),
        "at": ALARM + 191 * MINUTE,
    }
    | IN_THE_THREAD,
    "ended": {
        "incident": ENDED,
        "evidence": ENDED_EVIDENCE,
        "kind": DeliveryKind.RESOLVE,
        "at": ALARM + 191 * MINUTE,
    },
    "dismissed": {
        "incident": replace(ENDED, state=State.DISMISSED, closed_by="Anna", label="sarcasm"),
        "evidence": ENDED_EVIDENCE,
        "kind": DeliveryKind.RESOLVE,
        "at": ALARM + 191 * MINUTE,
    },
    "news-joins": {
        "evidence": replace(
            EVIDENCE,
            sources=(*EVIDENCE.sources, (SourceId("paper"), 1)),
            sight=(*SIGHT, sight("paper", kind=SourceClass.NEWS)),
            media=3,
            media_inputs=(("articles", 1.0),),
        ),
        "source_names": {SourceId(name): shown for name, shown in (NAMES | {"paper": "Kieler Blatt"}).items()},
        "transition": step(Act.JOIN, note="news"),
        "at": ALARM + 27 * MINUTE,
    }
    | IN_THE_THREAD,
    "subsiding": {
        "incident": replace(changed(observed=22), peak=121, course=Course.SUBSIDING),
        "transition": step(Act.TURN, note="subsiding"),
        "at": ALARM + 65 * MINUTE,
    }
    | IN_THE_THREAD,
    "rising-again": {"incident": changed(observed=34), "transition": step(Act.TURN, note="rising")} | IN_THE_THREAD,
    "still-high": {
        "incident": replace(changed(observed=41), course=Course.HIGH),
        "transition": step(Act.AGE, note="high"),
        "at": ALARM + 8 * HOUR,
    }
    | IN_THE_THREAD,
    "handed-over": {
        "incident": replace(ACKNOWLEDGED, acknowledged_by="Ben"),
        "transition": step(Act.HAND_OVER, note="Ben", by="Anna"),
        "at": ALARM + 41 * MINUTE,
    }
    | IN_THE_THREAD,
    "reopened": {"transition": step(Act.REOPEN, by="Ben"), "at": ALARM + 6 * HOUR} | IN_THE_THREAD,
    "corrected": {
        "incident": changed(observed=36),
        "kind": DeliveryKind.UPDATE,
        "first_observed": 33,
        "at": ALARM + 5 * MINUTE,
    },
    "running-bin": {"incident": replace(changed(is_open_bin=True), is_provisional=True)},
    "guided": {
        "query": '(nordfunk OR "nord funk") -stellenanzeige',
        "runbook_url": "https://wiki.example/krise",
        "holding_statement": "Wir prüfen die Berichte und melden uns bis 22 Uhr.",
        "on_call": None,
    },
    "test": {"kind": DeliveryKind.TEST},
}
