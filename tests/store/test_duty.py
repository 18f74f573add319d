"""Silences, overrides, calendars, calls and notices in the database."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from brandmelder.model import Matcher, MonitorId, Override, Page, PersonId, RotaId, Silence, SpikeKind
from brandmelder.store import calls, rotas, silences

NOW = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A_SILENCE = Silence(
    id=0,
    matcher=Matcher(monitors=frozenset({MonitorId("nordfunk")}), kinds=frozenset({SpikeKind.NEGATIVE}), below=4),
    since=NOW,
    until=NOW + HOUR,
    by="Anna",
    reason="Wartung",
    broken_at=5,
)
AN_OVERRIDE = Override(
    id=0,
    rota=RotaId("crisis"),
    person=PersonId("ben"),
    since=NOW,
    until=NOW + HOUR,
    by="Anna",
    reason="ill",
    made_at=NOW,
)


def test_a_silence_comes_back_as_it_was_made(database):
    kept = database.run_now(silences.add, A_SILENCE)
    assert kept == replace(A_SILENCE, id=1)
    assert database.run_now(silences.find, 1) == kept
    assert database.run_now(silences.find, 2) is None


def test_silences_are_numbered_and_found_until_they_end(database):
    for _ in range(2):
        database.run_now(silences.add, A_SILENCE)
    assert [one.id for one in database.run_now(silences.ending_after, NOW)] == [1, 2]
    early = replace(database.run_now(silences.find, 1), expired_at=NOW + HOUR / 2)
    database.run_now(silences.save, early)
    assert [one.id for one in database.run_now(silences.ending_after, NOW + HOUR / 2)] == [2]
    assert database.run_now(silences.ending_after, NOW + HOUR) == []


def test_an_override_comes_back_and_can_be_withdrawn(database):
    kept = database.run_now(rotas.add_override, AN_OVERRIDE)
    assert database.run_now(rotas.overrides_after, NOW) == [replace(AN_OVERRIDE, id=1)]
    gone = replace(kept, withdrawn_at=NOW)
    database.run_now(rotas.save_override, gone)
    assert database.run_now(rotas.find_override, 1) == gone
    assert database.run_now(rotas.overrides_after, NOW + HOUR) == []


def test_the_last_copy_of_a_calendar_replaces_the_one_before(database):
    copy = rotas.Copy(rota=RotaId("crisis"), place="x.ics", content=b"BEGIN", etag='"1"', good_at=NOW, tried_at=NOW)
    database.run_now(rotas.keep_copy, copy)
    failed = replace(copy, tried_at=NOW + HOUR, trouble="answered 503")
    database.run_now(rotas.keep_copy, failed)
    assert database.run_now(rotas.copies) == {"crisis": failed}


def test_a_call_is_written_down_once_for_each_person(database):
    calls_ = [Page(person=PersonId(who), at=NOW, key="NF-1:open:crisis") for who in ("anna", "ben")]
    for _ in range(2):
        database.run_now(calls.reached, calls_)
    assert database.run_now(calls.pages, NOW, NOW + HOUR) == calls_
    assert database.run_now(calls.pages, NOW, NOW + HOUR, PersonId("ben")) == calls_[1:]
    assert database.run_now(calls.pages, NOW + HOUR, NOW + 2 * HOUR) == []


def test_a_notice_is_given_once(database):
    assert not database.run_now(calls.is_given, "turn:crisis:1")
    assert database.run_now(calls.give_notice, "turn:crisis:1", b"words", NOW)
    assert not database.run_now(calls.give_notice, "turn:crisis:1", b"other words", NOW)
    assert database.run_now(calls.notice_body, "turn:crisis:1") == b"words"
    assert database.run_now(calls.notice_body, "turn:crisis:2") is None


def test_old_calls_are_forgotten(database):
    old, new = (Page(person=PersonId("anna"), at=at, key=f"NF-{at:%H}:1") for at in (NOW, NOW + HOUR))
    database.run_now(calls.reached, [old, new])
    database.run_now(calls.forget_pages, NOW + HOUR)
    assert database.run_now(calls.pages, NOW, NOW + 2 * HOUR) == [new]
