"""Keeps mentions that a program brings: the same shape, identity and forgetting as those that are polled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from brandmelder.capture.normalise import fingerprint
from brandmelder.pipeline.poll import ready
from brandmelder.store import forgetting, mentions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.model import Mention
    from brandmelder.pipeline.parts import Parts


class Taken(Struct, frozen=True, kw_only=True):
    """What became of a batch."""

    new: int
    edited: int
    """Known, with another content: judged again."""
    repeated: int
    """Known and unchanged."""
    ignored: int
    """Without a visible text, or forgotten at a person's request."""


def take_in(connection: Connection, parts: Parts, found: Sequence[Mention]) -> Taken:
    """Keep a batch; of one id that stands twice in it, the later one holds. How far the source is read stays as it is.

    The caller has them judged.
    """
    latest = {(one.source, one.external_id): ready(one, parts.author_key) for one in found if one.text}
    kept = forgetting.wanted(connection, parts.author_key, list(latest.values()))
    prints = [fingerprint(one.text, one.author, one.parent_id or "") for one in kept]
    stored = mentions.insert_mentions(connection, kept, prints)
    return Taken(new=stored.new, edited=stored.edited, repeated=stored.repeated, ignored=len(found) - len(kept))
