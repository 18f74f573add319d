"""Planted bugs: each a way in which such a service was wrong before; the simulation must find every one of them.

`python -m simulation.mutants` plants one after another and prints in which seed each was found first, and by what.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy.dialects.sqlite import insert

from brandmelder import pipeline
from brandmelder.incident import lifecycle, snooze
from brandmelder.model import DeliveryState
from brandmelder.notify import delivery as life
from brandmelder.notify import patience
from brandmelder.notify.notifier import Found, NotDelivered, Unclear
from brandmelder.pipeline import aftermath, deliver, poll, timer
from brandmelder.store import clicks, deliveries, incidents, mentions, schema, series, sources
from brandmelder.store.bulk import Bulk
from simulation import slack

standing_in = sys.modules["brandmelder.pipeline.call_stand_ins"]
judging = sys.modules["brandmelder.pipeline.judge"]  # in their package, functions bear their names
WITHIN = 500
"""Seeds within which each must be found."""


def dual_write(put):
    """Verdicts in one transaction, what they count in the next: a crash in between counts them never."""
    kept, commit, run = [], judging._commit_verdicts, judging.judge

    def verdicts_alone(connection, batch, verdicts, entries, changes):
        kept.extend(entries)
        commit(connection, batch, verdicts, [], changes)

    async def then_count(parts):
        kept.clear()
        touched = await run(parts)
        if kept:
            await parts.database.run(series.enter, list(kept))
        return touched | {one.monitor for one in kept}

    put(judging, "_commit_verdicts", verdicts_alone)
    put(pipeline, "judge", then_count)


def no_quiesce(put):
    """Look at once for what may have arrived, before it had time to appear."""
    put(life, "QUIESCE", timedelta(0))


def send_without_look(put):
    """What may have arrived is simply sent again."""
    put(life, "_lose_sight", lambda one, reason, now: life._try_again(one, NotDelivered(reason), now))


def no_sweep(put):
    """Twins that land late stay."""
    put(life, "SWEEPS", ())
    put(life, "QUIESCE", timedelta(seconds=21))


def recovered_as_due(put):
    """What was being sent when the process died is taken for unsent."""

    def recover(one, now, *, is_idempotent=False):
        if one.state is not DeliveryState.SENDING:
            return one
        return life._due(one, now, "interrupted")

    put(life, "recover", recover)


def cursor_before_insert(put):
    """The cursor moves in a transaction of its own, before the mentions are stored."""

    async def early(parts, row, now):
        source = parts.sources[row.id]
        answered = source.poll

        async def hasty(cursor, moment):
            found = await answered(cursor, moment)
            if found.cursor is not None and row.cursor is not None:
                moved = replace(await parts.database.run(sources.read_source, row.id), cursor=found.cursor)
                await parts.database.run(sources.save_source, moved)
            return found

        source.poll = hasty
        try:
            return await visited(parts, row, now)
        finally:
            source.poll = answered

    visited = poll.poll_source
    put(pipeline, "poll_source", early)


def arrival_time(put):
    """Mentions are counted when they arrive, not when they were written: a backlog is a spike."""
    ready = poll.ready
    put(poll, "ready", lambda one, key: replace(ready(one, key), published_at=one.captured_at))


def no_fencing(put):
    """Whoever writes last wins: what another process took away meanwhile is sent all the same."""
    saved = deliveries.save_delivery

    def save(connection, one, next_at, *, expected):
        known = deliveries.find(connection, one.key)
        saved(connection, one, next_at, expected=known.state if known else expected)

    put(deliveries, "save_delivery", save)
    put(life, "_expect", lambda one, state: None)


def swallowed_cancellation(put):
    """A send that hangs is neither given up nor said to be unclear: the channel is busy for ever."""
    sent = deliver.Deliverer._send

    async def stuck(self, notifier, one, group, message):
        outcome = await sent(self, notifier, one, group, message)
        if isinstance(outcome, Unclear):
            await asyncio.get_running_loop().create_future()
        return outcome

    put(deliver.Deliverer, "_send", stuck)


def unbounded_queue(put):
    """No back-off: what fails is tried again at once, for ever."""
    put(life, "back_off", lambda key, attempts: timedelta(0))
    put(life, "_whole", lambda moment: moment)


def snooze_lost(put):
    """Snoozes end by a timer in memory: a restart forgets them."""
    asleep, woken = set(), aftermath.wake

    def wake(connection, parts, now):
        for incident, _ in incidents.all_incidents(connection, running_only=True):
            if incident.snooze is not None and incident.snooze.until > now:
                asleep.add((id(parts), incident.id, incident.snooze.until))
        known = {(ident, until) for whose, ident, until in asleep if whose == id(parts)}
        for incident, _ in incidents.all_incidents(connection, running_only=True):
            if incident.snooze is not None and (incident.id, incident.snooze.until) not in known:
                return None
        return woken(connection, parts, now)

    put(aftermath, "wake", wake)
    put(snooze, "disturb", lambda change, classes, now: change)


def latecomer_rewrites(put):
    """Posts that came late shift what was evaluated: the past is evaluated anew."""
    marked = series.mark_dirty

    def mark(connection, name, since):
        marked(connection, name, since)
        row = series.read_monitor(connection, name)
        if row is not None and row.evaluated_through is not None and row.evaluated_through > since:
            connection.exec_driver_sql(
                "UPDATE monitor SET evaluated_through = ?, revision = revision + 1 WHERE id = ?",
                (int(since.timestamp()) // 300 * 300, name),
            )

    put(series, "mark_dirty", mark)


def counted_twice(put):
    """An edit counts as one more mention."""
    put(series, "counted", lambda connection, idents: set())
    put(series, "_ENTER", Bulk(insert(schema.match).on_conflict_do_nothing()))


def fallback_forgotten(put):
    """Nobody stands in for a channel that does not confirm: it is noted as told elsewhere, and no place is found."""
    put(standing_in, "_places", lambda connection, parts, one: ())


def click_applied_twice(put):
    """What a click does and that it was done are two transactions: a crash in between does it again."""
    put(clicks, "settle", lambda connection, ident, answer: True)


def removed_text_kept(put):
    """Alerts already sent keep what was deleted."""
    put(poll, "correct_alerts", lambda connection, parts, gone, now: [])


def updates_die(put):
    """An edit is given up after 15 minutes: alerts stay as they were when the channel went down."""
    put(life, "LIFE", {kind: min(span, timedelta(minutes=15)) for kind, span in patience.LIFE.items()})


def judged_before_stored(put):
    """Mentions are taken off the list before their verdicts are stored."""
    listed = mentions.to_judge

    def take(connection, limit):
        found = listed(connection, limit)
        mentions.mark_judged(connection, [ident for ident, _, _ in found])
        return found

    put(mentions, "to_judge", take)


def two_open(put):
    """Each evaluation begins an incident of its own while one is running."""
    considered = lifecycle.consider

    def consider(incident, finding, *, now, rules, number):
        fresh = incident if incident is None or incident.state.value != "open" else None
        return considered(fresh, finding, now=now, rules=rules, number=number)

    put(lifecycle, "consider", consider)


def looks_blind(put):
    """The search for a message finds nothing: its key was not among what is read."""

    async def find(self, key, *, since, thread):
        await self._meet("find")
        return Found(())

    put(slack.SlackChannel, "find", find)


def dead_beat(put):
    """Work that failed as a whole is not tried again."""

    async def shielded(self, work):
        try:
            return await work
        except Exception:
            return await asyncio.get_running_loop().create_future()

    put(timer.Timer, "_shielded", shielded)


MUTANTS = {
    one.__name__: one
    for one in (
        dual_write, no_quiesce, send_without_look, no_sweep, recovered_as_due, cursor_before_insert, arrival_time,
        no_fencing, swallowed_cancellation, unbounded_queue, snooze_lost, latecomer_rewrites, counted_twice,
        fallback_forgotten, click_applied_twice, removed_text_kept, updates_die, judged_before_stored, two_open,
        looks_blind, dead_beat,
    )
}  # fmt: skip
HURTS = {
    "dual_write": "LK", "no_quiesce": "T", "send_without_look": "T", "no_sweep": "T", "recovered_as_due": "T",
    "cursor_before_insert": "L", "arrival_time": "K", "no_fencing": "ST", "swallowed_cancellation": "SLFV",
    "unbounded_queue": "SR", "snooze_lost": "P", "latecomer_rewrites": "KSX", "counted_twice": "K",
    "fallback_forgotten": "F", "click_applied_twice": "P", "removed_text_kept": "C", "updates_die": "CV",
    "judged_before_stored": "L", "two_open": "SXTKL", "looks_blind": "T", "dead_beat": "SLPV",
}  # fmt: skip
"""Which promises a bug breaks, by the letters of their oracles: what is said of anything else is no catch."""


@contextmanager
def planted(name):
    """Plant a bug for a while; None plants none."""
    before = []

    def put(place, attribute, value):
        before.append((place, attribute, getattr(place, attribute)))
        setattr(place, attribute, value)

    try:
        if name is not None:
            MUTANTS[name](put)
        yield
    finally:
        for place, attribute, value in reversed(before):
            setattr(place, attribute, value)


def convicts(workshop, name, seed):
    """Return what a seed says of a planted bug, by the oracles of what it breaks; nothing if it is ill anyway."""
    from simulation.oracles import complaints

    workshop.eve_of(seed)
    with planted(name):
        try:
            found = complaints(workshop.simulate(seed))
        except Exception as error:
            found = [f"R: {type(error).__name__}: {error}"]
    found = [one for one in found if one[0] in HURTS[name]]
    return found if found and not complaints(workshop.simulate(seed)) else []


def hunt(name, *, within=WITHIN):
    """Return the first seed that finds a planted bug, and what it says of it; None if none of them does."""
    from simulation.workers import quiet
    from simulation.world import Workshop

    quiet()
    workshop = Workshop()
    for seed in range(within):
        if found := convicts(workshop, name, seed):
            return seed, found
    return None


def main(names):
    """Print the table; fails if one is not found."""
    missed = 0
    print(f"{'planted bug':<24}{'seed':>5}{'seconds':>9}  found by")
    for name in names or MUTANTS:
        begun = time.process_time()
        caught = hunt(name)
        seed, found = caught or ("-", ["nothing"])
        missed += caught is None
        print(f"{name:<24}{seed:>5}{time.process_time() - begun:>9.1f}  {found[0][:110]}", flush=True)
    print(f"{len(names or MUTANTS) - missed} of {len(names or MUTANTS)} found within {WITHIN} seeds")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
