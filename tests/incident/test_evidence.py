"""What stands behind the count."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.incident.evidence import UNSEEN, Answered, EvidenceInputs, Judged, gather
from brandmelder.incident.phrases import Background
from brandmelder.incident.similar import likeness
from brandmelder.model import (
    BIN,
    Bin,
    Course,
    Evidence,
    Incident,
    IncidentId,
    Label,
    Mention,
    MentionId,
    MonitorId,
    Phrase,
    SourceClass,
    SourceId,
    SourceSight,
    Spike,
    SpikeKind,
    Stance,
    State,
    Verdict,
)

EVENING = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BLOG, PRESS, X = SourceId("blog"), SourceId("press"), SourceId("x")
SIGHT = tuple(
    SourceSight(source=source, source_class=kind, read_until=EVENING)
    for source, kind in ((BLOG, SourceClass.OWN), (PRESS, SourceClass.NEWS), (X, SourceClass.SOCIAL))
)
SPIKE = Spike(
    kind=SpikeKind.NEGATIVE,
    since=EVENING - HOUR,
    until=EVENING,
    window=HOUR,
    observed=38,
    usual_low=2,
    usual_high=6,
    expected=4.0,
    score=9.0,
)
INCIDENT = Incident(
    id=IncidentId("NF-2026-042"),
    monitor=MonitorId("nordfunk"),
    kind=SpikeKind.NEGATIVE,
    state=State.OPEN,
    revision=1,
    onset=EVENING - HOUR,
    opened_at=EVENING,
    changed_at=EVENING,
    spike=SPIKE,
    peak=38,
    total=38,
    severity=3,
    first_severity=3,
    course=Course.RISING,
)


def said(
    number,
    text="Seit Tagen kein Anschluss und niemand antwortet",
    *,
    label=Label.NEGATIVE,
    minute=30,
    source=BLOG,
    author=None,
    stance=Stance.NEUTRAL,
    unsure=False,
    insult=0.0,
    weight=1.0,
    **mention,
):
    shares = {Label.NEGATIVE: 0.1, Label.NEUTRAL: 0.1, Label.POSITIVE: 0.1} | {label: 0.8}
    return Judged(
        id=MentionId(number),
        mention=Mention(
            source=source,
            external_id=str(number),
            text=text,
            published_at=EVENING - timedelta(minutes=minute),
            captured_at=EVENING,
            author=f"author {number}" if author is None else author,
            **mention,
        ),
        verdict=Verdict(
            p_negative=shares[Label.NEGATIVE],
            p_neutral=shares[Label.NEUTRAL],
            p_positive=shares[Label.POSITIVE],
            label=label,
            unsure=unsure,
            language="de",
            classifier="test",
            model_version="1",
            stance=stance,
            insult=insult,
            weight=weight,
        ),
    )


def evidence(*judged, **inputs):
    return gather(EvidenceInputs(incident=INCIDENT, judged=judged, sight=inputs.pop("sight", SIGHT), **inputs))


SUBJECTS = (
    "Die Hotline ist seit Stunden besetzt und legt dann einfach auf",
    "Mein Vertrag wurde verlängert, ohne dass jemand gefragt hätte",
    "Kein Internet in Husum, und die Störungsseite zeigt nichts an",
    "Rechnung doppelt abgebucht, Gutschrift kommt angeblich nächsten Monat",
    "Der Techniker stand wieder nicht vor der Tür, Urlaubstag vertan",
    "Im Fernsehen um Post bitten und dann automatisch antworten",
)


def test_nothing_is_known_of_an_incident_without_mentions():
    found = evidence()
    assert found == Evidence(sight=SIGHT, compared=0, spark=(0,) * 18, course=(0, 0, 0))


def test_only_what_counts_is_counted():
    found = evidence(
        said(1, SUBJECTS[0]),
        said(2, SUBJECTS[1], own=True),
        said(3, SUBJECTS[2], weight=0.0),
        said(4, SUBJECTS[3], label=Label.NEUTRAL),
    )
    assert (found.mentions, found.negatives) == (2, 1)


def test_sources_are_counted_the_loudest_first():
    found = evidence(said(1, source=X), said(2, source=BLOG), said(3, source=X))
    assert found.sources == ((X, 2), (BLOG, 1))


def test_authors_are_counted_once_and_nameless_ones_each():
    found = evidence(
        said(1, SUBJECTS[0], author="a", reach=50),
        said(2, SUBJECTS[1], author="a", reach=20_000),
        said(3, SUBJECTS[2], author="b", reach=10_000),
        said(4, SUBJECTS[3], author=""),
        said(5, SUBJECTS[4], author=""),
    )
    assert (found.critics, found.reach_critics) == (4, 1)
    assert (found.top_authors, found.top_share) == (1, 0.4)


def test_defenders_are_those_who_are_not_negative_themselves():
    found = evidence(
        said(1, label=Label.POSITIVE, stance=Stance.DEFENDER),
        said(2, label=Label.NEGATIVE, stance=Stance.DEFENDER),
        said(3, label=Label.POSITIVE),
    )
    assert found.defenders == 1


def test_shares_of_copies_unclear_and_insults():
    found = evidence(
        *(said(number, SUBJECTS[0]) for number in range(6)),
        said(6, SUBJECTS[1], insult=0.9, unsure=True),
        said(7, SUBJECTS[2], insult=0.7),
        said(8, SUBJECTS[3], label=Label.NEUTRAL, unsure=True),
        said(9, SUBJECTS[4], label=Label.NEUTRAL),
    )
    assert found.copies_share == 5 / 8
    assert found.unclear_share == 0.2
    assert found.insult_share == 1 / 8


def test_the_course_is_counted_back_from_the_end_of_the_window():
    found = evidence(
        *(said(number, minute=59) for number in range(3)),
        *(said(number, minute=30) for number in range(10, 19)),
        *(said(number, minute=20) for number in range(20, 41)),
        said(99, minute=0),
    )
    assert found.course == (3, 9, 21)
    assert found.spark[-3:] == (3, 9, 21)
    assert len(found.spark) == 18


def test_bins_give_the_picture_and_say_what_was_not_seen():
    bins = [Bin(start=EVENING - number * BIN, labelled=number % 3, exposure=1.0) for number in range(1, 25)]
    blind = [Bin(start=EVENING - number * BIN, labelled=0, exposure=0.0) for number in range(25, 29)]
    found = evidence(bins=(*blind, *bins))
    assert found.spark == (UNSEEN,) * 12 + (3, 5, 4, 3, 5, 4)
    assert found.course == (3, 5, 4)
    assert evidence(bins=tuple(blind)).course == (0, 0, 0)


def test_the_newest_mention_and_our_answers_are_told():
    answered = Answered(answered=3, oldest_unanswered=EVENING - HOUR, first=EVENING)
    found = evidence(said(1, minute=40), said(2, minute=7), answered=answered)
    assert found.newest == EVENING - timedelta(minutes=7)
    assert (found.answered, found.oldest_unanswered, found.first_answered) == (3, EVENING - HOUR, EVENING)


def test_three_posts_show_it_the_typical_the_far_reaching_and_the_newest():
    found = evidence(
        said(1, "Die Hotline ist besetzt, die Hotline legt auf", minute=50),
        said(2, "Hotline besetzt, wieder eine Stunde Hotline", minute=45),
        said(3, SUBJECTS[5], minute=40, reach=80_000, url="https://x.example/3"),
        said(4, SUBJECTS[3], minute=2),
        said(5, SUBJECTS[5] + " wirklich", minute=1),
        said(6, "   ", minute=1),
    )
    typical, spread, newest = found.quotes
    assert typical.mention in {1, 2}
    assert (spread.mention, spread.reach, spread.copies, spread.url) == (3, 80_000, 1, "https://x.example/3")
    assert newest.mention == 4


def test_key_phrases_make_a_mention_typical():
    before = Background(counts={"hotline": 4, "anschluss": 200}, mentions=900)
    texts = [f"{SUBJECTS[number % 5]} und der TV-Spot nervt {number}" for number in range(8)]
    judged = [said(number, text, minute=30 - number) for number, text in enumerate(texts)]
    found = evidence(*judged, said(90, "Anschluss weg", minute=0), background=before, own_names=("Nordfunk",))
    assert [phrase.text for phrase in found.phrases] == ["TV-Spot nervt"]
    assert found.quotes[0].mention < 90
    assert found.compared == 900


def test_the_skala_counts_the_media_apart():
    articles = [
        said(
            number, SUBJECTS[number % 6], source=PRESS, label=Label.NEUTRAL, url=f"https://blatt{number % 2}.example/a"
        )
        for number in range(3)
    ]
    odd = [
        said(50, SUBJECTS[3], source=PRESS, label=Label.NEUTRAL, url="https://[broken"),
        said(51, SUBJECTS[4], source=PRESS, label=Label.POSITIVE),
    ]
    critics = [said(number, SUBJECTS[number % 6], source=X, minute=number) for number in range(10, 16)]
    found = evidence(*articles, *odd, *critics)
    assert (found.community, found.media) == (2, 3)
    assert evidence(*critics).media == 0


def test_copies_that_are_not_at_hand_are_an_echo_too():
    sight = tuple(one for one in SIGHT if one.source == X)
    words = [" ".join(f"w{number}x{place}" for place in range(8)) for number in range(60)]
    critics = [said(number, text, source=X, minute=number) for number, text in enumerate(words)]
    few, many = evidence(*critics, sight=sight), evidence(*critics, sight=sight, negatives=2000, mentions=2100)
    assert few.community <= 3
    assert many.community == 4
    assert dict(many.community_inputs)["echo"] > 0.9


def test_earlier_incidents_that_looked_alike_are_named():
    before = Background(counts={"anschluss": 200}, mentions=900)
    texts = [f"{SUBJECTS[number % 5]} und der TV-Spot heute, Nummer {number * 7}" for number in range(12)]
    judged = [said(number, text) for number, text in enumerate(texts)]
    past = Incident(**{name: getattr(INCIDENT, name) for name in INCIDENT.__struct_fields__} | {"id": "NF-2025-061"})
    told = Evidence(phrases=(Phrase(text="TV-Spot", count=12),), sources=((BLOG, 30),))
    found = evidence(*judged, background=before, earlier=(likeness(past, told),))
    assert found.similar == ("NF-2025-061",)


_judged = st.lists(
    st.builds(
        said,
        st.integers(0, 500),
        st.text(max_size=40) | st.sampled_from(SUBJECTS),
        label=st.sampled_from(Label),
        minute=st.integers(-5, 600),
        source=st.sampled_from([BLOG, PRESS, X]),
        author=st.sampled_from(["", "a", "b", "c"]),
        stance=st.sampled_from(Stance),
        unsure=st.booleans(),
        insult=st.floats(0, 1),
        weight=st.sampled_from([0.0, 0.3, 1.0]),
        reach=st.none() | st.integers(0, 10**7),
        parent_id=st.none() | st.just("1"),
        own=st.booleans(),
        url=st.just("") | st.just("https://a.example/1") | st.just("http://[x"),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(_judged, st.randoms())
def test_evidence_adds_up_whatever_comes_in_whatever_order(judged, random):
    found = evidence(*judged)
    assert sum(count for _, count in found.sources) == found.negatives <= found.mentions
    assert found.reach_critics <= found.critics <= found.negatives
    for share in (found.copies_share, found.top_share, found.unclear_share, found.insult_share):
        assert 0 <= share <= 1
    assert len(found.quotes) <= 3
    assert [quote.copies >= 0 for quote in found.quotes] == [True] * len(found.quotes)
    if len({one.id for one in judged}) == len(judged):
        assert len({quote.mention for quote in found.quotes}) == len(found.quotes)
        random.shuffle(judged)
        assert evidence(*judged) == found


def test_what_most_of_it_is_about_is_said_the_most_frequent_first():
    about = [("outage", "service"), ("outage",), ("outage", "price"), ("service",), ("service", "outage"), ()]
    judged = [said(n, text) for n, text in enumerate(SUBJECTS, 1)]
    judged = [
        replace(one, verdict=replace(one.verdict, topics=topics)) for one, topics in zip(judged, about, strict=True)
    ]
    assert evidence(*judged).topics == (("outage", 4), ("service", 3))


def test_over_active_accounts_do_not_choose_the_words_of_the_alert():
    heard = [said(n, f"{SUBJECTS[n % 6]} und Fall {n}", author=f"a{n}") for n in range(6)]
    shouted = [
        said(100 + n, f"Boykott jetzt und sofort Nummer {n} {'x' * n}", author="troll", weight=1e-9) for n in range(40)
    ]
    found = evidence(*heard, *shouted)
    assert found.negatives == 46
    assert {quote.mention for quote in found.quotes} <= set(range(6))
