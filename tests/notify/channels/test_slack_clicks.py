"""What Slack tells becomes a click or nothing, whatever it is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.model import Click
from brandmelder.notify.channels.slack_clicks import from_event, from_interaction
from brandmelder.notify.channels.slack_dialogs import ephemeral, view
from brandmelder.notify.listener import Answer, Choice, Question
from peers.slack import Workspace, views
from peers.slack import blocks as block_kit
from peers.slack.people import People
from peers.slack.workspace import Seen

BUTTON = {"action_id": "acknowledge", "text": {"type": "plain_text", "text": "x"}, "value": "NF-2026-042:3"}


@pytest.fixture
def people():
    return People(Workspace(), None)


def pressed(people, **button):
    seen = Seen(channel="C0123456789", ts="1795000000.000001", text="x", user="U0BRANDMELD")
    return people.pressing("U0ANNA", BUTTON | button, seen)


def test_a_button_becomes_a_click(people):
    click = from_interaction(pressed(people), "e1")
    assert (click.person, click.name, click.act) == ("U0ANNA", "anna.schmidt", "acknowledge")
    assert (click.incident, click.revision, click.place) == ("NF-2026-042", 3, "C0123456789:1795000000.000001")
    assert click.trigger


@pytest.mark.parametrize(
    "button",
    [
        {"action_id": "worsen"},
        {"action_id": "open"},
        {"action_id": "wake"},
        {"value": "NF-2026-042"},
        {"value": "NF 42:3"},
        {"value": ":3"},
        {"value": "NF-2026-042:-3"},
        {"value": "NF-2026-042:" + "9" * 30},
    ],
)
def test_what_none_of_our_buttons_sends_is_no_click(people, button):
    assert from_interaction(pressed(people, **button), "e1") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"subtype": "message_changed"},
        {"bot_id": "B0BRANDMELD"},
        {"thread_ts": None},
        {"user": "<!channel>"},
        {"channel": None},
        {"text": None},
        {"type": "reaction_added"},
    ],
)
def test_what_nobody_wrote_in_a_thread_is_no_click(people, changes):
    payload = people.saying("message", "U0ANNA", "ack", "1795000001.000001", thread="1795000000.000001")
    assert from_event(payload, "e1") is not None
    payload["event"] = {key: value for key, value in (payload["event"] | changes).items() if value is not None}
    assert from_event(payload, "e1") is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _paths(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _paths(child, (*path, name))


def _replaced(value, path, by):
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], by)
    return copy


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_payload_however_odd_raises(data):
    people = People(Workspace(), None)
    question = Question(act="hand_over", incident="NF-1", revision=1, title="x", label="x", submit="x", cancel="x")
    people.workspace.forms["U0ANNA"] = view(question, "C0123456789:1.0") | {"id": "V1"}
    payloads = [
        (from_interaction, pressed(people)),
        (from_interaction, people.submission("U0ANNA", person="U0BEN")),
        (from_event, people.saying("message", "U0ANNA", "ack", "1.1", thread="1.0")),
    ]
    hears, payload = data.draw(st.sampled_from(payloads))
    path = data.draw(st.sampled_from(list(_paths(payload))[1:]))
    odd = _replaced(payload, path, data.draw(_json))
    found = hears(odd, "e1")
    assert found is None or isinstance(found, Click)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.text(max_size=400), st.booleans())
def test_every_form_and_every_answer_is_within_slacks_limits(text, label, is_choice):
    choices = tuple(Choice(value=name, label=label) for name in ("bots", "other")) if is_choice else ()
    question = Question(
        act="dismiss",
        incident="NF-2026-042",
        revision=3,
        title=text,
        label=text,
        submit=label,
        cancel=label,
        choices=choices,
        words=text,
    )
    shown = view(question, "C0123456789:1795000000.000001")
    assert views.refusals(shown) == []
    assert len(shown["private_metadata"]) < 3000
    assert json.loads(shown["private_metadata"])[1] == "NF-2026-042"
    line, blocks = ephemeral(Answer(text=text, undo=label or "x", incident="NF-2026-042", revision=3))
    assert block_kit.refusals(blocks) == []
    assert not any(mark in line for mark in ("<!", "<@", "<#", "<http"))
