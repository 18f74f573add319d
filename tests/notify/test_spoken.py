"""Words in a thread: German and English commands, and everything that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.notify.spoken import UNCLEAR, Spoken, parse

US = "U0BRANDMELD"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("übernehmen", Spoken(act="acknowledge")),
        ("Ich übernehme!", Spoken(act="acknowledge")),
        ("uebernehmen", Spoken(act="acknowledge")),
        ("ACK", Spoken(act="acknowledge")),
        ("stumm", Spoken(act="snooze")),
        ("stumm 1h", Spoken(act="snooze", seconds=3600)),
        ("stumm für 2 Stunden", Spoken(act="snooze", seconds=7200)),
        ("mute for 30 min", Spoken(act="snooze", seconds=1800)),
        ("snooze 1 day", Spoken(act="snooze", seconds=86400)),
        ("keine krise sarkasmus", Spoken(act="dismiss", note="sarcasm")),
        ("Keine Krise", Spoken(act="dismiss", note="other")),
        ("not a crisis: sports", Spoken(act="dismiss", note="sports_result")),
        ("dismiss wrong brand", Spoken(act="dismiss", note="wrong_brand")),
        ("abschließen", Spoken(act="resolve")),
        ("ABSCHLIESSEN", Spoken(act="resolve")),
        ("resolve.", Spoken(act="resolve")),
        ("wieder öffnen", Spoken(act="reopen")),
        ("reopen", Spoken(act="reopen")),
        ("rückgängig", Spoken(act="undo")),
        ("undo", Spoken(act="undo")),
        ("an <@U0ANNA>", Spoken(act="hand_over", other="U0ANNA")),
        ("übergeben an <@U0ANNA|anna.schmidt>", Spoken(act="hand_over", other="U0ANNA")),
        ("hand over to <@U0ANNA>", Spoken(act="hand_over", other="U0ANNA")),
        ("status", Spoken(act="status")),
        ("details", Spoken(act="details")),
    ],
)
@pytest.mark.parametrize("address", ["{}", "<@U0BRANDMELD> {}", "<@U0BRANDMELD|brandmelder>  {}", "{} <@U0BRANDMELD>"])
def test_a_command_is_understood_with_or_without_a_mention(text, spoken, address):
    assert parse(address.format(text), to=US) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("<@U0BRANDMELD> keine krise: das war der Pokal", Spoken(act="dismiss", note="other: das war der Pokal")),
        ("<@U0BRANDMELD> dismiss bots: &lt;!channel&gt;", Spoken(act="dismiss", note="bots: <!channel>")),
        ("<@U0BRANDMELD> hilfe", Spoken(act="help")),
        ("<@U0BRANDMELD> ?", Spoken(act="help")),
        ("<@U0BRANDMELD>", UNCLEAR),
        ("<@U0BRANDMELD> mach was", UNCLEAR),
        ("<@U0BRANDMELD> stumm bis morgen", UNCLEAR),
        ("<@U0BRANDMELD> stumm 0h", UNCLEAR),
        ("<@U0BRANDMELD> an Anna", UNCLEAR),
        ("<@U0BRANDMELD> " + "lang " * 100, UNCLEAR),
    ],
)
def test_spoken_to_us_it_is_a_command_or_unclear(text, spoken):
    assert parse(text, to=US) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "ich übernehme das heute",
        "Keine Krise, oder?",
        "keine krise, das war der Pokal",
        "an alle: bitte lesen",
        "stumm wie ein Fisch",
        "hilfe",
        "?",
        "abschließen wir das?",
        "<@U0BEN> übernehmen",
        "",
    ],
)
def test_among_people_conversation_is_no_command(text):
    assert parse(text, to=US) is None


@given(st.text(max_size=400))
def test_no_words_raise(text):
    assert isinstance(parse(text, to=US), Spoken | None)
    assert isinstance(parse(f"<@{US}> {text}", to=US), Spoken)
