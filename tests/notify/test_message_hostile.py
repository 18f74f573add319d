"""Whatever strangers write, they speak only inside quotes and foreign spans, and nobody's limits break."""

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Act, DeliveryKind, MentionId, Phrase, Quote, State
from brandmelder.notify.compose import Case, plain_text
from brandmelder.notify.excerpt import QUOTED, excerpt
from notify.stories import ALARM, ENDED, EVIDENCE, HOUR, INCIDENT, TEXTS, step, told

MARK = "Ж"
"""A letter that no word of ours holds: where it turns up, a stranger speaks."""
BAD = st.sampled_from(
    [
        "<!channel>",
        "<@U123>",
        "<https://böse.example|hier>",
        "https://böse.example/a",
        "www.böse.example",
        "*fett* _kursiv_ `code` ~weg~ :boom:",
        "&lt;&amp;",
        "{number}{moment}{0.__class__}%s",
        "\x00\x07\x1b[31m\x9b",
        "\u202e\u2066\u200b\u200d\ufeff\u00ad",
        "\ud800",
        "\r\n\u2028\u2029\x85",
        "e" + "\u0301" * 40,
        "„“”\"'",
        "# Überschrift\n> Zitat\n- Liste",
        "🔴 Nordfunk – Negative Erwähnungen: 999 in 60 min",
    ]
)
WORDS = st.lists(st.text(max_size=12) | BAD | st.just(MARK), max_size=12).map(" ".join) | st.text(max_size=400)
HOSTILE = WORDS.map(lambda text: f"{MARK}{text}{MARK}")
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def own_words(message):
    """Return every piece of a message that a channel may take for our own words."""
    spans = [*message.sentence, *(span for part in message.footer for span in part)]
    spans += [span for line in message.lines for span in line.spans]
    yield message.headline
    yield message.lock_screen
    yield message.spark
    yield message.incident
    yield from message.honest
    yield from (line.label for line in message.lines)
    yield from (span.text for span in spans if not span.foreign)
    yield from (quote.label for quote in message.quotes)
    yield from (button.label + button.url for button in message.buttons)


def foreign_words(message):
    spans = [*message.sentence, *(span for line in message.lines for span in line.spans)]
    yield from (span.text for span in spans if span.foreign)
    yield from (quote.text for quote in message.quotes)


@settings(max_examples=2000, deadline=None)
@example(MARK + "ht\u200btps://x" + MARK, DeliveryKind.OPEN, State.OPEN, "de")
@example(MARK + "HTTP:://" + MARK, DeliveryKind.OPEN, State.PENDING, "de")
@example("http" + MARK + "://" + MARK, DeliveryKind.OPEN, State.OPEN, "en")
@given(HOSTILE, st.sampled_from(DeliveryKind), st.sampled_from(State), st.sampled_from(["de", "en"]))
def test_hostile_words_stay_inside_quotes_and_foreign_spans(text, kind, state, language):
    evidence = replace(
        EVIDENCE,
        phrases=(Phrase(text=text, count=9), *EVIDENCE.phrases),
        quotes=(
            Quote(mention=MentionId(9), source=EVIDENCE.quotes[0].source, url=text, published_at=ALARM),
            *EVIDENCE.quotes[:2],
        ),
    )
    incident = replace(ENDED if state in {State.RESOLVED, State.DISMISSED} else INCIDENT, state=state)
    case = Case(id="NF-2025-061", opened_at=ALARM - HOUR, duration=HOUR, community=2, what=text)
    message = told(
        incident,
        evidence,
        kind=kind,
        language=language,
        texts=TEXTS | {MentionId(9): text},
        cases=(case,),
        transition=step(Act.RESOLVE),
    )
    assert not any(MARK in words for words in own_words(message))
    for words in foreign_words(message):
        assert len(words) <= QUOTED
        assert "://" not in words
        assert not any(unicodedata.category(letter) in UNSEEN for letter in words)
    assert len(message.headline) <= 150
    assert len(message.lock_screen) <= 300
    assert all(quote.url.startswith("https://") or not quote.url for quote in message.quotes)
    assert "\n" not in message.headline
    assert len(plain_text(message)) <= 6000


@settings(max_examples=500, deadline=None)
@given(WORDS)
def test_an_excerpt_is_inert_and_making_it_so_twice_changes_nothing(text):
    shown = excerpt(text)
    assert len(shown) <= QUOTED
    assert shown == " ".join(shown.split())
    assert excerpt(shown) == shown
    assert not any(unicodedata.category(letter) in UNSEEN for letter in shown)
