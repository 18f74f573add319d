"""kill -9 at every commit and every send of a real process, and again while it recovers; a strict Slack watches.

The parent forks: a child starts in milliseconds, has its own event loop, threads and files, and dies by SIGKILL where
the environment says (`KILL_AT`: the how-manieth point it passes). Time is virtual, the store is a file, Slack is on
HTTP.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from brandmelder.model import ChannelId, DeliveryState
from brandmelder.notify.channels.slack import SlackNotifier
from brandmelder.notify.channels.slack_options import SlackOptions
from brandmelder.store import deliveries, incidents
from peers.slack import SlackPeer, Workspace
from peers.slack.workspace import read_state
from pipeline.world import STORM, World, quiet_weeks, storm

MINUTE = timedelta(minutes=1)
BEGIN, END = STORM - 4 * MINUTE, STORM + 14 * MINUTE
LAST_KILL = END + 20 * MINUTE
"""Until then the process is killed: news in the thread of the alert and the end of its edits lie before it."""
CALM = LAST_KILL + 25 * MINUTE
"""By then what was unclear at the last kill has been looked for and swept, a second kill in its recovery included."""
MENTIONS = quiet_weeks(STORM - 6 * MINUTE, days=2) + storm(STORM, 40, spread=10 * MINUTE)
KILL_AT = "KILL_AT"
RECOVERY = 40
"""The second kill falls within so many points after the restart."""


class Points:
    """Counts the points that are passed, and kills at one of them."""

    def __init__(self):
        self.count, self.at = 0, int(os.environ.get(KILL_AT, "0"))

    def pass_one(self):
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function):
        """Return the coroutine function with a point before and one after it."""

        async def between(*arguments, **named):
            self.pass_one()
            result = await function(*arguments, **named)
            self.pass_one()
            return result

        return between


def _tell(file, moment):
    """Write down what time it is, whole at every moment: Slack, in a process of its own, goes by it, too."""
    fresh = file.with_suffix(".new")
    fresh.write_text(moment.isoformat())
    fresh.replace(file)


def _told(file):
    return datetime.fromisoformat(file.read_text()) if file.exists() else BEGIN


async def _live(folder, url, until, points):
    options = SlackOptions(type="slack", token="xoxb-test", channel="C0123456789", api_url=url)
    slack = SlackNotifier(ChannelId("crisis"), options)
    for name in ("push", "update", "find", "delete"):
        setattr(slack, name, points.around(getattr(slack, name)))
    world = World(MENTIONS, path=folder / "a.db", places={"crisis": slack})
    world.database.run = points.around(world.database.run)
    moment = folder / "now"
    await world.begin(_told(moment))
    counted = folder / "points"
    while world.clock.now() <= until:
        _tell(moment, world.clock.now())
        if world.clock.now() <= LAST_KILL:
            counted.write_text(str(points.count))
        following = await world.pipeline.tick(world.clock.now())
        world.clock.move_to(max(following, world.clock.now() + timedelta(seconds=1)))
    await slack.close()
    world.database.close()


def forked(work):
    """Do `work` in a process of its own; returns its exit status, negative where a signal ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- the child ends here, whatever it was
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def life(folder, url, *, kill_at=0, until=CALM):
    """One life of the service; returns its exit status."""

    def work():
        os.environ[KILL_AT] = str(kill_at)
        points = Points()
        asyncio.run(_live(folder, url, until, points))

    return forked(work)


class Slack:
    """The strict Slack in a process of its own. Its clock is the service's: a message bears the time it was sent at."""

    def __init__(self, folder):
        self.moment, self.state = folder / "now", folder / "seen.jsonl"
        self.state.touch()
        told, tells = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            asyncio.run(self._serve(tells))
        os.close(tells)
        self.url = os.read(told, 100).decode()
        os.close(told)

    async def _serve(self, tells):
        from peers.slack.__main__ import _append

        workspace = Workspace(clock=lambda: _told(self.moment).timestamp())
        workspace.log = lambda change: _append(self.state, change)
        async with SlackPeer(workspace=workspace) as peer:
            peer.api._pace = lambda _method: None
            peer.api._pace_post = lambda _channel: None
            os.write(tells, peer.url.encode())
            await asyncio.Event().wait()

    def keys(self):
        """Return the keys of the messages that people see, each as often as they see it."""
        return Counter(one.key for one in read_state(self.state) if one.key)

    def stop(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def eve(folder):
    """Make the store of an installation on the eve of the storm; returns the folder."""
    there = folder / "eve"
    there.mkdir()
    slack = Slack(there)
    try:
        assert life(there, slack.url, until=BEGIN + MINUTE) == 0
    finally:
        slack.stop()
    return there


@dataclass
class Killed:
    """What came of it."""

    points: int = 0
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    unsound: int = 0
    wrong: list = field(default_factory=list)


def clean(folder, before):
    """Run the evening without a kill; returns how many points it has."""
    there = _copy(before, folder / "clean")
    slack = Slack(there)
    try:
        assert life(there, slack.url) == 0
        assert [key for key in slack.keys().elements() if ":open:" in key] == ["NF-2026-001:open:crisis"]
    finally:
        slack.stop()
    return int((there / "points").read_text())


def kill_twice(folder, before, at, found, rng):
    """Kill at one point of the evening, again within the recovery, then let it live; judge what is left."""
    there = _copy(before, folder / f"kill-{at}")
    slack = Slack(there)
    try:
        statuses = [life(there, slack.url, kill_at=at)]
        statuses.append(life(there, slack.url, kill_at=rng.randrange(1, RECOVERY + 1)))
        found.points += 1
        found.kills += statuses.count(-signal.SIGKILL)
        if life(there, slack.url) != 0:
            found.wrong.append(f"{at}: does not start again")
        _judge(there, slack.keys(), at, found)
    finally:
        slack.stop()
    shutil.rmtree(there)


def _copy(before, there):
    there.mkdir()
    for name in ("a.db", "a.db.key", "now"):
        shutil.copy(before / name, there / name)
    return there


def _judge(there, keys, at, found):
    from brandmelder.store.database import Database

    raw = sqlite3.connect(there / "a.db")
    found.unsound += raw.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
    stored = raw.execute("SELECT count(*) FROM mention WHERE judged = 1").fetchone()[0]
    raw.close()
    database = Database(f"sqlite:///{there / 'a.db'}")
    (*burnt,) = database.run_now(incidents.all_incidents)
    promised = database.run_now(deliveries.all_deliveries)
    database.close()
    opened = [key for key in keys if ":open:" in key]
    ended = {DeliveryState.SENT, DeliveryState.SUPERSEDED, DeliveryState.DEAD}
    is_lost = not opened or len(burnt) != 1 or stored != len(MENTIONS)
    found.lost += is_lost
    found.doubled += any(count > 1 for count in keys.values()) or len(opened) > 1
    found.unsound += any(one.state not in ended for one in promised)
    if is_lost or max(keys.values(), default=0) > 1:
        found.wrong.append(f"{at}: {dict(keys)}, {len(burnt)} incidents, {stored} of {len(MENTIONS)} mentions")


def kill_everywhere(folder, *, points=None, seed=1):
    """Kill at `points` of them, evenly over the evening (None: at each); returns what came of it."""
    rng, found = random.Random(seed), Killed()
    before = eve(folder)
    count = clean(folder, before)
    step = 1 if points is None else max(1, count // points)
    for at in range(1, count + 1, step):
        kill_twice(folder, before, at, found, rng)
    return found
