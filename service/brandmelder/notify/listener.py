"""What a channel hears: people press buttons, fill forms and write words; each is a Click, and each gets an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from brandmelder.notify.message import Message

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from brandmelder.model import Click
    from brandmelder.options import Role


class Choice(Struct, frozen=True, kw_only=True):
    """One answer that a form offers."""

    value: str
    label: str


class Question(Struct, frozen=True, kw_only=True):
    """A form: why is it no crisis, who takes over. All of it our own words."""

    act: str
    incident: str
    revision: int
    title: str
    label: str
    submit: str
    cancel: str
    choices: tuple[Choice, ...] = ()
    """Empty where a person is chosen."""
    words: str = ""
    """Label of a field for words of one's own; empty for none."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person is told, and nobody else."""

    text: str = ""
    """Our own words; names of people made inert."""
    message: Message | None = None
    undo: str = ""
    """Label of a button that takes the act back."""
    incident: str = ""
    revision: int = 0
    question: Question | None = None
    """A form instead of words; `text` is for when it cannot be opened any more."""


class Inbox(Protocol):
    """Where a channel hands over what it hears."""

    async def take(self, click: Click) -> bool:
        """Write a click down; says whether it is new. Only then may the channel be told that it arrived."""
        ...

    def notice(self, text: str) -> None:
        """Tell an operator what keeps the channel from hearing."""
        ...


class Listener(Protocol):
    """How a channel hears and answers. No method but `listen` raises on what a server answers."""

    line: str
    """What it listens on; of several channels on one line only one listens, for all of them."""

    async def listen(self, inbox: Inbox) -> None:
        """Hear until cancelled."""
        ...

    def covers(self, place: str) -> bool:
        """Whether a click at this place is one of this channel's."""
        ...

    def role_of(self, person: str) -> Role | None:
        """Return what a person may do here; None for nothing at all."""
        ...

    async def name_of(self, person: str, otherwise: str) -> str:
        """Return the name by which people know a person, within 2 s; `otherwise` if nobody can say."""
        ...

    async def answer(self, click: Click, answer: Answer) -> bool:
        """Tell one person something; says whether they got it."""
        ...

    async def ask(self, click: Click, question: Question) -> bool:
        """Open a form for one person; says whether it stands before them."""
        ...


@runtime_checkable
class Breathes(Protocol):
    """A listener that can tell whether its line is alive."""

    def silence(self, now: datetime) -> timedelta | None:
        """Return how long ago the line gave its last sign of life; None while it does not listen, or cannot know."""
        ...


@runtime_checkable
class Hears(Protocol):
    """A notifier that also hears, if it is configured to."""

    listener: Listener | None
