from __future__ import annotations

from datetime import timedelta

from brandmelder.model import Reading, SourceId
from brandmelder.store import readings
from store.conftest import NOON

HOUR = timedelta(hours=1)


def _reading(value, hours=0, *, account="nordfunk", name="followers", source="x", **fields):
    return Reading(
        source=SourceId(source), account=account, name=name, value=value, at=NOON + hours * HOUR, **fields
    )  # fmt: skip


def _save(database, *found):
    database.run_now(readings.save_readings, found)


def test_a_series_goes_from_a_moment_on_oldest_first(database):
    _save(database, _reading(1053, 2), _reading(1050), _reading(1051, 1))
    (account,) = database.run_now(readings.accounts)
    points = database.run_now(readings.readings_series, account, "followers", NOON + HOUR)
    assert [(one.at, one.value) for one in points] == [(NOON + HOUR, 1051), (NOON + 2 * HOUR, 1053)]
    assert database.run_now(readings.readings_series, account, "posts", NOON) == []


def test_accounts_of_one_name_at_two_sources_are_two(database):
    _save(database, _reading(21), _reading(499, source="facebook", name="fans"))
    found = database.run_now(readings.accounts)
    assert [(one.source, one.latest.keys()) for one in found] == [("facebook", {"fans"}), ("x", {"followers"})]
    x = found[1]
    assert [one.value for one in database.run_now(readings.readings_series, x, "followers", NOON)] == [21]


def test_our_accounts_stand_before_those_they_are_compared_with(database):
    _save(
        database,
        _reading(1825, account="77", title="Anderefirma", source="facebook"),
        _reading(499, account="10", title="Nordfunk", source="facebook", own=True),
    )
    found = database.run_now(readings.accounts)
    assert [(one.title, one.own, one.latest["followers"].value) for one in found] == [
        ("Nordfunk", True, 499),
        ("Anderefirma", False, 1825),
    ]


def test_the_latest_number_is_the_newest_however_late_an_older_one_comes(database):
    _save(database, _reading(1053, 2))
    _save(database, _reading(1050, 1))
    (account,) = database.run_now(readings.accounts)
    assert account.latest["followers"] == readings.Point(NOON + 2 * HOUR, 1053)
    assert account.title == "nordfunk", "without a title its id is shown"


def test_a_reading_that_comes_twice_is_kept_once(database):
    _save(database, _reading(1053), _reading(1053))
    _save(database, _reading(1053))
    (account,) = database.run_now(readings.accounts)
    assert len(database.run_now(readings.readings_series, account, "followers", NOON)) == 1


def test_a_thinned_series_keeps_the_first_reading_and_the_last_of_every_stretch(database):
    _save(database, *(_reading(1000 + hours, hours) for hours in range(-3, 24)))
    (account,) = database.run_now(readings.accounts)
    points = database.run_now(readings.thinned, account, "followers", since=NOON, every=12 * HOUR)
    assert [(one.at - NOON) / HOUR for one in points] == [0, 11, 23]
    assert [one.value for one in points] == [1000, 1011, 1023]
    assert database.run_now(readings.thinned, account, "followers", since=NOON + 30 * HOUR, every=HOUR) == []
