"""Who is on call, silences and rest, as the command line shows them."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from brandmelder.cli import main
from brandmelder.cli.moments import read_moment, say_span
from brandmelder.clock import SystemClock
from brandmelder.model import Page, PersonId
from brandmelder.store import calls, rotas, silences
from brandmelder.store.database import Database

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)

CONFIGURATION = """
brand: Nordfunk
database: sqlite:///{folder}/a.db
sources:
  blog: {{type: feed, url: "https://blog.example/feed"}}
monitors:
  nordfunk: {{query: nordfunk}}
channels:
  crisis: {{type: console}}
alerts:
  - {{monitors: all, to: [crisis]}}
people:
  anna: {{name: Anna Berg}}
  ben: {{name: Ben Kurz}}
  carla: {{name: Carla Rath}}
rota:
  crisis: {{turns: {{handover: daily 09:00, begins: 2026-01-01, people: [anna, ben]}}, fallback: [carla]}}
  later: {{turns: {{handover: mon 09:00, begins: 2099-01-01, people: [anna]}}, fallback: [carla]}}
rest_reader: carla
{more}
"""


@pytest.fixture
def place(tmp_path):
    """A configuration beside an empty database."""
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.prepare()
    database.close()
    path = tmp_path / "brandmelder.yaml"
    path.write_text(CONFIGURATION.format(folder=tmp_path, more=""))
    return path


def run(place, *arguments):
    """Run a command, the configuration named behind its subcommand."""
    depth = 2 if len(arguments) > 1 and not arguments[1].startswith("-") else 1
    return CliRunner().invoke(main, [*arguments[:depth], "--config", str(place), *arguments[depth:]])


def stored(place, function, *arguments):
    database = Database(f"sqlite:///{place.parent}/a.db")
    database.prepare()
    try:
        return database.run_now(function, *arguments)
    finally:
        database.close()


def test_the_plan_shows_who_is_on_call_now_and_for_two_weeks(place):
    result = run(place, "oncall")
    assert result.exit_code == 0, result.output
    crisis = result.output.split("later")[0].splitlines()
    assert crisis[0] == "crisis"
    assert re.match(r"    now +- \w{3} 20\d\d-\d\d-\d\d 09:00  (Anna Berg|Ben Kurz)", crisis[1])
    assert len(crisis) in {15, 16}
    names = [line.rsplit("  ", 1)[1] for line in crisis[1:]]
    assert all(one != two for one, two in itertools.pairwise(names))


def test_a_hole_is_marked_and_who_is_called_instead(place):
    later = run(place, "oncall").output.split("later")[1].splitlines()
    assert later[1].startswith("  ! now")
    assert later[1].endswith("nobody; called instead: Carla Rath")


def test_without_a_rota_it_is_said_how_to_write_one(place):
    place.write_text(re.sub(r"rota:\n(  .*\n)+", "", place.read_text()))
    result = run(place, "oncall")
    assert result.exit_code == 1
    assert "has no rota" in result.output


def test_the_plan_is_shown_before_the_service_ever_ran(place):
    (place.parent / "a.db").unlink()
    assert run(place, "oncall").exit_code == 0


def test_an_override_is_kept_shown_and_withdrawn(place):
    end = f"{SystemClock().now().astimezone(BERLIN) + 30 * HOUR:%Y-%m-%d %H:%M}"
    wanted = ("--rota", "crisis", "--person", "carla", "--until", end, "--reason", "Anna is ill", "--by", "Ben")
    made = run(place, "oncall", "override", *wanted)
    assert made.exit_code == 0, made.output
    shown = run(place, "oncall").output
    assert re.search(r"    now .*  Carla Rath \(override\)", shown)
    assert "override 1:" in shown
    assert "by Ben: Anna is ill" in shown
    (kept,) = stored(place, rotas.overrides_after, SystemClock().now())
    assert (kept.person, kept.by, kept.reason) == ("carla", "Ben", "Anna is ill")
    without = place.with_name("without.yaml")
    without.write_text(place.read_text().replace("carla", "clara"))
    assert "  ! override 1: " in run(without, "oncall").output
    assert "Carla Rath (override)" not in run(without, "oncall").output
    gone = CliRunner().invoke(main, ["oncall", "withdraw", "1", "--config", str(place)])
    assert gone.output.startswith("withdrawn: override 1: crisis")
    assert "Carla Rath (override)" not in run(place, "oncall").output


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (("--rota", "krisis", "--person", "ben", "--until", "2099-01-01", "--reason", "x"), 'did you mean "crisis"'),
        (("--rota", "crisis", "--person", "bne", "--until", "2099-01-01", "--reason", "x"), 'did you mean "ben"'),
        (("--rota", "crisis", "--person", "ben", "--until", "2020-01-01", "--reason", "x"), "in the past"),
        (("--rota", "crisis", "--person", "ben", "--until", "tomorrow", "--reason", "x"), "is no moment"),
        (("--rota", "crisis", "--person", "ben", "--until", "2099-01-01", "--reason", " "), "says nothing"),
        (("--rota", "crisis", "--person", "ben", "--until", "2099-01-01"), "--reason"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(place, wanted, said):
    result = run(place, "oncall", "override", *wanted)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert stored(place, rotas.overrides_after, SystemClock().now()) == []


# ------------------------------------------------------------------- silences


def test_a_silence_is_made_listed_and_ended(place):
    made = run(place, "silence", "add", "--for", "2h", "--monitor", "nordfunk", "--reason", "Wartung", "--by", "Anna")
    assert made.exit_code == 0, made.output
    assert re.match(r"1  holds  .*  monitor nordfunk  broken at severity 5  by Anna: Wartung", made.output)
    assert run(place, "silence", "list").output == made.output
    ended = CliRunner().invoke(main, ["silence", "expire", "1", "--config", str(place), "--by", "Ben"])
    assert "1  ended" in ended.output
    assert "Wartung (ended by Ben)" in ended.output
    assert run(place, "silence", "list").output == "nothing is silenced (ended ones: --all)\n"
    assert "1  ended" in run(place, "silence", "list", "--all").output
    again = CliRunner().invoke(main, ["silence", "expire", "1", "--config", str(place)])
    assert (again.exit_code, "already" in again.output) == (1, True)


def test_a_silence_holds_every_part_that_was_asked_for(place):
    asked = (
        "--for",
        "3d",
        "--kind",
        "share",
        "--source",
        "blog",
        "--topic",
        "Strom",
        "--below",
        "4",
        "--breaks-at",
        "never",
    )
    assert run(place, "silence", "add", *asked, "--reason", "x").exit_code == 0
    (kept,) = stored(place, silences.ending_after, SystemClock().now())
    matcher = kept.matcher
    assert (matcher.kinds, matcher.sources, matcher.topic, matcher.below) == ({"share"}, {"blog"}, "Strom", 4)
    assert kept.broken_at is None
    assert kept.until - kept.since == timedelta(days=3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--reason", "x"), "needs its end"),
        (("--reason", "x", "--for", "1h", "--until", "18:00"), "needs its end"),
        (("--for", "1h"), "--reason"),
        (("--reason", " ", "--for", "1h"), "who made it and why"),
        (("--reason", "x", "--for", "25h"), "ends within 24 h"),
        (("--reason", "x", "--for", "soon"), "is no duration"),
        (("--reason", "x", "--until", "2020-01-01"), "before it begins"),
        (("--reason", "x", "--for", "1h", "--monitor", "nordfnuk"), 'did you mean "nordfunk"'),
        (("--reason", "x", "--for", "1h", "--kind", "negativ"), 'did you mean "negative"'),
        (("--reason", "x", "--for", "1h", "--source", "blgo"), 'did you mean "blog"'),
        (("--reason", "x", "--for", "1h", "--breaks-at", "6"), "from 1 to 5, or never"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(place, asked, said):
    result = run(place, "silence", "add", *asked)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert stored(place, silences.ending_after, SystemClock().now()) == []


def test_how_long_everything_may_be_silenced_is_configured(place):
    place.write_text(place.read_text() + "silences: {longest: 48h, breaks_at: 3}\n")
    made = run(place, "silence", "add", "--for", "47h", "--reason", "x")
    assert "everything  broken at severity 3" in made.output


def test_expiring_a_silence_that_is_not_there_is_an_error(place):
    result = CliRunner().invoke(main, ["silence", "expire", "7", "--config", str(place)])
    assert (result.exit_code, "there is no silence 7" in result.output) == (1, True)


# ---------------------------------------------------------------------------- rest


@pytest.fixture
def rested(place):
    """Anna was called at 23:30 before the last workday that has begun by now."""
    now = SystemClock().now().astimezone(BERLIN)
    day = (now - 10 * HOUR).date()
    while day.weekday() > 4:
        day -= timedelta(days=1)
    call = datetime(day.year, day.month, day.day, 23, 30, tzinfo=BERLIN) - timedelta(days=1)
    stored(place, calls.reached, [Page(person=PersonId("anna"), at=call.astimezone(UTC), key="NF-1:1")])
    return place


@pytest.mark.parametrize("by", ["anna", "Anna Berg", "carla"])
def test_the_person_and_the_one_reader_see_the_short_rest(rested, by):
    result = run(rested, "oncall", "rest", "--person", "anna", "--by", by)
    assert result.exit_code == 0, result.output
    assert "Anna Berg: rests shorter than 11 h: 1, interrupted: 1, since" in result.output
    assert "  ! before" in result.output
    assert "9 h 30 min after the last of 1 look" in result.output


@pytest.mark.parametrize("asked", [("--person", "anna", "--by", "ben"), ("--by", "ben"), ("--by", "stranger")])
def test_nobody_else_sees_it(rested, asked):
    result = run(rested, "oncall", "rest", *asked)
    assert result.exit_code == 1
    assert "only the person may read this, and Carla Rath (rest_reader)" in result.output


def test_without_people_in_figures_the_reader_sees_no_names(rested):
    rested.write_text(rested.read_text() + "people_in_figures: false\n")
    everybody = run(rested, "oncall", "rest", "--by", "carla")
    assert everybody.output.count("Bereitschaft:") == 3
    assert "Anna" not in everybody.output
    one = run(rested, "oncall", "rest", "--person", "anna", "--by", "carla")
    assert (one.exit_code, "people_in_figures is false" in one.output) == (1, True)
    assert run(rested, "oncall", "rest", "--person", "anna", "--by", "anna").exit_code == 0


# ------------------------------------------------------------------------- moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-10-25T11:00+00:00"),
        ("18:00", "2026-10-25T17:00+00:00"),
        ("2026-10-24 18:00", "2026-10-24T16:00+00:00"),
        ("2026-10-24T18:00", "2026-10-24T16:00+00:00"),
        ("2026-10-26", "2026-10-25T23:00+00:00"),
    ],
)
def test_a_moment_is_read_as_the_wall_shows_it(text, moment):
    now = datetime(2026, 10, 25, 11, 0, tzinfo=UTC)
    assert read_moment(text, BERLIN, now, option="--until") == datetime.fromisoformat(moment)


def test_a_stretch_is_said_in_hours_and_minutes():
    assert (say_span(HOUR * 6), say_span(HOUR * 6.5)) == ("6 h", "6 h 30 min")
