"""What is exported of a database that the pipeline wrote, and how it is read page by page."""

from datetime import timedelta
from pathlib import Path

from brandmelder.model import Label, MonitorId, SourceId
from brandmelder.pipeline import tables
from brandmelder.pipeline.noise import read_noise
from brandmelder.store.listing import Wanted, page_of
from pipeline.world import STORM, World, mention, quiet_weeks, storm

DAY = timedelta(days=1)
NORDFUNK = MonitorId("nordfunk")


async def stormy():
    world = World(
        [
            *quiet_weeks(STORM, days=21),
            *storm(STORM, 60),
            mention(7_000, STORM, angry=True, text="=1+1 Nordfunk, Katastrophe!"),
        ]
    )
    await world.begin(STORM - timedelta(hours=1))
    await world.run_until(STORM + timedelta(hours=5))
    return world


async def test_tables_hold_a_row_each_under_columns_that_are_described():
    world = await stormy()
    until = world.clock.now()
    parts, run = world.pipeline.parts, world.database.run_now
    rows = list(tables.mention_rows(parts, NORDFUNK, STORM, until))
    assert len(rows) >= 61
    assert {len(row) for row in rows} == {len(tables.MENTIONS)}
    assert not any("author-" in str(cell) for row in rows for cell in row)
    (incident,) = tables.incident_rows(parts, STORM - DAY, until)
    told = dict(zip(tables.INCIDENTS, incident, strict=True))
    assert (told["id"], told["state"], told["minutes_to_acknowledge"]) == ("NF-2026-001", "resolved", None)
    assert told["peak"] >= 50
    noise = run(read_noise, parts, STORM - DAY, until)
    assert [(one.title, len(one.alarms), one.untaken) for one in noise.heard] == [("nordfunk", 1, 1)]


async def test_pages_follow_one_another_without_gap_or_repeat():
    world = await stormy()
    run = world.database.run_now
    whole = [one.id for one in run(page_of, Wanted(monitor=NORDFUNK), limit=10_000)]
    read, after = [], None
    while True:
        page = run(page_of, Wanted(monitor=NORDFUNK, after=after), limit=17)
        if not page:
            break
        read += [one.id for one in page]
        after = (page[-1].mention.published_at, page[-1].id)
    assert read == whole
    assert len(set(whole)) == len(whole)
    wanted = Wanted(monitor=NORDFUNK, source=SourceId("blog"), label=Label.NEGATIVE, since=STORM, until=STORM + DAY)
    found = run(page_of, wanted, limit=10_000)
    assert found
    assert {one.verdict.label for one in found} == {Label.NEGATIVE}
    assert all(STORM <= one.mention.published_at < STORM + DAY and one.mention.author == "" for one in found)


def test_the_columns_stand_in_the_how_to():
    said = (Path(__file__).parents[2] / "docs/how-to/reports.md").read_text("utf-8")
    for columns in (tables.MENTIONS, tables.INCIDENTS):
        rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in columns.items())
        assert rows in said
