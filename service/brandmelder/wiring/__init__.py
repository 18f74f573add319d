"""From Settings to a Pipeline: the only place that builds things."""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING

from brandmelder import plugins
from brandmelder.capture.match import Matcher
from brandmelder.capture.names import widened
from brandmelder.capture.normalise import pseudonym
from brandmelder.classify.topics import Topics
from brandmelder.model import ChannelId, SourceClass, SourceId
from brandmelder.notify.links import Links
from brandmelder.notify.routing import Route
from brandmelder.notify.stand_in import Fallbacks
from brandmelder.pipeline import Pipeline
from brandmelder.pipeline.duty import Duty
from brandmelder.pipeline.pace import Budget, Rhythm
from brandmelder.pipeline.parts import DigestPlan, Parts, Place
from brandmelder.pipeline.weigh import Scales
from brandmelder.settings.asking import asking
from brandmelder.store.spending import Allowance
from brandmelder.wiring.access import access_ends
from brandmelder.wiring.author_key import KEY_VARIABLE, author_key, is_another_key, renew_author_key, require_author_key
from brandmelder.wiring.calendars import build_calendars
from brandmelder.wiring.outside import Outside, outside
from brandmelder.wiring.watches import watches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brandmelder.capture.source import Source
    from brandmelder.classify.classifier import Classifier
    from brandmelder.notify.notifier import Exchange, Notifier
    from brandmelder.options import SourceOptions
    from brandmelder.pipeline.second import SecondOpinion
    from brandmelder.settings import Settings
    from brandmelder.store.database import Database

__all__ = [
    "KEY_VARIABLE",
    "Outside",
    "author_key",
    "build",
    "build_calendars",
    "build_classifier",
    "build_notifiers",
    "build_sources",
    "duty",
    "is_another_key",
    "outside",
    "renew_author_key",
    "require_author_key",
    "rhythm_of",
    "second_opinion",
    "sign_in_exchange",
    "topics_of",
]


def build_sources(settings: Settings, reach: Outside) -> dict[SourceId, Source]:
    """Build every source of the configuration."""
    return {
        ident: plugins.load("sources", options.type)(
            ident, options, reach.tools(ident, allow_private=options.allow_private)
        )
        for ident, options in asking(settings).items()
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


def sign_in_exchange(settings: Settings, reach: Outside) -> Exchange | None:
    """Return how the provider of sign-ins is asked, if the configuration names one."""
    block = settings.web.oidc if settings.web is not None else None
    return None if block is None else reach.http.exchange(allow_private=block.allow_private)


def build(
    settings: Settings,
    *,
    database: Database,
    sources: Mapping[SourceId, Source],
    notifiers: Mapping[ChannelId, Notifier],
    on_failure: Callable[[str], None] = lambda _text: None,
) -> Pipeline:
    """Put a pipeline together. Live, demo and backtest differ in these arguments and in their clock.

    Raises StoreError if the key of a database with mentions is gone.
    """
    require_author_key(database)
    places, key = _places(settings), author_key(database.path)
    parts = Parts(
        database=database,
        sources=sources,
        places=places,
        watches=watches(settings, key),
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
        links=_links(settings, key),
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
            own_accounts=options.own_accounts,
            language=options.language,
            abandoned_after=options.abandoned_after,
            tells_silence=options.tell_silence,
            expires_at=access_ends(options, settings.zone),
            rhythm=rhythm_of(options),
        )
        for ident, options in settings.sources.items()
    }


def rhythm_of(options: SourceOptions) -> Rhythm:
    """Return how often a source wants to be asked, and what it may take."""
    return Rhythm(
        every=options.every,
        storm_every=options.storm_every,
        idle_every=options.idle_every,
        budget=Budget(
            requests_per_day=options.requests_per_day,
            requests_per_month=options.requests_per_month,
            money_per_day=options.money_per_day,
            money_per_month=options.money_per_month,
        ),
    )


def _links(settings: Settings, key: bytes) -> Links | None:
    """Return what signs links to the page, if one is served; with a key of its own, derived from the authors'."""
    if settings.web is None:
        return None
    return Links(base_url=settings.web.base_url, key=hmac.digest(key, b"brandmelder links", "sha256"))


def _fallbacks(settings: Settings) -> Fallbacks:
    return Fallbacks(
        channels={
            ident: tuple(ChannelId(name) for name in options.fallback) for ident, options in settings.channels.items()
        },
        names={ident: f"{options.type.title()} ({ident})" for ident, options in settings.channels.items()},
    )
