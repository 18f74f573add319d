"""What was planted of people stands nowhere in the file once they are forgotten, and does not come back."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from brandmelder.capture.normalise import pseudonym
from brandmelder.model import Act, DeliveryKind, Label, Origin, StaffLabel
from brandmelder.notify.compose import plain_text
from brandmelder.pipeline import forget
from brandmelder.pipeline.act import Wish, do
from brandmelder.pipeline.forget import Person
from brandmelder.pipeline.retain import Retainer, Retention
from brandmelder.pipeline.staff import Actor
from brandmelder.store import audit, forgetting, incidents, labels, mentions, notes, series, staff
from pipeline.places import Place
from pipeline.world import STORM, World, mention, quiet_weeks, storm

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MARK = "ZEUGNIS-7f3a9c-MARKE"
HANDLE = "otto.normalverbraucher"
ACTOR = Actor(name="Dana Schutz", login="dana")


def marked(number, at, **more):
    text = f"Nordfunk ist eine Schande, schreibt {MARK}-{number}, und das seit drei Wochen ohne Anschluss!"
    fields = {"author": HANDLE, "text": text, "url": f"https://blog.example/{MARK}/{number}"} | more
    return replace(mention(number, at, angry=True), **fields)


PLANTED = [marked(900_000 + n, STORM + n * MINUTE) for n in range(8)]
WORLD = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=12 * MINUTE) + PLANTED


class Board(Place):
    """A channel of which is kept what people see there now: edits take the place of what stood before."""

    def __init__(self, ident):
        super().__init__(ident)
        self.shown = {}

    async def push(self, message, *, key, thread, form):
        self.shown[key] = plain_text(message)
        return await super().push(message, key=key, thread=thread, form=form)

    async def update(self, ref, message, *, key, form):
        self.shown[ref] = plain_text(message)
        return await super().update(ref, message, key=key, form=form)

    def reads(self):
        return "\n".join(self.shown.values())


@pytest.fixture(scope="module", autouse=True)
def evening(tmp_path_factory):
    """Live the evening once; each test goes on from a copy of its files."""
    folder = tmp_path_factory.mktemp("evening")
    asyncio.run(really_lived(folder / "b.db")).database.close()
    EVENING.append(folder)
    yield
    EVENING.clear()


EVENING = []
AFTER = STORM + 20 * MINUTE


async def lived(path):
    """Return the installation as it stands after the evening."""
    for file in EVENING[0].iterdir():
        shutil.copy(file, path.parent / file.name)
    found = World(WORLD, path=path, places={"crisis": Board("crisis")})
    await found.begin(AFTER)
    return found


async def really_lived(path, world=WORLD, *, until=AFTER):
    places = {"crisis": Board("crisis")}
    found = World(world, path=path, places=places)
    await found.begin(STORM - 6 * MINUTE)
    await found.run_until(until)
    return found


@pytest.fixture
def world(tmp_path):
    found = asyncio.run(lived(tmp_path / "b.db"))
    yield found
    found.database.close()


def files(world):
    path = world.database.path
    return b"".join(one.read_bytes() for one in path.parent.iterdir() if one.name.startswith(path.name))


def erase(world, person, now=None):
    parts = world.pipeline.parts
    erased = world.database.run_now(forget.erase, parts, person, ACTOR, now or world.clock.now())
    world.database.scrub()
    return erased


def counts(world):
    return world.database.run_now(
        lambda connection: sorted(connection.exec_driver_sql("SELECT * FROM bin ORDER BY 1, 2, 3").all(), key=repr)
    )


def test_of_an_erased_author_nothing_stands_in_the_file_and_counts_stay(world):
    assert files(world).count(MARK.encode()) >= len(PLANTED)
    before = counts(world)
    erased = erase(world, Person(author=f"@{HANDLE.upper()}"))
    assert len(erased.mentions) == len(PLANTED)
    assert MARK.encode() not in files(world)
    assert HANDLE.encode() not in files(world)
    assert forget.still_there(world.database.path, erased.marks) == []
    assert counts(world) == before


def test_before_the_erasure_every_mark_is_found(world):
    found = world.database.run_now(Person(author=HANDLE).found_in, world.pipeline.parts)
    marks = tuple(forget._marks(found))
    assert set(forget.still_there(world.database.path, marks)) == set(marks)
    assert len(marks) >= 3 * len(PLANTED)


async def test_what_was_erased_does_not_come_back_when_its_source_brings_it_again(tmp_path):
    world = await lived(tmp_path / "b.db")
    erase(world, Person(author=HANDLE))
    before = world.database.run_now(mentions.count)
    again = [replace(one, text=f"{one.text} (edited)") for one in PLANTED]
    later = STORM + 25 * MINUTE
    parts = world.pipeline.parts
    world._sources["blog"]._world = [replace(one, captured_at=later) for one in again]
    world._sources["blog"]._world.sort(key=lambda one: one.captured_at)
    row = world.database.run_now(lambda connection: connection.exec_driver_sql("UPDATE source SET cursor = NULL"))
    assert row.rowcount == 2
    await world.pipeline.poll("blog", later)
    world.database.scrub()
    assert world.database.run_now(mentions.count) == before
    assert MARK.encode() not in files(world)
    world.database.close()
    assert parts.author_key


@pytest.mark.parametrize(("objects", "comes"), [(False, 1), (True, 0)])
async def test_what_an_author_writes_later_is_read_unless_they_object(tmp_path, objects, comes):
    world = await lived(tmp_path / "b.db")
    erase(world, Person(author=HANDLE, objects=objects))
    before = world.database.run_now(mentions.count)
    now = world.clock.now()
    fresh = marked(777, now + MINUTE, captured_at=now + MINUTE)
    early = marked(778, now - 2 * DAY, captured_at=now + MINUTE)
    world._sources["blog"]._world += [fresh, early]
    world._sources["blog"]._world.sort(key=lambda one: one.captured_at)
    await world.pipeline.poll("blog", now + 2 * MINUTE)
    assert world.database.run_now(mentions.count) == before + comes
    world.database.close()


async def test_alerts_that_quoted_them_are_edited_and_quote_them_no_more(tmp_path):
    only = quiet_weeks(STORM - 6 * MINUTE, days=2) + [marked(n, STORM + n * MINUTE / 4, author=f"{HANDLE}{n % 9}")
        for n in range(40)]  # fmt: skip
    world = await really_lived(tmp_path / "b.db", only)
    place = world.places["crisis"]
    assert MARK in place.reads()
    (incident,) = world.incidents()
    quoted = world.evidence(incident.id).quotes
    assert quoted
    erased = erase(world, Person(urls=tuple(quote.url for quote in quoted)))
    assert erased.incidents == (incident.id,)
    assert not [q for q in world.evidence(incident.id).quotes if q.mention in erased.mentions]
    await world.pipeline.deliver(world.clock.now())
    shown = place.reads()
    for quote in quoted:
        assert quote.url not in shown
    edits = [one for one in world.deliveries() if one.kind is DeliveryKind.UPDATE]
    assert edits
    world.database.close()


def test_one_mention_goes_by_its_address_and_no_other(world):
    erased = erase(world, Person(urls=(PLANTED[0].url,)))
    assert len(erased.mentions) == 1
    held = files(world)
    assert f"{MARK}-{900_000}".encode() not in held
    assert f"{MARK}-{900_001}".encode() in held


def test_a_channel_that_cannot_take_words_back_is_named(world):
    parts = world.pipeline.parts
    quote = world.evidence(world.incidents()[0].id).quotes[0]
    world.places["crisis"].can_update = False
    assert parts.notifiers["crisis"] is world.places["crisis"]
    assert erase(world, Person(urls=(quote.url,))).uneditable == ("crisis",)


def test_others_who_name_the_account_are_pointed_out(tmp_path):
    other = replace(mention(5, STORM, angry=True), text=f"Nordfunk: @{HANDLE} hat recht, eine Frechheit!")
    world = asyncio.run(really_lived(tmp_path / "b.db", [*WORLD, other]))
    ((named, address),) = erase(world, Person(author=HANDLE)).naming
    assert address == other.url
    assert world.database.run_now(mentions.texts_of, [named])[named].text == other.text
    world.database.close()


def test_labels_of_what_was_erased_go_too(world):
    (found, *_) = world.database.run_now(Person(author=HANDLE).found_in, world.pipeline.parts)
    label = StaffLabel(label=Label.NEGATIVE, at=STORM, mention=found.id, by="Anna", origin=Origin.RANDOM)
    copied = StaffLabel(label=Label.NEGATIVE, at=STORM, text=found.text, by="Anna", origin=Origin.RANDOM)
    world.database.run_now(labels.save, [label, copied])
    erase(world, Person(author=HANDLE))
    assert world.database.run_now(labels.read) == []
    assert MARK.encode() not in files(world)


def test_who_erased_stands_in_the_audit_and_whom_only_as_a_pseudonym(world):
    erase(world, Person(author=HANDLE))
    (row,) = world.database.run_now(audit.newest, 1)
    assert (row.act, row.actor) == ("privacy.erase", "Dana Schutz")
    assert row.subject == pseudonym(HANDLE, world.pipeline.parts.author_key)
    assert json.loads(row.detail)["mentions"] == len(PLANTED)
    assert HANDLE.encode() not in files(world)


def test_an_export_holds_all_of_theirs_and_nobody_elses(world):
    parts = world.pipeline.parts
    answer = json.loads(world.database.run_now(forget.export, parts, Person(author=HANDLE), ACTOR, world.clock.now()))
    assert len(answer["mentions"]) == len(PLANTED)
    assert all(MARK in one["text"] for one in answer["mentions"])
    assert all(re.fullmatch("negative|neutral|positive", one["verdict"]["label"]) for one in answer["mentions"])
    (row,) = world.database.run_now(audit.newest, 1)
    assert row.act == "privacy.export"


async def test_a_changed_query_recounts_and_what_was_forgotten_keeps_its_count(tmp_path):
    world = await lived(tmp_path / "b.db")
    erase(world, Person(author=HANDLE))
    before = world.database.run_now(series.matches, "nordfunk")
    world.database.run_now(lambda connection: connection.exec_driver_sql("UPDATE monitor SET rules = 'other'"))
    await world.come_back()
    assert world.database.run_now(series.matches, "nordfunk") == before
    world.database.close()


# ------------------------------------------------------------------- what has had its time


async def tidied(world, now, **rules):
    await Retainer(world.pipeline.parts, Retention(**rules)).tidy(now)
    world.database.scrub()


async def test_after_thirty_days_texts_go_and_what_an_alert_quotes_stays_for_half_a_year(tmp_path):
    world = await lived(tmp_path / "b.db")
    before, (incident,) = counts(world), world.incidents()
    quoted = {quote.mention for quote in world.evidence(incident.id).quotes}
    await tidied(world, STORM + 29 * DAY)
    assert files(world).count(MARK.encode()) >= len(PLANTED)
    await tidied(world, STORM + 32 * DAY)
    left = world.database.run_now(lambda connection: connection.exec_driver_sql(
        "SELECT id FROM mention WHERE text != '' OR url != '' OR author != ''").scalars().all())  # fmt: skip
    assert set(left) == quoted
    assert counts(world) == before
    world.database.close()


async def test_after_a_year_nobody_can_be_told_who_acted_and_what_happened_stays(tmp_path):
    world = await really_lived(tmp_path / "b.db")
    (incident,), parts, now = world.incidents(), world.pipeline.parts, world.clock.now()
    for act, note in ((Act.ACKNOWLEDGE, ""), (Act.HAND_OVER, "Zoe Zwei"), (Act.DISMISS, "bots: Zoe Zwei sagt es")):
        wish = Wish(incident=incident.id, act=act, by="Zoe Eins", note=note)
        world.database.run_now(do, parts, wish, now)
    world.database.run_now(notes.add, notes.Note(incident=incident.id, at=now, by="Zoe Eins", text="Zoe Drei weiß es"))
    await world.pipeline.deliver(now)
    before = [(step.act, step.at, step.after) for step in world.timeline(incident.id)]
    forgotten = partial(world.database.run_now, staff.forget, anonymous="Bereitschaft", limit=4)
    assert forgotten(STORM - DAY) == 0
    assert {step.by for step in world.timeline(incident.id)} == {"brandmelder", "Zoe Eins"}
    assert b"Zoe Drei" in kept(world)
    rounds = 0
    while forgotten(now + DAY):
        rounds += 1
    assert rounds > 1
    (ended,) = world.incidents()
    assert (ended.acknowledged_by, ended.closed_by) == ("Bereitschaft", "Bereitschaft")
    timeline = world.timeline(incident.id)
    assert [(step.act, step.at, step.after) for step in timeline] == before
    assert {step.by for step in timeline} == {"brandmelder", "Bereitschaft"}
    assert [step.note for step in timeline if step.act is Act.DISMISS] == ["bots"]
    assert b"Zoe" not in kept(world)
    world.database.close()


def kept(world):
    """Return what stands in the tables, but for the audit, which forgets by itself."""
    names = ("transition", "incident", "delivery", "note", "notice", "silence", "duty_override")
    rows = [
        world.database.run_now(
            lambda connection, name=name: connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()
        )
        for name in names
    ]
    return repr(rows).encode()


async def test_every_round_forgets_what_staff_did_as_long_ago_as_the_audit_does(tmp_path):
    world = await really_lived(tmp_path / "b.db")
    changes = len(world.timeline(world.incidents()[0].id))
    with capture_logs() as logs:
        await tidied(world, world.clock.now() + 364 * DAY)
        await tidied(world, world.clock.now() + 366 * DAY)
    assert [line["acts"] for line in logs if line["event"] == "retention.forgotten"] == [0, changes]
    world.database.close()


async def test_after_half_a_year_evidence_goes_out_of_the_store_and_out_of_chat(tmp_path):
    world = await really_lived(tmp_path / "b.db")
    (incident,) = world.incidents()
    assert MARK in world.places["crisis"].reads()
    ended = Wish(incident=incident.id, act=Act.RESOLVE, by="Anna")
    world.database.run_now(do, world.pipeline.parts, ended, world.clock.now())
    await world.pipeline.deliver(world.clock.now())
    (incident,) = world.incidents()
    assert incident.closed_at is not None
    later = incident.closed_at + 181 * DAY
    await tidied(world, later)
    evidence = world.evidence(incident.id)
    assert (evidence.quotes, evidence.phrases) == ((), ())
    texts = world.database.run_now(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM mention WHERE text != ''").scalar()
    )
    assert texts == 0
    assert MARK.encode() not in files(world)
    await world.pipeline.deliver(later)
    shown = world.places["crisis"].reads()
    assert MARK not in shown
    assert incident.id in shown
    world.database.close()


async def test_an_edit_at_the_platform_does_not_bring_a_forgotten_text_back(tmp_path):
    world = await lived(tmp_path / "b.db")
    await tidied(world, STORM + 32 * DAY)
    edited = [replace(one, text=f"{one.text} nachgetragen") for one in PLANTED]
    changed = world.database.run_now(mentions.edit_mentions, edited, ["other"] * len(edited))
    kept = {quote.mention for quote in world.evidence(world.incidents()[0].id).quotes}
    assert changed <= len(kept)
    stored = world.database.run_now(mentions.insert_mentions, edited, ["another"] * len(edited))
    assert stored.new == 0
    world.database.close()


async def test_what_staff_labelled_is_kept_as_long_as_evidence(tmp_path):
    world = await lived(tmp_path / "b.db")
    (found, *_) = world.database.run_now(Person(author=HANDLE).found_in, world.pipeline.parts)
    label = StaffLabel(label=Label.NEGATIVE, at=STORM, mention=found.id, by="Anna", origin=Origin.RANDOM)
    world.database.run_now(labels.save, [label])
    await tidied(world, STORM + 40 * DAY)
    assert [one.text for one in world.database.run_now(labels.read)] == [found.text]
    await tidied(world, STORM + 400 * DAY)
    assert world.database.run_now(labels.read) == []
    world.database.close()


async def test_a_long_backlog_is_forgotten_over_several_pages(tmp_path, monkeypatch):
    monkeypatch.setattr("brandmelder.pipeline.retain.PAGE", 7)
    world = await lived(tmp_path / "b.db")
    await tidied(world, STORM + 32 * DAY)
    left = world.database.run_now(
        lambda connection: connection.exec_driver_sql("SELECT count(*) FROM mention WHERE text != ''").scalar()
    )
    kept, _ = world.database.run_now(forgetting.quoted, STORM)
    assert left == len(kept)
    assert world.database.run_now(incidents.all_incidents)
    world.database.close()
