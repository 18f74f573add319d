"""How the configuration says where a mention's parts stand in a foreign row, and the mention that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from brandmelder.capture.mapping import Mapped, check_expression
from brandmelder.capture.mentions import Told, mention_of
from brandmelder.options import Options

if TYPE_CHECKING:
    from datetime import datetime

    from brandmelder.model import Mention, SourceId
    from brandmelder.options import SourceOptions

Expression = Annotated[str, AfterValidator(check_expression)]
"""A JMESPath expression."""


class Fields(Options):
    """Where a mention's parts stand in a row, as JMESPath."""

    external_id: Expression
    """What tells it from all others."""
    text: Expression
    """What it says; a list is joined with blanks."""
    published_at: Expression | None = None
    """When: ISO 8601, or seconds or milliseconds since 1970."""
    url: Expression | None = None
    """Where a person can read it."""
    author: Expression | None = None
    """Who wrote it."""
    context: Expression | None = None
    """The title it stands under: matched, not judged."""
    language: Expression | None = None
    """Its language, in two letters."""
    parent_id: Expression | None = None
    """The id of what it answers."""
    reach: Expression | None = None
    """How many followers or readers."""
    deleted: Expression | None = None
    """True where the row only says that it was taken away."""


def mention_of_row(row: Mapped, *, source: SourceId, options: SourceOptions, now: datetime) -> Mention:
    """Return the mention of a row that was mapped."""
    told = Told(
        ident=row.external_id,
        text=row.text,
        published=row.published_at,
        url=row.url,
        author=row.author,
        context=row.context,
        language=row.language,
        parent=row.parent_id,
        reach=row.reach,
    )
    return mention_of(told, source=source, options=options, now=now)
