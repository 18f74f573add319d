"""Any service that answers in JSON, by a mapping in the configuration: JMESPath says where what stands.

Newest first, it is read to what is known; with `{since_iso}` or `{since_unix}` in its address, from there to the end. A
row that cannot be mapped is counted and said; if more than a fifth cannot, the answer has changed its shape.
JMESPath: https://jmespath.org/specification.html
"""

from __future__ import annotations

import base64
import re
import string
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import quote, unquote_plus, urlencode, urljoin, urlsplit, urlunsplit

from msgspec.structs import replace
from pydantic import Field, model_validator

from brandmelder.capture.backward import Bounds, Page, Trail, anew, counted, is_lost, recall, turn_page
from brandmelder.capture.credentials import Grant, Token
from brandmelder.capture.fields import Expression, Fields, mention_of_row
from brandmelder.capture.json_api import read_json
from brandmelder.capture.mapping import found_by, read_rows
from brandmelder.errors import AuthRefused, Blocked, ShapeChanged, SourceError
from brandmelder.model import Cursor, Removal, SourceId
from brandmelder.options import Duration, Options, SecretText, SourceOptions, WebAddress

if TYPE_CHECKING:
    from brandmelder.capture.source import Answer, Poll, Tools

HOLES: Final = frozenset({"since_iso", "since_unix", "page", "offset", "cursor", "size"})
_BAD_SHARE: Final = 0.2
_LONGEST: Final = 2_000
_LONGEST_HEADER: Final = 16_000
_LINK: Final = re.compile(r'<(?P<address>[^<>]*)>(?P<rest>(?:"[^"]*"|[^<"])*)')
_RELATION: Final = re.compile(r';\s*rel\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s;,"]+))', re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
_SERVICE: Final = "the service that the mapping was written for"


class Paging(Options):
    """How a long answer goes on."""

    style: Literal["none", "page", "offset", "cursor", "link", "next_url"] = "none"
    """`page` and `offset` count, `cursor` and `next_url` stand in the answer, `link` in its `Link` header."""
    size: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many rows a page has: a shorter one is the last."""
    next: Expression | None = None
    """Where the cursor or the address of the next page stands."""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.style in {"cursor", "next_url"}) != (self.next is not None):
            raise ValueError(f"style {self.style} " + ("needs next" if self.next is None else "has no next"))
        return self


class JsonOptions(SourceOptions):
    """Any service that answers in JSON, mapped by JMESPath."""

    url: WebAddress
    """Its address; `{since_iso}`, `{since_unix}`, `{page}`, `{offset}`, `{cursor}` and `{size}` are filled in."""
    items: Expression = "@"
    """Where the rows stand."""
    fields: Fields
    """Where a mention's parts stand in a row."""
    paging: Paging = Paging()
    """How a long answer goes on; by default it does not."""
    overlap: Duration = timedelta(minutes=10)
    """How much is read again, for what the service shows late; with `{since_iso}` or `{since_unix}`."""
    token: SecretText | None = None
    """Sent as `Authorization: Bearer …`, or under `token_header`, or as the parameter `token_query`."""
    token_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")] | None = None
    """The header that takes the token as it is."""
    token_query: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,60}$")] | None = None
    """The parameter that takes the token."""
    user: str = ""
    """Who logs in, with `password` (HTTP Basic) or `client_secret` (OAuth 2 client credentials, with `token_url`)."""
    password: SecretText | None = None
    """That user's password."""
    client_secret: SecretText | None = None
    """The secret of the client named in `user`."""
    token_url: WebAddress | None = None
    """Where tokens are given for client credentials."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        holes = {name for _, name, _, _ in string.Formatter().parse(self.url) if name is not None}
        if wrong := sorted(holes - HOLES):
            raise ValueError(f"url: {{{wrong[0]}}} is not filled in; there are {', '.join(sorted(HOLES))}")
        needed = {"page": "page", "offset": "offset", "cursor": "cursor"}.get(self.paging.style)
        if needed and needed not in holes:
            raise ValueError(f"paging by {needed} needs {{{needed}}} in url")
        if bool(self.client_secret) != bool(self.token_url):
            raise ValueError("client_secret and token_url belong together; write both or none")
        if (self.password or self.client_secret) and not self.user:
            raise ValueError("password and client_secret need user")
        if sum(map(bool, (self.token, self.password, self.client_secret))) > 1:
            raise ValueError("one way of logging in is enough: token, password or client_secret")
        return self


class JsonSource:
    """Reads what its mapping says."""

    Options: ClassVar[type[SourceOptions]] = JsonOptions

    def __init__(self, source_id: SourceId, options: JsonOptions, tools: Tools) -> None:
        self.id = source_id
        self._options, self._tools = options, tools
        self._is_forward = "{since_" in options.url
        self._token = Token(source_id, tools, _SERVICE)

    async def poll(self, cursor: Cursor | None, now: datetime) -> Poll:
        """Read a page; where the walk stood and is refused, its head."""
        trail = recall(cursor, self._options.url, now)
        try:
            return await self._read(trail, now)
        except SourceError as error:
            if not is_lost(error, trail):
                raise
            lost = error
        # Once a poll, so that nobody is asked in circles.
        return replace(await self._read(anew(trail), now), more=False, degraded=str(lost))

    async def _read(self, trail: Trail, now: datetime) -> Poll:
        options = self._options
        since = trail.walked - options.overlap if trail.walked else trail.first - options.history
        answer = await self._ask(trail.page, since, now)
        body = read_json(answer, Any, source=self.id, service=_SERVICE)
        rows, bad = read_rows(body, options.items, options.fields.model_dump(exclude_none=True), source=self.id)
        total = len(rows) + bad.count
        if total and bad.count > total * _BAD_SHARE:
            raise ShapeChanged(f"{bad.count} of {total} rows cannot be mapped ({bad.first}); mend fields").about(
                self.id
            )
        page = Page(
            mentions=[
                mention_of_row(row, source=self.id, options=options, now=now) for row in rows if not row.is_deleted
            ],
            ids=() if self._is_forward else [row.external_id for row in rows],
            following=self._following(answer, body, trail.page, total),
            removals=[
                Removal(source=self.id, external_id=row.external_id, reason="deleted") for row in rows if row.is_deleted
            ],
        )
        bounds = Bounds(history=options.history, is_forward=self._is_forward)
        poll = turn_page(trail, page, source=self.id, now=now, bounds=bounds)
        note = f"{bad.count} of {total} rows cannot be mapped: {bad.first}" if bad.count else poll.degraded
        return replace(poll, degraded=note)

    async def _ask(self, page: str, since: datetime, now: datetime) -> Answer:
        options = self._options
        url = self._url(page, since)
        self._check_place(url)  # before anything is asked for: a cursor may be of another configuration
        headers = await self._credentials(now)
        if options.token is not None and options.token_query is not None:
            pair = urlencode({options.token_query: options.token.reveal()})
            url += f"{'&' if '?' in url else '?'}{pair}"
        try:
            return await self._tools.fetch(url, now=now, headers={"accept": "application/json"} | headers)
        except AuthRefused:
            self._token.forget()
            raise

    def _url(self, page: str, since: datetime) -> str:
        style = self._options.paging.style
        if page and style in {"link", "next_url"}:
            return page
        stamp = since.astimezone(UTC)
        return self._options.url.format(
            since_iso=quote(f"{stamp:%Y-%m-%dT%H:%M:%SZ}", safe=":"),
            since_unix=int(stamp.timestamp()),
            page=page or "1",
            offset=page or "0",
            cursor=quote(page, safe=""),
            size=self._options.paging.size,
        )

    async def _credentials(self, now: datetime) -> dict[str, str]:
        options = self._options
        if options.token is not None and options.token_query is None:
            value, header = options.token.reveal(), options.token_header
            return {header.lower(): value} if header else {"authorization": f"Bearer {value}"}
        if options.password is not None:
            pair = f"{options.user}:{options.password.reveal()}".encode()
            return {"authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
        if options.client_secret is not None and options.token_url is not None:
            form = {
                "grant_type": "client_credentials",
                "client_id": options.user,
                "client_secret": options.client_secret.reveal(),
            }
            token = await self._token.get(Grant(url=options.token_url, form=urlencode(form)), now)
            return {"authorization": f"Bearer {token}"}
        return {}

    def _following(self, answer: Answer, body: Any, page: str, rows: int) -> str:
        paging = self._options.paging
        match paging.style:
            case "page":
                return str(counted(page, 1) + 1) if rows >= paging.size else ""
            case "offset":
                return str(counted(page, 0) + rows) if rows >= paging.size else ""
            case "cursor":
                found = found_by(paging.next or "", body)
                return str(found)[:_LONGEST] if found and rows else ""
            case "link":
                return self._same_place(answer, _next_link(answer.headers.get("link", "")))
            case "next_url":
                found = found_by(paging.next or "", body)
                return self._same_place(answer, found if isinstance(found, str) else "")
            case _:
                return ""

    def _same_place(self, answer: Answer, address: str) -> str:
        """Return the next page's address, unless it leads elsewhere: an answer must not choose whom we ask."""
        if not address:
            return ""
        try:
            found = urljoin(answer.url, address[:_LONGEST])
        except ValueError:
            found = ""
        if _origin(answer.url) != _origin(self._options.url):
            host = urlsplit(answer.url).hostname
            text = f"is redirected to {host} and goes on there; write that address as its url, if it is right"
            raise Blocked(text, "address").about(self.id)
        self._check_place(found)
        return self._without_token(found)

    def _without_token(self, address: str) -> str:
        """Return an address without our token, which many services repeat in it: cursors lie in the database."""
        name = self._options.token_query
        if name is None:
            return address
        parts = urlsplit(address)
        kept = [pair for pair in parts.query.split("&") if unquote_plus(pair.partition("=")[0]) != name]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def _check_place(self, address: str) -> None:
        """Raise Blocked for a page elsewhere: whoever was redirected to must not be sent our credentials."""
        if _origin(address) != _origin(self._options.url):
            raise Blocked("names a next page on another host; mend paging", "address").about(self.id)


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port of an address; None for one that cannot be read."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower(), parts.hostname, parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:
        return None


def _next_link(header: str) -> str:
    """Return the address of `rel=next` in a Link header (RFC 8288); empty if there is none.

    Addresses may hold commas, and a link several relations.
    """
    for found in _LINK.finditer(header[:_LONGEST_HEADER]):
        relations = (name["quoted"] or name["bare"] or "" for name in _RELATION.finditer(found["rest"]))
        if any("next" in words.lower().split() for words in relations):
            return found["address"].strip()
    return ""
