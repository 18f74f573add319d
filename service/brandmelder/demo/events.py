"""What happens in the demo's story: comments, articles, edits and deletions, each with the truth about it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Literal

from msgspec import Struct

from brandmelder.model import Label


class Kind(enum.StrEnum):
    """What happens on a site."""

    COMMENT = "comment"
    ARTICLE = "article"
    EDIT = "edit"
    DELETE = "delete"


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happens on a site."""

    t: datetime
    """When it becomes visible; whole seconds, UTC."""
    source: Literal["blog", "press"]
    kind: Kind
    ref: str
    """Which comment or article: an edit and a deletion name the one they change."""
    author: str = ""
    title: str = ""
    text: str = ""
    parent: str | None = None
    """The comment this one answers."""
    truth: Label = Label.NEUTRAL
    own: bool = False
    """Written by the company itself."""
    written_at: datetime | None = None
    """When it was written, if moderation held it back until `t`."""

    @property
    def published_at(self) -> datetime:
        """Event time: what the site gives as its date."""
        return self.written_at or self.t

    @property
    def is_about_brand(self) -> bool:
        """Whether the demo's monitor is meant to count it."""
        words = f"{self.title} {self.text}".casefold()
        return ("nordfunk" in words or "nord funk" in words) and "stellenanzeige" not in words
