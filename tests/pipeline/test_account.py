"""What a report is told from, read from a database that the pipeline wrote."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.errors import BrandmelderError
from brandmelder.model import Act
from brandmelder.pipeline.account import read_account
from brandmelder.pipeline.act import Wish, do
from brandmelder.report.incident import incident_report
from brandmelder.report.markdown import markdown
from pipeline.world import STORM, YAML, World, mention, quiet_weeks, storm

HOUR = timedelta(hours=1)
ANSWER = mention(900_000, STORM + HOUR, angry=False, parent_id="100000", own=True, text="Wir melden uns.")
LATE_ANSWER = mention(900_001, STORM + 12 * HOUR, angry=False, parent_id="100001", own=True, text="Erledigt.")


async def stormy(yaml=YAML, **more):
    world = World([*quiet_weeks(STORM, days=21), *storm(STORM, 60), ANSWER, LATE_ANSWER], yaml=yaml, **more)
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + timedelta(minutes=20))
    (one,) = world.incidents()
    world.database.run_now(
        do, world.pipeline.parts, Wish(incident=one.id, act=Act.ACKNOWLEDGE, by="Anna"), world.clock.now()
    )
    await world.run_until(STORM + 13 * HOUR)
    return world, one.id


async def test_a_report_tells_the_whole_course_of_an_incident():
    world, ident = await stormy()
    now = world.clock.now()
    found = world.database.run_now(read_account, world.pipeline.parts, ident, now)
    (incident,) = world.incidents()
    assert incident.closed_at is not None
    picture = found.drawn
    assert incident.closed_at <= picture.until < incident.closed_at + picture.width
    assert picture.until - len(picture.counts) * picture.width < incident.onset - HOUR
    assert len(picture.counts) == len(picture.usual)
    assert sum(count for count in picture.counts if count > 0) >= incident.peak
    assert found.peak_usual[1] < incident.peak
    assert incident.onset < found.peak_at <= incident.closed_at
    assert len(found.spoken) == 8
    assert len({one.text for one in found.spoken}) == 8
    assert (found.answers.answered, found.answers.answered_since) == (1, 2)
    assert found.answers.first == STORM + HOUR
    assert [one.at is None for one in found.told] == [False]
    text = markdown(incident_report(found))
    assert "Übernommen nach" in text
    assert "Anna" in text


async def test_what_was_dismissed_at_once_stands_in_the_picture_of_its_report():
    world = World([*quiet_weeks(STORM, days=21), *storm(STORM, 60)])
    await world.begin(STORM - HOUR)
    await world.run_until(STORM + timedelta(minutes=13))
    (one,) = world.incidents()
    wish = Wish(incident=one.id, act=Act.DISMISS, by="Anna", note="bots")
    world.database.run_now(do, world.pipeline.parts, wish, world.clock.now())
    at_once = world.database.run_now(read_account, world.pipeline.parts, one.id, world.clock.now()).drawn
    assert at_once.until <= world.clock.now()
    await world.run_until(STORM + 2 * HOUR)
    later = world.database.run_now(read_account, world.pipeline.parts, one.id, world.clock.now()).drawn
    assert sum(count for count in later.counts if count > 0) >= one.peak
    world.database.close()


async def test_a_voice_that_its_platform_took_away_is_not_told():
    world, ident = await stormy()
    quote = world.evidence(ident).quotes[0]
    world.database.run_now(
        lambda connection: connection.exec_driver_sql(
            "UPDATE mention SET text = '', removed_at = 1 WHERE id = ?", (quote.mention,)
        )
    )
    found = world.database.run_now(read_account, world.pipeline.parts, ident, world.clock.now())
    assert found.left_out == 1
    assert quote.url not in {one.url for one in found.spoken}
    assert all(one.text for one in found.spoken)


async def test_a_monitor_that_left_the_configuration_still_has_its_report():
    world, ident = await stormy()
    world.pipeline.parts.watches = {}
    found = world.database.run_now(read_account, world.pipeline.parts, ident, world.clock.now())
    assert found.drawn is None
    assert "NF-2026-001" in markdown(incident_report(replace(found, gaps=())))


async def test_an_incident_that_is_not_there_is_said_to_be_missing():
    world = World([])
    with pytest.raises(BrandmelderError, match="there is no incident NF-1; see: brandmelder incidents list --all"):
        world.database.run_now(read_account, world.pipeline.parts, "NF-1", STORM)
