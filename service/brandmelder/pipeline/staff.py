"""What staff do beside incidents: each act and its row in the audit stand in one transaction.

Command line and page come through here; what people do to an incident comes through pipeline/act.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from brandmelder.notify.bulletin import matcher_words
from brandmelder.notify.delivery import next_moment
from brandmelder.pipeline import teach
from brandmelder.store import audit, deliveries, labels, marked, rotas, silences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from brandmelder.model import Delivery, DeliveryState, MentionId, MonitorId, Override, Silence, StaffLabel
    from brandmelder.pipeline.parts import Parts
    from brandmelder.pipeline.teach import Lesson
    from brandmelder.store.marked import Marked


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts: the name they give, and the login under which they do."""

    name: str
    login: str = ""
    via: str = "command"

    def said(self) -> dict[str, str]:
        """Return what the audit keeps beside the name."""
        return {"via": self.via, "login": "" if self.login == self.name else self.login}


def silence(connection: Connection, one: Silence, actor: Actor, now: datetime) -> Silence:
    """Keep a new silence; returns it with its number."""
    kept = silences.add(connection, one)
    audit.record(
        connection,
        "silence.add",
        by=actor.name,
        subject=str(kept.id),
        now=now,
        what=matcher_words(kept.matcher, "en"),
        since=kept.since.isoformat(),
        until=kept.until.isoformat(),
        reason=kept.reason,
        **actor.said(),
    )
    return kept


def end_silence(connection: Connection, one: Silence, actor: Actor, now: datetime) -> Silence:
    """End a silence now."""
    ended = replace(one, expired_at=now, reason=f"{one.reason} (ended by {actor.name})")
    silences.save(connection, ended)
    audit.record(connection, "silence.end", by=actor.name, subject=str(one.id), now=now, **actor.said())
    return ended


def stand_in(connection: Connection, one: Override, actor: Actor) -> Override:
    """Put somebody on call in the place of whom the rota says; returns the override with its number."""
    kept = rotas.add_override(connection, one)
    audit.record(
        connection,
        "duty.override",
        by=actor.name,
        subject=one.rota,
        now=one.made_at,
        number=kept.id,
        person=one.person,
        since=one.since.isoformat(),
        until=one.until.isoformat(),
        reason=one.reason,
        **actor.said(),
    )
    return kept


def withdraw(connection: Connection, one: Override, actor: Actor, now: datetime) -> None:
    """Withdraw an override: the rota holds again."""
    rotas.save_override(connection, replace(one, withdrawn_at=now))
    audit.record(connection, "duty.withdraw", by=actor.name, subject=one.rota, now=now, number=one.id, **actor.said())


def mark(connection: Connection, one: Marked, actor: Actor) -> None:
    """Mark a period as not normal."""
    marked.mark(connection, one)
    audit.record(
        connection, "marked.add", by=actor.name, subject=one.monitor, now=one.at, reason=one.why,
        since=one.since.isoformat(), until=one.until.isoformat(), **actor.said(),
    )  # fmt: skip


def unmark(connection: Connection, one: tuple[MonitorId, datetime, datetime], actor: Actor, now: datetime) -> bool:
    """Take a mark away; says whether there was one."""
    monitor, since, until = one
    was_there = marked.unmark(connection, monitor, since, until)
    if was_there:
        audit.record(
            connection, "marked.remove", by=actor.name, subject=monitor, now=now,
            since=since.isoformat(), until=until.isoformat(), **actor.said(),
        )  # fmt: skip
    return was_there


async def label_beside(parts: Parts, given: Sequence[StaffLabel], actor: Actor, now: datetime) -> Lesson:
    """Keep what staff say, and learn from all of it while the service goes on: what was said stands before."""
    await parts.database.run(say, given, actor, now)
    return await teach.learn_beside(parts, now)


def say(connection: Connection, given: Sequence[StaffLabel], actor: Actor, now: datetime) -> None:
    """Keep what staff say of mentions; the audit names mentions by number, no texts."""
    audit.record(
        connection,
        "label.set",
        by=actor.name,
        subject=str(given[0].mention) if len(given) == 1 and given[0].mention is not None else "",
        now=now,
        count=len(given),
        label=given[0].label.value if len(given) == 1 else "",
        **actor.said(),
    )
    labels.save(connection, given)


def label(connection: Connection, given: Sequence[StaffLabel], brand: str, actor: Actor, now: datetime) -> Lesson:
    """Keep what staff say of mentions and learn from all of it, in one transaction: for commands."""
    say(connection, given, actor, now)
    return teach.learn(connection, brand, now)


def take_back_label(connection: Connection, ident: MentionId, actor: Actor, now: datetime) -> bool:
    """Remove the label of a mention; says whether there was one."""
    was_there = labels.take_back(connection, ident)
    if was_there:
        audit.record(connection, "label.take_back", by=actor.name, subject=str(ident), now=now, **actor.said())
    return was_there


def change_delivery(
    connection: Connection, after: Delivery, actor: Actor, now: datetime, *, before: DeliveryState
) -> None:
    """Have a delivery tried again, or put it away. Raises Conflict if somebody was faster."""
    deliveries.save_delivery(connection, after, next_moment(after), expected=before)
    audit.record(
        connection,
        "delivery.change",
        by=actor.name,
        subject=after.key,
        now=now,
        before=before.value,
        after=after.state.value,
        **actor.said(),
    )
