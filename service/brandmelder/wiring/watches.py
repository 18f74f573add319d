"""How each monitor is watched: its rules for spikes and incidents, its calendar, its key mentions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from brandmelder.capture.match import Matcher
from brandmelder.capture.normalise import pseudonym
from brandmelder.detect.kinds.backlog import BacklogRules
from brandmelder.detect.kinds.watching import KindRules
from brandmelder.detect.scan import DetectorRules
from brandmelder.incident.lifecycle import LifecycleRules
from brandmelder.model import MonitorId
from brandmelder.pipeline.parts import KeyWatch, Watch

if TYPE_CHECKING:
    from brandmelder.settings import MonitorSettings, Settings
    from brandmelder.settings.shape import KeyMentionsBlock


def watches(settings: Settings, key: bytes) -> dict[MonitorId, Watch]:
    """Return what each monitor is watched by; `key` pseudonymises the authors its key mentions name."""
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
