"""From Settings to a Pipeline: the only place that builds things."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from brandmelder import __version__, plugins
from brandmelder.capture.match import Matcher
from brandmelder.capture.names import widened
from brandmelder.capture.normalise import pseudonym
from brandmelder.capture.source import Tools
from brandmelder.classify.topics import Topics
from brandmelder.detect.kinds.backlog import BacklogRules
from brandmelder.detect.kinds.watching import KindRules
from brandmelder.detect.scan import DetectorRules
from brandmelder.errors import StoreError
from brandmelder.incident.lifecycle import LifecycleRules
from brandmelder.model import ChannelId, MonitorId, SourceClass, SourceId
from brandmelder.notify.ical import CalendarUnreadable
from brandmelder.notify.notifier import Tools as Lent
from brandmelder.notify.routing import Route
from brandmelder.notify.stand_in import Fallbacks
from brandmelder.options import WebChannelOptions
from brandmelder.pipeline import Pipeline
from brandmelder.pipeline.calendars import Edition
from brandmelder.pipeline.duty import Duty
from brandmelder.pipeline.parts import DigestPlan, KeyWatch, Parts, Place, Watch
from brandmelder.pipeline.weigh import Scales
from brandmelder.store.spending import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from brandmelder.capture.child import ParserChild
    from brandmelder.capture.http import HttpClient
    from brandmelder.capture.imap import Mailboxes
    from brandmelder.capture.source import Source
    from brandmelder.classify.classifier import Classifier
    from brandmelder.model import RotaId
    from brandmelder.notify.notifier import Notifier
    from brandmelder.options import ChannelOptions
    from brandmelder.pipeline.calendars import ReadCalendar
    from brandmelder.pipeline.heartbeat import Heartbeat
    from brandmelder.pipeline.second import SecondOpinion
    from brandmelder.settings import MonitorSettings, Settings
    from brandmelder.settings.duty import CalendarSettings
    from brandmelder.settings.shape import KeyMentionsBlock
    from brandmelder.store.database import Database
    from brandmelder.store.rotas import Copy

KEY_VARIABLE = "BRANDMELDER_AUTHOR_KEY"
NOT_MODIFIED = 304
REPLAY_KEY = b"a replay stores nothing"


@dataclass(kw_only=True)
class Outside:
    """What reaches out of the process: opened lazily, closed once."""

    http: HttpClient
    child: ParserChild
    mailboxes: Mailboxes

    def tools(self, source: SourceId, *, allow_private: bool) -> Tools:
        """Return what the house lends one source."""
        return Tools(
            fetch=self.http.bind(source=source, allow_private=allow_private),
            parse_feed=self.child.parse_feed,
            mailboxes=self.mailboxes,
        )

    def lent(self, options: ChannelOptions) -> Lent:
        """Return what the house lends one channel."""
        from brandmelder.clock import SystemClock

        allow_private = isinstance(options, WebChannelOptions) and options.allow_private
        return Lent(exchange=self.http.exchange(allow_private=allow_private), now=SystemClock().now)

    async def close(self) -> None:
        """Close connections and the parser's process."""
        await self.http.close()
        await self.child.close()
        self.mailboxes.close()


def outside() -> Outside:
    """Build the egress client and the parser child."""
    from brandmelder.capture.child import ParserChild
    from brandmelder.capture.http import HttpClient
    from brandmelder.capture.imap import Mailboxes

    agent = f"Brandmelder/{__version__} (+https://github.com/brandmelder/brandmelder)"
    return Outside(http=HttpClient(user_agent=agent), child=ParserChild(), mailboxes=Mailboxes())


def build_sources(settings: Settings, reach: Outside) -> dict[SourceId, Source]:
    """Build every source of the configuration."""
    return {
        ident: plugins.load("sources", options.type)(
            ident, options, reach.tools(ident, allow_private=options.allow_private)
        )
        for ident, options in settings.sources.items()
    }


def build_notifiers(settings: Settings, reach: Outside) -> dict[ChannelId, Notifier]:
    """Build every channel of the configuration."""
    return {
        ident: plugins.load("notifiers", options.type)(ident, options, reach.lent(options))
        for ident, options in settings.channels.items()
    }


def build_classifier(settings: Settings, brand: str) -> Classifier:
    """Build what judges; only the transformer has a block of its own."""
    kind, block = plugins.load("classifiers", settings.classifier), settings.transformer
    more = {} if block is None else {name: getattr(block, name) for name in type(block).model_fields}
    judge: Classifier = kind(brand, **more)
    return judge


def build_heartbeat(settings: Settings, parts: Parts, reach: Outside) -> Heartbeat | None:
    """Build the sign of life, if the configuration asks for one."""
    block = settings.heartbeat
    if block is None:
        return None
    from brandmelder.pipeline.heartbeat import Heartbeat

    exchange = reach.http.exchange(allow_private=block.allow_private)
    return Heartbeat(parts, exchange, url=block.url.reveal(), every=block.every)


def build(
    settings: Settings,
    *,
    database: Database,
    sources: Mapping[SourceId, Source],
    notifiers: Mapping[ChannelId, Notifier],
    on_failure: Callable[[str], None] = lambda _text: None,
) -> Pipeline:
    """Put a pipeline together. Live, demo and backtest differ in these arguments and in their clock."""
    places, key = _places(settings), author_key(database.path)
    parts = Parts(
        database=database,
        sources=sources,
        places=places,
        watches=_watches(settings, key),
        matcher=_matcher(settings, key),
        classifier=build_classifier(settings, settings.brand),
        topics=topics_of(settings),
        scales=Scales(database, places),
        notifiers=notifiers,
        routes=tuple(
            Route(
                monitors=None if alert.monitors is None else frozenset(alert.monitors),
                channels=tuple(ident for ident in alert.to if ident in notifiers),
                escalation=alert.escalation,
                fallback=alert.fallback,
            )
            for alert in settings.alerts
        ),
        digests=tuple(
            DigestPlan(cron=one.cron, covers=one.covers, channels=tuple(to for to in one.to if to in notifiers))
            for one in settings.digests
        ),
        fallbacks=_fallbacks(settings),
        brand=settings.brand,
        short=settings.short,
        language=settings.language,
        zone=settings.zone,
        on_call=settings.on_call,
        author_key=key,
        duty=duty(settings),
        on_failure=on_failure,
    )
    return Pipeline(parts)


def second_opinion(settings: Settings, reach: Outside) -> SecondOpinion | None:
    """Return whom to ask about unsure mentions inside a spike, if the configuration names somebody."""
    from brandmelder.clock import SystemClock
    from brandmelder.pipeline.second import Endpoint, SecondOpinion

    block = settings.second_opinion
    if block is None:
        return None
    allowance = Allowance(
        requests=block.requests_per_day,
        tokens=block.tokens_per_day,
        micros=int(block.money_per_day * 1_000_000),
        price=int(block.price_per_million_tokens * 1_000_000),
    )
    endpoint = Endpoint(
        url=block.url,
        model=block.model,
        token=block.token.reveal() if block.token is not None else "",
        allowance=allowance,
        patience=block.timeout,
    )
    leaving = [ident for ident, options in settings.sources.items() if options.may_leave_host]
    exchange = reach.http.exchange(allow_private=block.allow_private)
    return SecondOpinion(endpoint, exchange, now=SystemClock().now, leaving=leaving)


def duty(settings: Settings) -> Duty:
    """Return what the configuration says about who is told, when."""
    return Duty(
        people=settings.duty.people,
        rotas=settings.duty.rotas,
        places={ident: calendar.place for ident, calendar in settings.duty.calendars.items()},
        quiet=settings.duty.quiet,
        people_in_figures=settings.duty.people_in_figures,
    )


def build_calendars(settings: Settings, reach: Outside) -> dict[RotaId, ReadCalendar]:
    """Build what reads the calendars of the rotas: by the house's client, or from a file."""
    return {
        ident: _fetched(ident, calendar, reach) if calendar.is_address else _from_file(calendar)
        for ident, calendar in settings.duty.calendars.items()
    }


def _fetched(rota: RotaId, calendar: CalendarSettings, reach: Outside) -> ReadCalendar:
    fetch = reach.http.bind(source=SourceId(f"rota {rota}"), allow_private=calendar.allow_private)

    async def read(kept: Copy | None, now: datetime) -> Edition:
        headers = {"accept": "text/calendar"}
        if kept is not None:
            validators = {"if-none-match": kept.etag, "if-modified-since": kept.modified}
            headers |= {name: value for name, value in validators.items() if value}
        answer = await fetch(calendar.place, now=now, headers=headers)
        content = None if answer.status == NOT_MODIFIED else answer.body
        said = answer.headers
        return Edition(content=content, etag=said.get("etag", ""), modified=said.get("last-modified", ""))

    return read


def _from_file(calendar: CalendarSettings) -> ReadCalendar:
    async def read(_kept: Copy | None, _now: datetime) -> Edition:
        try:
            return Edition(content=await asyncio.to_thread(Path(calendar.place).read_bytes))
        except OSError as error:
            raise CalendarUnreadable(f"{calendar.place} cannot be read: {error.strerror}") from error

    return read


def topics_of(settings: Settings) -> Topics:
    """Return what names the topics of mentions, as the configuration wants it."""
    return Topics(
        settings.topics,
        {ident: monitor.topics for ident, monitor in settings.monitors.items() if monitor.topics},
        incidents_are_negative=settings.incidents_are_negative,
    )


def _matcher(settings: Settings, key: bytes) -> Matcher:
    asked = {
        ident: widened(monitor.query, aliases=monitor.aliases, exclusions=monitor.exclusions)
        for ident, monitor in settings.monitors.items()
    }
    return Matcher(asked, named=partial(pseudonym, key=key))


def _places(settings: Settings) -> dict[SourceId, Place]:
    return {
        ident: Place(
            source_class=SourceClass(options.class_),
            every=options.every,
            where=settings.where("sources", ident),
            title=ident.replace("_", " ").replace("-", " ").title(),
        )
        for ident, options in settings.sources.items()
    }


def _fallbacks(settings: Settings) -> Fallbacks:
    return Fallbacks(
        channels={
            ident: tuple(ChannelId(name) for name in options.fallback) for ident, options in settings.channels.items()
        },
        names={ident: f"{options.type.title()} ({ident})" for ident, options in settings.channels.items()},
    )


def _watches(settings: Settings, key: bytes) -> dict[MonitorId, Watch]:
    return {
        ident: Watch(
            id=ident,
            title=monitor.title,
            sources=monitor.sources,
            rules=DetectorRules(budget=monitor.budget, zone=settings.zone.key, region=settings.region),
            lifecycle=LifecycleRules(monitor=ident),
            fingerprint=_fingerprint(monitor),
            query=monitor.query,
            false_alarms=monitor.false_alarms,
            runbook=monitor.runbook or "",
            holding_statement=monitor.holding_statement or "",
            kinds=KindRules(
                volume=DetectorRules(budget=monitor.budget, zone=settings.zone.key, region=settings.region),
                kinds=monitor.kinds,
            ),
            keys=None if monitor.key_mentions is None else _keys(monitor.key_mentions, key),
            planned=tuple(one.planned for one in settings.calendar if ident in one.monitors),
            marked=tuple(
                (one.start.replace(tzinfo=settings.zone), one.end.replace(tzinfo=settings.zone))
                for one in settings.marked
                if ident in one.monitors
            ),
            backlog=None
            if monitor.unanswered is None
            else BacklogRules(after=monitor.unanswered.after, least=monitor.unanswered.least),
            muted_by=monitor.muted_by,
        )
        for ident, monitor in settings.monitors.items()
    }


def _keys(block: KeyMentionsBlock, key: bytes) -> KeyWatch:
    """Return what makes a mention key; authors are known by their pseudonyms only."""
    return KeyWatch(
        reach=block.reach,
        words=Matcher({MonitorId(word): word for word in block.words}) if block.words else None,
        authors={pseudonym(author, key): author for author in block.authors},
    )


def _fingerprint(monitor: MonitorSettings) -> str:
    asked = (monitor.query, sorted(monitor.sources), *filter(None, (monitor.aliases, monitor.exclusions)))
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def author_key(path: Path | None, environment: Mapping[str, str] = os.environ) -> bytes:
    """Return the key under which authors are pseudonymised: from the environment, else a file beside the database.

    Raises StoreError if the file can neither be read nor written.
    """
    if path is None:
        return REPLAY_KEY
    if environment.get(KEY_VARIABLE):
        return environment[KEY_VARIABLE].encode()
    file = Path(f"{path}.key")
    try:
        if not file.exists():
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_hex(32).encode())
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; set {KEY_VARIABLE} or make the directory writable") from error
