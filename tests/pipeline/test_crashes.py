"""Killing the process between any two commits changes nothing that people could see."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from msgspec.structs import replace

from brandmelder.model import DeliveryKind, DeliveryState, SourceId
from brandmelder.store import sources
from pipeline.world import STORM, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)


class PowerCut(BaseException):
    """The process dies here."""


class Plug:
    """Counts the transactions of a world and pulls the plug before or after the n-th."""

    def __init__(self, world, at, *, after):
        self.count, self._at, self._after = 0, at, after
        self._run = world.database.run
        world.database.run = self._counted

    async def _counted(self, function, *arguments, **named):
        self.count += 1
        mine = self.count
        if mine == self._at and not self._after:
            raise PowerCut
        result = await self._run(function, *arguments, **named)
        if mine == self._at and self._after:
            raise PowerCut
        return result


MENTIONS = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=12 * MINUTE)
BEGIN, END = STORM - 6 * MINUTE, STORM + 14 * MINUTE


async def _just_begun(path):
    """A database on the eve of the storm, copied for each crash: making one takes longer than the evening."""
    world = World(MENTIONS, path=path)
    await world.begin(BEGIN)
    world.database.close()
    return path


async def _evening(eve, path):
    for end in ("", ".key"):
        shutil.copy(f"{eve}{end}", f"{path}{end}")
    world = World(MENTIONS, path=path)
    await world.begin(BEGIN)
    return world


async def _clean(eve, path):
    world = await _evening(eve, path)
    plug = Plug(world, -1, after=False)
    await world.run_until(END)
    expected = _sense(world)
    world.database.close()
    return expected, plug.count


def _sense(world):
    """What people could know, without how often it was tried."""
    (incident,) = world.incidents()
    opens = [one for one in world.deliveries() if one.kind is DeliveryKind.OPEN]
    return (
        incident.id,
        incident.opened_at,
        incident.peak,
        incident.severity,
        [(step.act, step.at, step.after) for step in world.timeline(incident.id)],
        [(one.key, one.state) for one in opens],
    )


async def test_a_crash_at_any_commit_changes_nothing(tmp_path):
    eve = await _just_begun(tmp_path / "eve.db")
    expected, commits = await _clean(eve, tmp_path / "clean.db")
    assert commits > 60
    for at in range(1, commits, max(1, commits // 20)):
        for after in (False, True):
            world = await _evening(eve, tmp_path / f"{at}-{after}.db")
            Plug(world, at, after=after)
            with pytest.raises(PowerCut):
                await world.run_until(END)
            await world.come_back()
            await world.run_until(END)
            found = _sense(world)
            world.database.close()
            assert found[:2] == expected[:2], f"died {'after' if after else 'before'} transaction {at}"
            assert [state for _, state in found[5]] == [DeliveryState.SENT]
            assert len(world.recorder.first) == 1


async def test_what_cannot_be_written_is_told_as_trouble_of_its_source():
    bad = replace(storm(STORM, 1)[0], parent_id="\ud800")
    world = World([*quiet_weeks(STORM - timedelta(hours=2), days=3), bad])
    await world.begin(STORM - timedelta(hours=1))
    await world.run_until(STORM + timedelta(hours=1))
    row = world.database.run_now(sources.read_source, SourceId("blog"))
    assert (row.fault, row.failures > 2) == ("bug", True)
    assert row.blind_since is not None
    assert any("surrogates not allowed" in said for said in world.said)
