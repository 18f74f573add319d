"""7. Who is on call, and when nobody is to be told."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from brandmelder.model.detect import SpikeKind
from brandmelder.model.names import ChannelId, MonitorId, PersonId, RotaId, SourceId


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who can be called."""

    id: PersonId
    name: str
    zone: str
    """Of the IANA list: whose night it is."""
    language: str = "de"
    slack: str = ""
    """The member id in Slack (U…), so that a message calls them there."""
    mail: str = ""
    channels: tuple[ChannelId, ...] = ()
    """Channels of their own, such as a phone: what calls them goes there as well."""


class Turn(Struct, frozen=True, kw_only=True):
    """A stretch of a rota: who is on call in [since, until). Nobody means a hole."""

    since: datetime
    until: datetime
    people: tuple[PersonId, ...]
    is_override: bool = False


class Override(Struct, frozen=True, kw_only=True):
    """Somebody else is on call in [since, until), whatever the rota says."""

    id: int
    """Numbers them in the order they were made: the later one holds."""
    rota: RotaId
    person: PersonId
    since: datetime
    until: datetime
    by: str
    reason: str
    made_at: datetime
    withdrawn_at: datetime | None = None


class Matcher(Struct, frozen=True, kw_only=True):
    """Which incidents are meant: every part that is given must fit, and an empty one fits all."""

    monitors: frozenset[MonitorId] = frozenset()
    kinds: frozenset[SpikeKind] = frozenset()
    sources: frozenset[SourceId] = frozenset()
    """All that an incident's mentions come from must be among these."""
    topic: str = ""
    """A word that one of its leading phrases holds; case makes no difference."""
    below: int | None = None
    """Only severities below this one."""

    @property
    def is_everything(self) -> bool:
        """Whether no incident can escape it."""
        return self == Matcher(below=self.below)


class Silence(Struct, frozen=True, kw_only=True):
    """For a while nobody is told of what matches; incidents go on, are counted and shown."""

    id: int
    matcher: Matcher
    since: datetime
    until: datetime
    by: str
    reason: str
    broken_at: int | None
    """The severity from which people are told all the same; None stands for never."""
    expired_at: datetime | None = None
    """When a person ended it early."""

    @property
    def ends(self) -> datetime:
        """When it ends, or ended."""
        return self.until if self.expired_at is None else min(self.until, self.expired_at)


class Page(Struct, frozen=True, kw_only=True):
    """A call that reached a person: looking at it is work."""

    person: PersonId
    at: datetime
    key: str
    """Of the incident or notice and the moment: the same however many channels carried the call."""
