"""Has verdicts weighed, and keeps what the weighing remembers as the database has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.classify.weigh import Weigher
from brandmelder.model import SourceClass
from brandmelder.store import mentions, weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from brandmelder.classify.weigh import Changes
    from brandmelder.model import Mention, MentionId, SourceId, Verdict
    from brandmelder.pipeline.parts import Place
    from brandmelder.store.database import Database


class Scales:
    """The weigher of a running service, read from the database when it is first needed."""

    def __init__(self, database: Database, places: Mapping[SourceId, Place]) -> None:
        self._database = database
        self._news = [ident for ident, place in places.items() if place.source_class is SourceClass.NEWS]
        self._weigher: Weigher | None = None

    async def weigh(
        self, found: Sequence[tuple[MentionId, Mention, Verdict]], edited: Sequence[MentionId] = ()
    ) -> tuple[dict[MentionId, Verdict], Changes]:
        """Return the verdicts with their weights, and what to `save` in the transaction that stores them.

        What was edited keeps the weight under which it was counted.
        """
        if self._weigher is None:
            clusters, hours = await self._database.run(weights.read)
            self._weigher = Weigher(news=self._news, clusters=clusters, hours=hours)
        before = await self._database.run(mentions.weights_of, edited) if edited else {}
        fresh = [one for one in found if one[0] not in before]
        weighed = dict(zip((ident for ident, _, _ in fresh), self._weigher.weigh(fresh), strict=True)) | before
        verdicts = {ident: replace(verdict, weight=weighed[ident]) for ident, _, verdict in found}
        return verdicts, self._weigher.changes()

    def lose(self) -> None:
        """Forget what was not stored: the next weighing reads the database anew."""
        self._weigher = None


def save(connection: Connection, changes: Changes) -> None:
    """Store what the weighing remembers now."""
    weights.forget(connection, changes.forgotten_clusters, changes.forgotten_hours)
    weights.save(connection, changes.clusters, changes.hours)
