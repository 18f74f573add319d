"""The report of an incident: what it says, in two languages, with names and without, and what it may not carry."""

from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Act, Phrase, SpikeKind, State
from brandmelder.report.account import Answers, without_names
from brandmelder.report.incident import incident_report
from brandmelder.report.markdown import markdown
from brandmelder.report.printed import printed
from notify.stories import ALARM, ENDED, ENDED_EVIDENCE, INCIDENT, MINUTE, changed
from report.accounts import GAP, TIMELINE, account, step

GOLDEN = Path(__file__).parents[1] / "golden/reports"
RUNNING = replace(changed(observed=46, usual_low=5, usual_high=15), revision=4)
CASES = {
    "ended": {},
    "running": {
        "incident": RUNNING,
        "context": replace(account().context, first_acknowledged_at=None),
        "timeline": TIMELINE[:2],
        "written_at": ALARM + 12 * MINUTE,
        "answers": Answers(asked=46, oldest_unanswered=ALARM - 47 * MINUTE),
        "gaps": (GAP,),
        "told": (),
        "calls": 0,
    },
    "dismissed": {
        "incident": replace(ENDED, state=State.DISMISSED, closed_by="Anna", label="sarcasm"),
        "timeline": (*TIMELINE[:3], step(6, Act.DISMISS, ALARM + 30 * MINUTE, by="Anna", note="sarcasm: ein Witz")),
        "drawn": None,
    },
}


def told(language="de", **known):
    return markdown(incident_report(account(language, **known)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_a_report_reads_as_agreed(name, language):
    known = CASES[name]
    if "context" in known:
        known = known | {"context": replace(known["context"], language=language)}
    file = GOLDEN / f"{name}.{language}.md"
    assert told(language, **known) == file.read_text("utf-8")


def test_first_and_highest_severity_stand_at_the_head():
    assert "- **Schwere**: **zuerst mittel, in der Spitze hoch**" in told().split("## ", maxsplit=1)[0]


def test_every_change_stands_in_the_timeline_but_corrections_that_correct_nothing():
    rows = told().split("## Zeitleiste")[1].split("##")[0]
    assert [row.split(" | ")[1] for row in rows.strip().splitlines()[2:]] == [
        "eröffnet", "Schwere steigt", "**übernommen**", "weitere Quellen", "**übergeben**", "Wende", "abgeschlossen",
    ]  # fmt: skip


def test_without_names_nobody_is_named_and_everything_else_is_told():
    dismissed = CASES["dismissed"]
    for known in ({}, dismissed):
        text = markdown(incident_report(without_names(account(**known), "Bereitschaft")))
        assert "Anna" not in text
        assert "Ben" not in text.replace("Benachrichtigt", "")
        assert "ein Witz" not in text
        assert "Bereitschaft" in text
        assert "Sarkasmus" in text or known is not dismissed
    assert "3 Rufe" not in markdown(incident_report(without_names(account(), "Bereitschaft")))


def test_a_voice_that_was_deleted_is_counted_and_not_shown():
    assert "Eine weitere Stimme ist nicht mehr zu zeigen" in told(left_out=1)


def test_where_nobody_of_us_ever_wrote_no_answers_are_counted():
    known = Answers(asked=402, could_be_seen=False)
    assert "schrieb noch nie ein eigenes Konto" in told(answers=known)


def test_a_gap_is_never_calm():
    text = told(gaps=(GAP,))
    assert "Facebook, 20:12 bis 21:21: answered 503" in text
    assert "bekannte Lücken gibt es nicht" not in text


def test_all_seen_is_said_in_one_sentence():
    calm = replace(ENDED_EVIDENCE, unclear_share=0.1, top_share=0.1, quotes=())
    assert "Alle 5 Quellen wurden gelesen; bekannte Lücken gibt es nicht." in told(evidence=calm)


# ------------------------------------------------------------------------- the page


class Tags(HTMLParser):
    """Collects what a browser would find in a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.addresses, self.text = set(), [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in {"href", "src", "srcset", "action", "data", "poster", "xlink:href"}:
                self.addresses.append((tag, value))

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_needs_nothing_from_anywhere():
    page = printed(incident_report(account()))
    found = Tags(page)
    assert {tag for tag, _ in found.addresses} == {"a"}
    assert "default-src 'none'" in unescape(page)
    assert not {"script", "img", "link", "iframe", "object", "form"} & found.tags
    assert "url(" not in page.replace("url(#", "")
    assert "@import" not in page


def test_the_picture_is_sound_and_says_itself_in_words():
    page = printed(incident_report(account()))
    drawing = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert drawing.get("role") == "img"
    assert "Nordfunk" in drawing.get("aria-label")


def headings(text):
    return {line for line in text.splitlines() if line.startswith("#")}


HOSTILE = st.text(max_size=40) | st.sampled_from(
    [
        "</style><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"><svg onload=alert(1)>',
        "javascript:alert(1)",
        "\u202edrowssap",
        "| a | b |\n# h",
        "[x](javascript:1)",
        "<!--",
        "]]>",
        "&lt;b&gt;",
    ]
)


@given(words=st.lists(HOSTILE, min_size=6, max_size=6))
@settings(max_examples=60, deadline=timedelta(seconds=5))
def test_nobodys_words_become_markup(words):
    voice, phrase, name, note, reason, query = words
    base = account()
    known = account(
        spoken=tuple(replace(one, text=voice, url=f"https://x.example/{phrase}") for one in base.spoken),
        evidence=replace(ENDED_EVIDENCE, phrases=(Phrase(text=phrase, count=3),), quotes=()),
        timeline=(*TIMELINE, step(13, Act.ACKNOWLEDGE, ALARM, by=name, note=note)),
        gaps=(replace(GAP, reason=reason),),
        context=replace(base.context, query=query, title=name),
        judge=note,
    )
    report = incident_report(known)
    plain = Tags(printed(incident_report(base)))
    hostile = Tags(printed(report))
    assert hostile.tags <= plain.tags
    assert all(value.startswith("https://") for tag, value in hostile.addresses)
    text = markdown(report)
    assert headings(text) <= headings(markdown(incident_report(base))) | {text.splitlines()[0]}
    assert "<script" not in text.replace("\\<script", "")


def test_a_report_of_any_kind_of_spike_can_be_written():
    for kind in SpikeKind:
        for ending in (ENDED, INCIDENT):
            one = replace(ending, kind=kind, spike=replace(ending.spike, kind=kind, subject="x", whole=60))
            assert printed(incident_report(account(incident=one))).startswith("<!DOCTYPE html>")
