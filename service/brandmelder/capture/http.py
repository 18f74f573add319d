"""The one polite, safe client: every byte a source reads from the net, or a channel writes to it, goes through here.

It is httpcore with nothing switched on: no cookies, no proxies of the environment, no hidden retries, no connection
kept. What a request may do is decided in egress.py, what a status means in status.py.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import certifi
import httpcore
import httpx
from msgspec import Struct
from msgspec.structs import replace

from brandmelder import __version__, metrics
from brandmelder.capture.egress import Guard, Reach, Resolve, Resolver, host_of, port_of, reach_of
from brandmelder.capture.headers import clock_offset
from brandmelder.capture.inflate import Body
from brandmelder.capture.meter import Meter
from brandmelder.capture.source import Answer, Fetch
from brandmelder.capture.status import REDIRECTS, refusal
from brandmelder.capture.turns import Manners, Turns
from brandmelder.errors import AuthRefused, Blocked, SourceError, Transient, Unanswered, Unsent
from brandmelder.model import SourceId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

_ACROSS_ORIGINS: Final = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})
_CONDITIONS: Final = frozenset({"if-none-match", "if-modified-since"})
_OURS: Final = frozenset({"address", "port", "scheme"})
"""What our own rules say of a place: only another configuration changes it."""
_RECEIPT: Final = 1 << 20
"""How much of the answer to a message is read."""


class Limits(Struct, frozen=True, kw_only=True):
    """How long and how large an exchange may be; sizes in bytes."""

    deadline: timedelta = timedelta(seconds=20)
    """The whole exchange, redirects included; httpx's own time-outs count per read, so a drip would never end."""
    connect: timedelta = timedelta(seconds=5)
    read: timedelta = timedelta(seconds=10)
    wire: int = 10 << 20
    inflated: int = 15 << 20
    ratio: int = 100
    redirects: int = 5


class _Question(Struct, frozen=True, kw_only=True):
    """What is asked of a server, whichever hop answers it."""

    source: SourceId
    headers: dict[str, str]
    body: bytes | None
    takes: frozenset[int]
    now: datetime


class HttpClient:
    """Lends every source a `Fetch` of its own. Hosts are asked one request at a time, whoever asks.

    `resolve` and `trust` replace the machine's resolver and certificates; close the client when done.
    """

    def __init__(
        self,
        *,
        user_agent: str = f"Brandmelder/{__version__}",
        limits: Limits = Limits(),  # noqa: B008 - frozen
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
        manners: Manners = Manners(),  # noqa: B008 - frozen
    ) -> None:
        self.meter = Meter()
        self.user_agent, self.limits = user_agent, limits
        self._resolver = Resolver()
        self.resolve: Resolve = resolve or self._resolver
        self._given_trust = trust
        self._turns = Turns(manners)

    def bind(self, *, source: SourceId, allow_private: bool) -> Fetch:
        """Return the `Fetch` of one source; its errors name the source and say what to do."""

        async def fetch(
            url: str,
            *,
            now: datetime,
            headers: Mapping[str, str] | None = None,
            body: bytes | None = None,
            takes: frozenset[int] = frozenset(),
        ) -> Answer:
            began = asyncio.get_running_loop().time()
            try:
                target = parse_url(url)
                _check_headers(headers or {})
                reach = reach_of(target, allow_private=allow_private)
                question = _Question(source=source, headers=dict(headers or {}), body=body, takes=takes, now=now)
                turn = self._turns.at((host_of(target), port_of(target)), is_ours=allow_private)
                async with turn, asyncio.timeout(self.limits.deadline.total_seconds()):
                    answer = await self._exchange(target, question, reach)
            except TimeoutError:
                text = f"gave no whole answer within {self.limits.deadline.total_seconds():g} s; is the server slow?"
                metrics.EGRESS_BLOCKED.labels("deadline").inc()
                raise Blocked(text, "deadline").about(source) from None
            except SourceError as error:
                _count(error)
                error.about(source)
                raise
            waited = timedelta(seconds=asyncio.get_running_loop().time() - began)
            self._note_clock(source, clock_offset(answer.headers, now + waited))
            return answer

        return fetch

    def _note_clock(self, source: SourceId, offset: timedelta | None) -> None:
        if offset is not None:
            self.meter.note_clock(source, offset)

    def exchange(self, *, allow_private: bool) -> Callable[..., Awaitable[Answer]]:
        """Return what sends one message: any method, a body, no redirects, no turn to wait for; statuses are answers.

        It raises Unsent when certainly nothing arrived, Unanswered for everything else that goes wrong.
        """

        async def send(method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer:
            try:
                target = parse_url(url)
                reach = reach_of(target, allow_private=allow_private)
                reach.check(target)
                _check_headers(headers)
                async with asyncio.timeout(self.limits.deadline.total_seconds()):
                    return await self._send(method, target, headers, body, reach)
            except Exception as error:
                _count(error)
                raise unheard(error) from error

        return send

    async def _send(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, reach: Reach) -> Answer:
        connect, read = self.limits.connect.total_seconds(), self.limits.read.total_seconds()
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=self.trust, max_keepalive_connections=0, network_backend=Guard(reach, self.resolve)
            ) as pool,
            pool.stream(
                method.encode("ascii"),
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=[*self._asked({name.lower(): value for name, value in headers.items()})],
                content=body or None,
                extensions={"timeout": {"connect": connect, "read": read, "write": read, "pool": read}},
            ) as response,
        ):
            said = _headers(response)
            limits = self.limits
            whole = Body(said.get("content-encoding", ""), wire=_RECEIPT, inflated=_RECEIPT, ratio=limits.ratio)
            async for chunk in response.aiter_stream():
                whole.take(chunk)
            return Answer(url=str(url), status=response.status, headers=said, body=whole.whole())

    async def close(self) -> None:
        """Let go of the resolver's threads; connections are closed after every exchange anyway."""
        self._resolver.close()

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """The certificates that are believed."""
        trust = self._given_trust or ssl.create_default_context()  # the system's, where a house adds its own
        if self._given_trust is None:
            trust.load_verify_locations(certifi.where())  # and a container may have none
        return trust

    async def _exchange(self, url: httpx.URL, question: _Question, reach: Reach) -> Answer:
        """Follow redirects to the answer; each hop passes the same rules."""
        headers = {name.lower(): value for name, value in question.headers.items()}
        async with httpcore.AsyncConnectionPool(
            ssl_context=self.trust, max_keepalive_connections=0, network_backend=Guard(reach, self.resolve)
        ) as pool:
            for _ in range(self.limits.redirects + 1):
                reach.check(url)
                self.meter.count(question.source)
                answer = await self._ask(pool, url, replace(question, headers=headers))
                if isinstance(answer, Answer):
                    return answer
                if question.body is not None:
                    raise Blocked("redirects what is sent to it; mend its url", "redirects")
                if _origin(answer) != _origin(url):
                    headers = {name: value for name, value in headers.items() if name in _ACROSS_ORIGINS}
                url = answer
        raise Blocked(f"redirects more than {self.limits.redirects} times; mend its url", "redirects")

    async def _ask(self, pool: httpcore.AsyncConnectionPool, url: httpx.URL, question: _Question) -> Answer | httpx.URL:
        """Return the answer of one hop, or where it sends us."""
        limits, headers = self.limits, question.headers
        connect, read = limits.connect.total_seconds(), limits.read.total_seconds()
        try:
            async with pool.stream(
                b"GET" if question.body is None else b"POST",
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=self._asked(headers),
                content=question.body,
                extensions={"timeout": {"connect": connect, "read": read, "write": read, "pool": read}},
            ) as response:
                said = _headers(response)
                if response.status in REDIRECTS and (place := said.get("location")):
                    return parse_url(place, base=url)
                error = None if response.status in question.takes else refusal(response.status, said, question.now)
                if error is not None:
                    raise error
                if response.status == httpx.codes.NOT_MODIFIED and not _CONDITIONS & headers.keys():
                    raise Transient("answered 304 Not Modified to a question without conditions; is a cache broken?")
                body = await self._read(response, said)
                return Answer(url=str(url), status=response.status, headers=said, body=body)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise explain(error, host_of(url), limits) from error

    def _asked(self, headers: Mapping[str, str]) -> list[tuple[str, str]]:
        asked = {"user-agent": self.user_agent, "accept": "*/*", **headers, "accept-encoding": "gzip"}
        return list(asked.items())

    async def _read(self, response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
        limits = self.limits
        encoding = headers.get("content-encoding", "")
        body = Body(encoding, wire=limits.wire, inflated=limits.inflated, ratio=limits.ratio)
        async for chunk in response.aiter_stream():
            body.take(chunk)
        return body.whole()


def _count(error: Exception) -> None:
    if isinstance(error, Blocked):
        metrics.EGRESS_BLOCKED.labels(error.why).inc()


def unheard(error: Exception) -> Unsent | Unanswered:
    """Return what a failed exchange says about the message; anything unknown may have arrived.

    Before a connection stands no byte of the message has gone out; a reset after that looks the same whether the
    message was read or not.
    """
    match error:
        case Blocked() if error.why in _OURS:
            return Unsent(str(error), is_final=True)
        case AuthRefused():  # raised before anything is sent: our own token is none
            return Unsent(str(error), is_final=True)
        case httpcore.ConnectError() | httpcore.ConnectTimeout() | httpcore.PoolTimeout():
            return Unsent(f"no connection: {_cause_of(error)}")
        case Transient():  # raised by the guard alone: the name has no address
            return Unsent(str(error))
        case _:
            return Unanswered(f"no usable answer: {_cause_of(error)}")


def _cause_of(error: Exception) -> str:
    said = _reason(error)
    return type(error).__name__ if said == "no reason given" else f"{type(error).__name__}, {said}"


def user_agent(*about: str) -> str:
    """Return `Brandmelder/<version> (+project url; contact)`; empty parts are left out."""
    said = "; ".join(part for part in about if part)
    return f"Brandmelder/{__version__}" + (f" ({said})" if said else "")


def parse_url(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """Read an address, relative to `base`, without fragment and credentials. Raises Blocked."""
    try:
        url = httpx.URL(text) if base is None else base.join(text)
        return url.copy_with(fragment=None, userinfo=b"")
    except (httpx.InvalidURL, ValueError) as error:
        raise Blocked("its address cannot be read; mend its url", "address") from error


def _check_headers(headers: Mapping[str, str]) -> None:
    """Raise AuthRefused for a header that cannot be sent: a token copied with a sign too many."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise AuthRefused(
                f"its {name.lower()} holds a sign that no header takes (an umlaut, a line break); write it anew"
            )


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, host_of(url), port_of(url)


def _headers(response: httpcore.Response) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined, cookies are not kept."""
    said: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name != "set-cookie":
            said[name] = f"{said[name]}, {value}" if name in said else value
    return said


def explain(error: Exception, host: str, limits: Limits) -> SourceError:
    """Return a failed exchange as a sentence: what happened on the way, and what to do."""
    match error:
        case httpcore.ConnectTimeout():
            return Transient(f"{host} did not take a connection within {limits.connect.total_seconds():g} s; is it up?")
        case httpcore.TimeoutException():
            return Transient(f"{host} was silent for {limits.read.total_seconds():g} s; is it overloaded?")
        case httpcore.ConnectError():
            return _explain_connect(error, host)
        case httpcore.RemoteProtocolError():
            return Transient(f"{host} broke off or does not speak HTTP ({error}); it is asked again at the next poll")
        case _:
            return Transient(f"the connection to {host} broke ({_reason(error)}); it is asked again at the next poll")


def _explain_connect(error: Exception, host: str) -> SourceError:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message.rstrip(".")
            return Blocked(f"the certificate of {host} is refused ({reason}); it must be renewed there", "tls")
        if isinstance(cause, ssl.SSLError):
            return Blocked(f"{host} does not speak TLS as it should ({cause.reason}); is its url right?", "tls")
    return Transient(f"{host} cannot be reached ({_reason(error)}); is it up, and is its url right?")


def _reason(error: BaseException) -> str:
    # Of a refused connection asyncio says "Connect call failed" and its own notation of the address.
    said = (
        os.strerror(cause.errno) if cause.errno is not None and cause.errno > 0 else cause.strerror
        for cause in _causes(error)
        if isinstance(cause, OSError)
    )
    return next(filter(None, said), "no reason given")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
