"""What an ordinary evening asks of the database is answered by indexes: a year of mentions makes no minute longer."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import event

from pipeline.test_duty import CALLING
from pipeline.world import STORM, World, quiet_weeks, storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GROWS = ("mention", "verdict", "match", "bin", "transition", "reading")
"""What grows with time; `mention_to_judge` holds only what waits."""
ASKS = ("SELECT", "INSERT", "UPDATE", "DELETE")


async def test_no_question_of_an_evening_reads_a_whole_table_that_grows(tmp_path):
    posts = quiet_weeks(STORM - 5 * MINUTE, days=4) + storm(STORM, 40, spread=10 * MINUTE)
    edited = [replace(one, text=f"{one.text} (!)", captured_at=STORM + 20 * MINUTE) for one in posts[-9:]]
    again = [replace(one, captured_at=STORM + 30 * MINUTE) for one in posts[-20:]]
    world = World(posts + edited + again, path=tmp_path / "a.db", yaml=CALLING)
    asked = {}

    def note(_connection, _cursor, statement, parameters, _context, is_many):
        asked.setdefault(statement, parameters[0] if is_many and parameters else parameters)

    await world.begin(STORM - HOUR)  # a start may read what it likes
    event.listen(world.database._engine, "before_cursor_execute", note)
    await world.run_until(STORM + HOUR)
    event.remove(world.database._engine, "before_cursor_execute", note)

    def plans(connection):
        raw = connection.connection.driver_connection
        for statement, parameters in asked.items():
            if statement.lstrip().startswith(ASKS):
                yield statement, [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]

    read = world.database.run_now(lambda connection: list(plans(connection)))
    whole = [
        (statement, line)
        for statement, lines in read
        for line in lines
        if line.split()[0] == "SCAN" and line.split()[1] in GROWS and "mention_to_judge" not in line
    ]
    assert whole == []
    assert any("(source=? AND external_id=?)" in line for _, lines in read for line in lines)
