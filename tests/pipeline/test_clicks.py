"""Buttons in Slack through the whole service: written down, acknowledged, applied once, answered."""

from __future__ import annotations

import asyncio

import pytest

from brandmelder.model import Act, State
from pipeline.duty import duty


@pytest.fixture
async def scene(tmp_path):
    async with duty(tmp_path / "a.db") as found:
        yield found


async def test_a_button_takes_the_incident_and_the_alert_shows_it_at_once(scene):
    ts = await scene.alert()
    assert scene.shown() == ["acknowledge", "snooze", "dismiss", "details"]
    click = await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
    assert await scene.peer.sockets.answered(click)
    await scene.until(lambda: scene.shown() == ["resolve", "hand_over", "snooze", "details"])
    incident = scene.incident()
    assert (incident.state, incident.acknowledged_by) == (State.ACKNOWLEDGED, "Anna")
    assert (scene.timeline()[-1].by, scene.timeline()[-1].person) == ("Anna", "U0ANNA")
    assert scene.told("U0ANNA") == []


async def test_a_form_says_why_it_is_no_crisis_and_a_button_takes_it_back(scene):
    ts = await scene.alert()
    await scene.peer.people.presses("U0ANNA", "dismiss", ts)
    form = await scene.until(lambda: scene.peer.workspace.forms.get("U0ANNA"))
    assert form["title"]["text"] == "Keine Krise"
    assert scene.incident().state is State.OPEN
    sent = await scene.peer.people.sends("U0ANNA", reason="sports_result", words="Kiel gegen Lübeck")
    assert await scene.peer.sockets.answered(sent)
    assert not sent.answer, "an empty acknowledgement closes the form"
    await scene.until(lambda: scene.shown() == ["reopen", "details"])
    assert (scene.incident().label, scene.timeline()[-1].note) == (
        "sports_result",
        "sports_result: Kiel gegen Lübeck",
    )
    (whisper,) = await scene.until(lambda: scene.peer.workspace.whispered("U0ANNA"))
    await scene.peer.people.presses("U0ANNA", "undo", whisper.ts)
    await scene.until(lambda: scene.shown() == ["acknowledge", "snooze", "dismiss", "details"])
    assert scene.acts() == [Act.OPEN, Act.DISMISS, Act.UNDO]


async def test_it_is_handed_over_to_a_person_whom_one_chooses(scene):
    ts = await scene.alert()
    await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
    await scene.until(lambda: "hand_over" in scene.shown())
    await scene.peer.people.presses("U0ANNA", "hand_over", ts)
    await scene.until(lambda: scene.peer.workspace.forms.get("U0ANNA"))
    await scene.peer.people.sends("U0ANNA", person="U0BEN")
    await scene.until(lambda: scene.incident().acknowledged_by == "Ben")
    assert scene.incident().acknowledged_person == "U0BEN"
    reply = await scene.until(lambda: next((seen for seen in scene.peer.visible() if seen.thread_ts), None))
    assert "'user_id': 'U0BEN'" in str(reply.blocks), "whoever takes over is called"
    assert "U0ANNA" not in str(reply.blocks), "whoever acted is not"


async def test_details_tell_one_person_more(scene):
    ts = await scene.alert()
    await scene.peer.people.presses("U0BEN", "details", ts)
    (whisper,) = await scene.until(lambda: scene.peer.workspace.whispered("U0BEN"))
    told = str(whisper.blocks)
    assert "erwartet 3,8" in told
    assert "80 Erwähnungen" in told
    assert "Hergang" in told
    assert scene.acts() == [Act.OPEN]


async def test_of_a_hundred_clicks_one_acts_and_the_others_are_told_who(scene):
    ts = await scene.alert()
    people = [f"U0P{number:03}" for number in range(100)]
    for person in people:
        scene.peer.workspace.people[person] = type(scene.peer.workspace.people["U0ANNA"])(person.lower(), person)
        scene.peer.workspace.channels["C0123456789"].members.add(person)
    clicks = await asyncio.gather(*(scene.peer.people.presses(person, "acknowledge", ts) for person in people))
    assert all(await asyncio.gather(*map(scene.peer.sockets.answered, clicks)))
    await scene.until(scene.is_settled, within=60)
    assert scene.acts() == [Act.OPEN, Act.ACKNOWLEDGE]
    winner = scene.incident().acknowledged_person
    told = {person: scene.told(person) for person in people if person != winner}
    assert scene.told(winner) == []
    assert all(len(words) == 1 and words[0].startswith(f"{winner} hat NF-2026-042 um ") for words in told.values())


async def test_the_same_envelope_twice_and_the_same_click_twice_act_once(scene):
    ts = await scene.alert()
    scene.peer.sockets.duplicate = True
    payload = scene.peer.people.press("U0ANNA", "snooze", ts)
    first = await scene.peer.sockets.deliver("interactive", payload)
    again = await scene.peer.sockets.deliver("interactive", payload)
    assert await scene.peer.sockets.answered(first)
    assert await scene.peer.sockets.answered(again)
    await scene.until(lambda: first.acks == 2 and again.acks == 2 and scene.is_settled())
    assert scene.acts() == [Act.OPEN, Act.SNOOZE]
    assert len(scene.told("U0ANNA")) == 1


async def test_a_button_of_what_has_ended_answers_with_its_state(scene):
    ts = await scene.alert()
    seen = scene.peer.visible()[0]
    stale = scene.peer.people.press("U0BEN", "snooze", ts)
    await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
    await scene.until(lambda: "resolve" in scene.shown())
    await scene.peer.people.presses("U0ANNA", "resolve", ts)
    await scene.until(lambda: scene.shown() == ["reopen", "details"])
    await scene.peer.sockets.deliver("interactive", stale)
    (text,) = await scene.until(lambda: scene.told("U0BEN"))
    assert text.startswith("Anna hat NF-2026-042 um ")
    assert text.endswith("abgeschlossen.")
    assert scene.incident().state is State.RESOLVED
    assert seen.ts == ts


async def test_a_click_from_before_a_reopening_means_another_situation(scene):
    ts = await scene.alert()
    await scene.peer.people.presses("U0ANNA", "acknowledge", ts)
    await scene.until(lambda: "resolve" in scene.shown())
    late = scene.peer.people.press("U0BEN", "resolve", ts)
    for act, then in (("resolve", ["reopen", "details"]), ("reopen", ["acknowledge", "snooze", "dismiss", "details"])):
        await scene.peer.people.presses("U0ANNA", act, ts)
        await scene.until(lambda then=then: scene.shown() == then)
    await scene.peer.sockets.deliver("interactive", late)
    assert await scene.until(lambda: scene.told("U0BEN")) == ["NF-2026-042 ist offen, noch hat niemand übernommen."]
    assert scene.incident().state is State.OPEN


async def test_sockets_come_anew_and_no_click_is_lost(scene):
    ts = await scene.alert()
    for round_, act in enumerate(("acknowledge", "resolve", "reopen")):
        await scene.peer.sockets.disconnect("warning" if round_ else "refresh_requested")
        await scene.peer.sockets.until(lambda round_=round_: scene.peer.sockets.greeted == round_ + 2)
        click = await scene.peer.people.presses("U0ANNA", act, ts)
        assert await scene.peer.sockets.answered(click)
        await scene.until(lambda act=act: act not in scene.shown())
    assert scene.acts() == [Act.OPEN, Act.ACKNOWLEDGE, Act.RESOLVE, Act.REOPEN]


async def test_words_in_the_thread_do_the_same(scene):
    ts = await scene.alert()
    says = scene.peer.people.says
    await says("U0ANNA", "<@U0BRANDMELD> übernehmen", ts)
    await scene.until(lambda: scene.incident().acknowledged_by == "Anna")
    await says("U0BEN", "ich übernehme", ts)
    await says("U0BEN", "was ist da los?", ts)
    await says("U0BEN", "<@U0BRANDMELD> mach mal", ts)
    await says("U0ANNA", "an <@U0BEN>", ts)
    await scene.until(lambda: scene.incident().acknowledged_by == "Ben")
    await says("U0BEN", "<@U0BRANDMELD> stumm 2h", ts)
    await says("U0BEN", "keine krise sarkasmus", ts)
    await scene.until(lambda: scene.incident().state is State.DISMISSED)
    await says("U0BEN", "rückgängig", ts)
    await says("U0BEN", "abschließen", ts)
    await says("U0BEN", "wieder öffnen", ts)
    await says("U0BEN", "status", ts)
    await scene.until(lambda: scene.acts()[-1] is Act.REOPEN and scene.is_settled())
    assert [act for act in scene.acts() if act is not Act.OPEN] == [
        Act.ACKNOWLEDGE,
        Act.HAND_OVER,
        Act.SNOOZE,
        Act.DISMISS,
        Act.UNDO,
        Act.ACKNOWLEDGE,
        Act.RESOLVE,
        Act.REOPEN,
    ]
    assert scene.told("U0ANNA") == ["Du hast NF-2026-042 übernommen.", "NF-2026-042 ist jetzt bei Ben."]
    words = scene.told("U0BEN")
    assert words[0].startswith("Anna hat NF-2026-042 um ")
    assert words[1].startswith("Das habe ich nicht verstanden. Ich verstehe")
    assert words[-1] == "NF-2026-042 ist offen, noch hat niemand übernommen. 38 in 60 min, üblich 2–6."
    threads = {seen.thread_ts for seen in scene.peer.workspace.whispered("U0BEN")}
    assert threads == {ts}


async def test_people_may_talk_in_threads_that_are_none_of_ours(scene):
    await scene.alert()
    other = scene.peer.workspace.person_posts("Mittag?")
    await scene.peer.people.says("U0ANNA", "ack", other)
    await scene.until(lambda: scene.peer.sockets.envelopes and scene.is_settled())
    assert scene.told("U0ANNA") == []
    assert scene.acts() == [Act.OPEN]
