"""A second opinion on unsure mentions inside an open spike, from a large language model; off unless configured.

Only mentions whose source lets texts leave the host, only the first of a group of copies, the newest first, one per
request, under a budget per day that is reserved before the call. Whatever goes wrong, the local verdict stands.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from brandmelder.classify import llm
from brandmelder.errors import ChannelError, StoreError
from brandmelder.model import State
from brandmelder.store import incidents, spending
from brandmelder.store.spending import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from brandmelder.model import IncidentId, Mention, MentionId, MonitorId, SourceId, Verdict
    from brandmelder.notify.notifier import Exchange
    from brandmelder.store.database import Database

log = structlog.get_logger()

AT_ONCE = 4
PER_INCIDENT = 100
OWN = 0.99
"""From this weight on a mention is no copy."""
PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)

Judged = tuple["MentionId", "Mention", "Verdict"]


class Endpoint(Struct, frozen=True, kw_only=True):
    """Whom to ask, and how much it may take."""

    url: str
    model: str
    token: str = ""
    allowance: Allowance
    patience: timedelta = timedelta(seconds=10)
    """How long one batch of mentions waits for opinions; what has not come by then is not waited for."""


class SecondOpinion:
    """Asks about what the local judge is unsure of."""

    def __init__(
        self, endpoint: Endpoint, exchange: Exchange, *, now: Callable[[], datetime], leaving: Collection[SourceId]
    ) -> None:
        self._endpoint, self._exchange, self._now = endpoint, exchange, now
        self._leaving = frozenset(leaving)
        self._asked: dict[IncidentId, int] = {}
        self._not_before: datetime | None = None

    async def give(
        self,
        database: Database,
        brand: str,
        judged: Mapping[MentionId, tuple[Mention, Verdict]],
        concerned: Mapping[MentionId, Sequence[MonitorId]],
    ) -> dict[MentionId, Verdict]:
        """Return the verdicts on which somebody else had something to say."""
        unsure = {
            ident: pair
            for ident, pair in judged.items()
            if pair[1].unsure and pair[1].weight >= OWN and pair[0].source in self._leaving and not pair[0].history
        }
        if not unsure or (self._not_before is not None and self._now() < self._not_before):
            return {}
        burning = await database.run(_burning)
        chosen = self._chosen(unsure, concerned, burning)
        turns = asyncio.Semaphore(AT_ONCE)
        found: dict[MentionId, Verdict] = {}

        async def ask(ident: MentionId) -> None:
            one, verdict = unsure[ident]
            async with turns:
                word = await self._ask(database, brand, one.text)
            if word is not None:
                found[ident] = llm.seconded(verdict, word)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._endpoint.patience.total_seconds()), asyncio.TaskGroup() as group:
                for ident in chosen:
                    group.create_task(ask(ident))
        if chosen:
            log.info("second_opinion.given", asked=len(chosen), answered=len(found))
        return found

    def _chosen(
        self,
        unsure: Mapping[MentionId, tuple[Mention, Verdict]],
        concerned: Mapping[MentionId, Sequence[MonitorId]],
        burning: Mapping[MonitorId, tuple[IncidentId, datetime]],
    ) -> list[MentionId]:
        """Return what is asked about, the newest first, at most PER_INCIDENT of an incident."""
        self._asked = {
            ident: count for ident, count in self._asked.items() if any(ident == one for one, _ in burning.values())
        }
        chosen: list[MentionId] = []
        for ident in sorted(unsure, key=lambda ident: (unsure[ident][0].published_at, ident), reverse=True):
            for monitor in concerned.get(ident, ()):
                incident, onset = burning.get(monitor, (None, None))
                if incident is None or onset is None or unsure[ident][0].published_at < onset:
                    continue
                if self._asked.get(incident, 0) < PER_INCIDENT:
                    self._asked[incident] = self._asked.get(incident, 0) + 1
                    chosen.append(ident)
                    break
        return chosen

    async def _ask(self, database: Database, brand: str, text: str) -> str | None:
        if self._not_before is not None and self._now() < self._not_before:
            return None
        body = llm.question(self._endpoint.model, brand, text)
        day, most = f"{self._now():%Y-%m-%d}", llm.most_tokens(body)
        try:
            is_paid = await database.run(spending.reserve, day, most, self._endpoint.allowance)
        except StoreError:
            return None  # commit 2 meets the same trouble and tells of it
        if not is_paid:
            return None
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._endpoint.token:
            headers["authorization"] = f"Bearer {self._endpoint.token}"
        try:
            reply = await self._exchange("POST", self._endpoint.url, headers=headers, body=body)
        except ChannelError as error:
            self._rest(None)
            log.warning("second_opinion.unheard", reason=str(error))
            return None
        opinion = llm.read_answer(reply.status, reply.body)
        if opinion.word is None:
            log.warning("second_opinion.useless", reason=opinion.why)
        if reply.status in {401, 403, 404, 429} or reply.status >= 500:
            self._rest(reply.headers.get("retry-after"))
        if opinion.tokens is not None and opinion.tokens < most:
            with contextlib.suppress(StoreError):
                await database.run(spending.give_back, day, most - opinion.tokens)
        return opinion.word

    def _rest(self, wanted: str | None) -> None:
        """Ask nobody for a while: as long as the server wants, an hour at most."""
        pause = (
            timedelta(seconds=int(wanted)) if wanted is not None and wanted.isdecimal() and len(wanted) < 7 else PAUSE
        )
        self._not_before = self._now() + min(pause, LONGEST_PAUSE)


def _burning(connection: Connection) -> dict[MonitorId, tuple[IncidentId, datetime]]:
    running = incidents.all_incidents(connection, running_only=True)
    return {one.monitor: (one.id, one.onset) for one, _ in running if one.state in {State.OPEN, State.ACKNOWLEDGED}}
