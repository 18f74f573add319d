"""What others send us: mentions in JSON over HTTP, each message signed, taken once and kept before it is answered.

By default a message is one of our own: `{"type": "mention.created", "data": {…}}`, with `external_id`, `text`,
`published_at`, `url`, `author`; `data` may be a list. `mention.updated` brings a new text, `mention.deleted` takes it
away. With `items` and `fields` a service's own JSON is mapped. Silence cannot be told from a sender that is broken,
unless `expect` says how often something comes.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

import msgspec
from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, model_validator

from brandmelder.capture.fields import Expression, Fields, mention_of_row
from brandmelder.capture.json_api import decoded
from brandmelder.capture.mapping import read_rows
from brandmelder.capture.signatures import bears, signed_by, signing_keys
from brandmelder.capture.source import Arrival, Poll, Sent, Tools
from brandmelder.errors import AuthRefused, ShapeChanged, Transient
from brandmelder.model import Cursor, Extent, Removal, SourceId
from brandmelder.options import Duration, Secret, SecretText, SourceOptions, check_place

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 100
"""So many mentions one message may hold."""
_ITEMS: Final = "[data][]"
_FIELDS: Final = {
    name: name
    for name in (
        "external_id", "text", "published_at", "url", "author", "context", "language", "parent_id", "reach",
    )
}  # fmt: skip
_DELETED: Final = "mention.deleted"
_TYPES: Final = frozenset({"mention.created", "mention.updated", _DELETED})


def _is_key(value: Secret) -> Secret:
    signing_keys(value.reveal())
    return value


SigningSecret = Annotated[SecretText, AfterValidator(_is_key)]


class WebhookOptions(SourceOptions):
    """What others send us over HTTP: Standard Webhooks, or any JSON by a mapping."""

    secret: SigningSecret | None = None
    """The signing secret, `whsec_…`, that sender and receiver share; several, apart by blanks or lines, all hold."""
    old_secret: SigningSecret | None = None
    """The one before, while the sender still signs with it."""
    token: SecretText | None = None
    """Instead of `secret`, for senders that cannot sign: what they send as `Authorization: Bearer …`."""
    listen: Annotated[str, BeforeValidator(check_place)] = "127.0.0.1:8072"
    """Where messages arrive, at the path /in/NAME; put a web server with TLS before it. Sources may share a place."""
    expect: Duration | None = None
    """How often something comes at the least; longer silence is told as blindness. `heartbeat` messages count."""
    items: Expression | None = None
    """Where the rows stand in a service's own JSON; with `fields`."""
    fields: Fields | None = None
    """Where a mention's parts stand in a row; without it, they have Brandmelder's own names."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.secret is None) == (self.token is None):
            raise ValueError("needs exactly one of secret (whsec_…) and token")
        if self.old_secret is not None and self.secret is None:
            raise ValueError("old_secret needs secret")
        if self.items is not None and self.fields is None:
            raise ValueError("items needs fields")
        return self


class Memory(Struct, frozen=True, kw_only=True):
    """What the cursor holds."""

    v: int = 1
    last: datetime
    """When something last came; at first, when the source was first asked."""


class WebhookSource:
    """Takes what it is sent; a poll only says how things stand."""

    Options: ClassVar[type[SourceOptions]] = WebhookOptions

    def __init__(self, source_id: SourceId, options: WebhookOptions, tools: Tools) -> None:
        del tools  # nobody is asked
        self.id, self.place = source_id, options.listen
        self._options = options
        secrets = [one.reveal() for one in (options.secret, options.old_secret) if one is not None]
        self._keys = [key for several in secrets for key in signing_keys(several)]
        self._last: datetime | None = None

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Say until when nothing was missed. Raises Transient if nothing came for longer than `expect`."""
        last = max(self._recall(cursor) or now, self._last or now.min.replace(tzinfo=now.tzinfo))
        expect = self._options.expect
        if expect is not None and now - last > expect:
            text = f"nothing has come since {last:%Y-%m-%d %H:%M} UTC, and something should every {expect}"
            raise Transient(f"{text}; does the sender still send?").about(self.id)
        return Poll(cursor=self._cursor(last), read_until=now)

    def receive(self, sent: Sent, now: datetime) -> Arrival:
        """Read a message; one that cannot be read whole is refused whole, so that its sender can mend it."""
        ident = self._sender(sent, now)
        body = self._parsed(sent.body)
        self._last = now.replace(microsecond=0)
        if self._options.fields is None and isinstance(body, dict) and body.get("type") == "heartbeat":
            if "webhook-id" not in sent.headers:
                ident = f"{ident}@{self._last:%Y%m%dT%H%M%S}"  # the same bytes each time, and each of them counts
            return Arrival(ident=ident, poll=Poll(cursor=self._cursor(now), read_until=now))
        poll = self._read(body, now)
        return Arrival(ident=ident, poll=poll)

    def _sender(self, sent: Sent, now: datetime) -> str:
        """Return the message's id. Raises AuthRefused if a stranger sent it."""
        if self._options.token is None:
            ident = signed_by(sent.headers, sent.body, self._keys, now)
        elif bears(sent.headers, self._options.token.reveal()):
            # Who cannot sign often numbers nothing either: then the same bytes are the same message.
            told = sent.headers.get("webhook-id", "")[:256]
            ident = told or hashlib.blake2b(sent.body, digest_size=16).hexdigest()
        else:
            ident = None
        if ident is None:
            raise AuthRefused("a message was not signed as it should be").about(self.id)
        return ident

    def _parsed(self, body: bytes) -> Any:
        try:
            return decoded(body, Any)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ShapeChanged(f"a message is no JSON ({error})").about(self.id) from error

    def _read(self, body: Any, now: datetime) -> Poll:
        fields, items, is_deletion = self._mapping(body)
        rows, bad = read_rows(body, items, fields, source=self.id)
        if bad.count:
            raise ShapeChanged(f"{bad.count} of {bad.count + len(rows)} rows cannot be read: {bad.first}").about(
                self.id
            )
        if len(rows) > MOST:
            raise ShapeChanged(f"{len(rows)} rows in one message; send at most {MOST}").about(self.id)
        gone = [row for row in rows if row.is_deleted or is_deletion]
        there = {row.external_id: row for row in rows if not (row.is_deleted or is_deletion)}
        return Poll(
            mentions=tuple(
                mention_of_row(row, source=self.id, options=self._options, now=now) for row in there.values()
            ),
            removals=tuple(
                Removal(source=self.id, external_id=row.external_id, reason="deleted") for row in gone
            ),
            cursor=self._cursor(now),
            read_until=now,
            extent=Extent(read=len(there)),
        )  # fmt: skip

    def _mapping(self, body: Any) -> tuple[Mapping[str, str], str, bool]:
        """Return the fields, where the rows stand, and whether they are taken away."""
        if self._options.fields is not None:
            return self._options.fields.model_dump(exclude_none=True), self._options.items or "@", False
        kind = body.get("type") if isinstance(body, dict) else None
        if not isinstance(kind, str) or kind not in _TYPES:
            raise ShapeChanged(f"type is none of {', '.join(sorted(_TYPES))} and heartbeat").about(self.id)
        is_deletion = kind == _DELETED
        return _FIELDS | ({"deleted": "`true`"} if is_deletion else {}), _ITEMS, is_deletion

    def _recall(self, cursor: Cursor | None) -> datetime | None:
        try:
            return msgspec.json.decode(cursor, type=Memory).last if cursor else None
        except msgspec.MsgspecError:
            return None

    def _cursor(self, last: datetime) -> Cursor:
        return Cursor(msgspec.json.encode(Memory(last=last.replace(microsecond=0))).decode())
