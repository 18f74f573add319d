"""How a configuration file becomes Settings: every line of it is looked at before anything is refused."""

from __future__ import annotations

import difflib
import zoneinfo
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from brandmelder import plugins
from brandmelder.capture import query
from brandmelder.capture.tree import sources_named
from brandmelder.detect.budget import parse_budget
from brandmelder.errors import ConfigurationError, PluginError, QueryError
from brandmelder.model import ChannelId, MonitorId, SourceId, SpikeKind
from brandmelder.options import ChannelOptions, Options, SourceOptions
from brandmelder.settings.calendar import read_events, read_marked_periods, read_region
from brandmelder.settings.duty_reading import DutyReading
from brandmelder.settings.file import load
from brandmelder.settings.marks import read_marked
from brandmelder.settings.names import names_in
from brandmelder.settings.secrets import expand, refuse_clear_text, take_files
from brandmelder.settings.shape import (
    IN_MEMORY,
    NAME,
    AlertBlock,
    AlertSettings,
    DigestBlock,
    DigestSettings,
    Document,
    HeartbeatBlock,
    KeyMentionsBlock,
    MonitorBlock,
    MonitorSettings,
    SecondOpinionBlock,
    Settings,
    initials,
)
from brandmelder.settings.transformer import transformer_in
from brandmelder.settings.web import read_web
from brandmelder.settings.wording import Notes, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path as FilePath

    from brandmelder.settings.marks import Path
    from brandmelder.settings.transformer import TransformerSettings

_UTC = zoneinfo.ZoneInfo("UTC")

Block = TypeVar("Block", bound=Options)


def read_settings(path: FilePath, environment: Mapping[str, str]) -> Settings:
    """Read the configuration at `path`. Raises ConfigurationError with every problem at once."""
    read = load(path)
    return parse_settings(read.text, path, environment).model_copy(update={"digest": read.digest})


def parse_settings(text: str, path: FilePath, environment: Mapping[str, str]) -> Settings:
    """Read a configuration's text; `path` is where it says it comes from. Raises ConfigurationError."""
    marked = read_marked(text)
    notes = Notes(marked, str(path))
    for trouble in marked.troubles:
        notes.wrong((), trouble.text, trouble.hint, place=trouble.place)
    if marked.value is None:
        raise ConfigurationError(notes.problems)
    settings = _Reading(notes, path, environment).settings(marked.value)
    if settings is None or notes.problems:
        raise ConfigurationError(notes.problems)
    return settings


class _Reading:
    """One pass over one file."""

    def __init__(self, notes: Notes, path: FilePath, environment: Mapping[str, str]) -> None:
        self._notes, self._path, self._environment = notes, path, environment

    def settings(self, written: Any) -> Settings | None:
        """Return the Settings, or None; every problem stands in the notes."""
        notes = self._notes
        value = expand(written, (), environment=self._environment, notes=notes)
        document = notes.accept(Document, value, ())
        block = value if isinstance(value, dict) else {}
        sources = self._plugged("sources", block.get("sources"), SourceOptions)
        channels = self._plugged("channels", block.get("channels"), ChannelOptions)
        monitors = self._monitors(block.get("monitors"), sources)
        digests = self._digests(block.get("digests"), channels)
        self._stand_ins(block.get("channels"), channels)
        refuse_clear_text(HeartbeatBlock, block.get("heartbeat"), ("heartbeat",), notes)
        zone = self._zone(block.get("timezone", Document.model_fields["timezone"].default))
        reading = DutyReading(notes, block, zone=zone or _UTC, folder=self._path.parent)
        duty = reading.settings(monitors, channels, document.language if document else "de")
        alerts = self._alerts(block.get("alerts"), monitors, channels, reading)
        transformer = self._classifier(block.get("classifier"), block.get("transformer"))
        region = read_region(block.get("region"), notes)
        calendar = read_events(block.get("calendar"), notes, monitors, self._known)
        marked = read_marked_periods(block.get("marked"), notes, monitors, self._known)
        web = read_web(block.get("web"), notes, folder=self._path.parent)
        second = self._second_opinion(block.get("second_opinion"), sources)
        if document is None or zone is None or notes.problems:
            return None
        settings = Settings(
            brand=document.brand,
            short=document.short or initials(document.brand),
            language=document.language,
            zone=zone,
            region=region,
            calendar=calendar,
            marked=marked,
            database=document.database,
            on_call=document.on_call,
            classifier=document.classifier,
            transformer=transformer,
            heartbeat=document.heartbeat,
            health=document.health,
            retention=document.retention,
            topics=document.topics,
            incidents_are_negative=document.incidents_are_negative,
            second_opinion=second,
            sources={SourceId(name): options for name, options in sources.items() if options is not None},
            monitors={MonitorId(name): monitor for name, monitor in monitors.items() if monitor is not None},
            channels={ChannelId(name): options for name, options in channels.items() if options is not None},
            alerts=alerts,
            digests=digests,
            duty=duty,
            web=web,
            path=self._path,
            lines=notes.marked.lines(),
        )
        self._look_twice(settings)
        return settings.model_copy(update={"warnings": notes.warnings, "outside": notes.outside})

    # ------------------------------------------------- sources and channels

    def _plugged(
        self, section: Literal["sources", "channels"], blocks: Any, base: type[Block]
    ) -> dict[str, Block | None]:
        """Return the options by name; None where a block is no good, so that its name is still known."""
        found: dict[str, Block | None] = {}
        for name, written in _items(blocks):
            path = (section, name)
            self._name(path, name)
            options = self._options(section, written, path)
            accepted = None
            if options is not None:
                block = dict(written)
                take_files(options, block, path, folder=self._path.parent, notes=self._notes)
                refuse_clear_text(options, block, path, self._notes)
                accepted = self._notes.accept(options, block, path)
            found[name] = accepted if isinstance(accepted, base) else None
        return found

    def _options(self, section: Literal["sources", "channels"], block: Any, path: Path) -> type[Options] | None:
        """Return the model of a block, as its `type` asks for."""
        group: plugins.Group = "sources" if section == "sources" else "notifiers"
        base = SourceOptions if section == "sources" else ChannelOptions
        if not isinstance(block, dict):
            self._notes.wrong(
                path, f"expected a block of keys, found {self._notes.found(block, path)}", "write {type: …}"
            )
            return None
        name, here = block.get("type"), (*path, "type")
        if name is None:
            self._notes.wrong(path, 'the key "type" is missing', _types(group), on_key=True)
            return None
        if name not in plugins.names(group):
            self._notes.wrong(here, f'unknown type "{name}"', nearest(str(name), plugins.names(group), "types"))
            return None
        try:
            options = plugins.options(group, name)
        except PluginError as error:
            said, _, hint = str(error).partition("; ")
            self._notes.wrong(here, said, hint)
            return None
        if not (isinstance(options, type) and issubclass(options, base)):
            self._notes.wrong(
                here, f'the plug-in "{name}" says nothing of its options', f"give it Options({base.__name__})"
            )
            return None
        return options

    # ------------------------------------------------------------- monitors

    def _monitors(self, blocks: Any, sources: Mapping[str, Any]) -> dict[str, MonitorSettings | None]:
        found: dict[str, MonitorSettings | None] = {}
        for name, block in _items(blocks):
            path = ("monitors", name)
            self._name(path, name)
            accepted = self._notes.accept(MonitorBlock, block, path)
            written = block if isinstance(block, dict) else {}
            self._query(written.get("query"), (*path, "query"), sources)
            budget = self._budget(written.get("false_alarms", "balanced"), (*path, "false_alarms"))
            names = self._known(written.get("sources"), sources, (*path, "sources"), kind="source")
            self._key_mentions(accepted, path, sources)
            self._unanswered(accepted, [sources.get(one) for one in names], path)
            muted_by = self._muted_by(written.get("muted_by", []), name, dict(_items(blocks)))
            found[name] = None
            if accepted is not None and budget is not None:
                found[name] = MonitorSettings(
                    query=accepted.query,
                    aliases=self._names_in(accepted.aliases, path, "aliases"),
                    exclusions=self._names_in(accepted.exclusions, path, "exclusions"),
                    sources=tuple(SourceId(source) for source in names),
                    budget=budget,
                    false_alarms=accepted.false_alarms,
                    title=accepted.title or name,
                    kinds=tuple(dict.fromkeys(SpikeKind(kind) for kind in accepted.kinds)),
                    key_mentions=accepted.key_mentions,
                    unanswered=accepted.unanswered,
                    runbook=accepted.runbook,
                    holding_statement=accepted.holding_statement,
                    muted_by=tuple(MonitorId(one) for one in muted_by),
                    topics=accepted.topics,
                )
        return found

    def _key_mentions(self, monitor: MonitorBlock | None, path: Path, sources: Mapping[str, Any]) -> None:
        keys = monitor.key_mentions if monitor is not None else None
        if keys is None:
            return
        for at, word in enumerate(keys.words):
            self._query(word, (*path, "key_mentions", "words", at), sources)
        if keys == KeyMentionsBlock():
            self._notes.wrong(
                (*path, "key_mentions"), "key_mentions names nothing", "give it reach, words or authors", on_key=True
            )

    def _unanswered(self, monitor: MonitorBlock | None, read: list[Any], path: Path) -> None:
        if monitor is None or monitor.unanswered is None or any(one and one.own_accounts for one in read):
            return
        hint = "name our accounts: own_accounts: [...] at a source of the monitor"
        self._notes.wrong((*path, "unanswered"), "nobody can be seen to answer", hint, on_key=True)

    def _muted_by(self, names: Any, monitor: str, known: Mapping[str, Any]) -> tuple[str, ...]:
        path = ("monitors", monitor, "muted_by")
        if isinstance(names, list) and monitor in names:
            at = (*path, names.index(monitor))
            self._notes.wrong(
                at, f'the monitor "{monitor}" would mute itself', "name a broader monitor, or leave it out"
            )
        return self._known(names, known, path, kind="monitor")

    def _query(self, text: Any, path: Path, sources: Mapping[str, Any]) -> None:
        if not isinstance(text, str) or not text or self._notes.is_spoiled(path):
            return
        marked, swallowed = self._notes.marked, self._notes.marked.comment_after(path)
        quote = f'put the query in quotes: YAML takes "{swallowed}" for a comment' if swallowed else ""
        try:
            read = query.parse(text)
        except QueryError as error:
            is_as_written = marked.raw(path) == text
            place = marked.inside(path, error.column - 1) if is_as_written else marked.at(path)
            self._notes.wrong(path, f"query: {error.text}", quote, place=place)
            return
        for name in sorted(sources_named(read.tree) - sources.keys()):
            self._notes.unknown(path, name, sources, kind="source")
        if swallowed.startswith("#") and not swallowed.startswith("# "):
            self._notes.warn(path, "the query ends before a comment", quote)

    def _names_in(self, file: str | None, path: Path, key: str) -> tuple[str, ...]:
        return names_in(file, (*path, key), folder=self._path.parent, notes=self._notes)

    def _budget(self, text: Any, path: Path) -> float | None:
        if not isinstance(text, str):
            return None
        try:
            return parse_budget(text)
        except ValueError as error:
            said, _, hint = str(error).partition("; ")
            self._notes.wrong(path, f"false_alarms: {said}", hint or 'calm, balanced, alert, or as in "1 per 30 days"')
            return None

    def _known(self, names: Any, known: Mapping[str, Any], path: Path, *, kind: str) -> tuple[str, ...]:
        """Return the names a list holds, all of the known ones for `all`; unknown ones are problems."""
        if names is None or names == "all":
            return tuple(known)
        listed = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        for at, name in enumerate(listed):
            if name not in known:
                self._notes.unknown((*path, at), name, known, kind=kind)
            elif name in listed[:at]:
                self._notes.warn((*path, at), f'the {kind} "{name}" stands twice', "remove one")
        return tuple(dict.fromkeys(listed))

    # --------------------------------------------------------------- alerts

    def _alerts(
        self, blocks: Any, monitors: Mapping[str, Any], channels: Mapping[str, Any], duty: DutyReading
    ) -> tuple[AlertSettings, ...]:
        alerts: list[AlertSettings] = []
        told: set[str] = set()
        for at, block in enumerate(blocks if isinstance(blocks, list) else []):
            path = ("alerts", at)
            accepted = self._notes.accept(AlertBlock, block, path)
            written = block if isinstance(block, dict) else {}
            names = self._known(written.get("monitors"), monitors, (*path, "monitors"), kind="monitor")
            to = self._known(written.get("to", []), channels, (*path, "to"), kind="channel")
            instead = self._known(written.get("fallback", []), channels, (*path, "fallback"), kind="channel")
            told.update(names)
            if accepted is not None:
                which = None if accepted.monitors is None else tuple(MonitorId(name) for name in names)
                places, fallback = (tuple(ChannelId(name) for name in listed) for listed in (to, instead))
                escalation = duty.escalation(accepted, written.get("escalation"), path, channels)
                alerts.append(AlertSettings(monitors=which, to=places, fallback=fallback, escalation=escalation))
        for name in monitors if isinstance(blocks, list) and blocks else ():
            if name not in told:
                hint = "name it under alerts, or write monitors: all there"
                self._notes.wrong(("monitors", name), f'no alert tells of the monitor "{name}"', hint, on_key=True)
        return tuple(alerts)

    def _digests(self, blocks: Any, channels: Mapping[str, Any]) -> tuple[DigestSettings, ...]:
        found: list[DigestSettings] = []
        for at, block in enumerate(blocks if isinstance(blocks, list) else []):
            path = ("digests", at)
            accepted = self._notes.accept(DigestBlock, block, path)
            written = block if isinstance(block, dict) else {}
            to = self._known(written.get("to", []), channels, (*path, "to"), kind="channel")
            if accepted is not None:
                channels_told = tuple(ChannelId(name) for name in to)
                found.append(DigestSettings(cron=accepted.cron, covers=accepted.covers, to=channels_told))
        return tuple(found)

    def _stand_ins(self, blocks: Any, channels: Mapping[str, Any]) -> None:
        for name, block in _items(blocks):
            path = ("channels", name, "fallback")
            listed = block.get("fallback", []) if isinstance(block, dict) else []
            if name in self._known(listed, channels, path, kind="channel"):
                self._notes.wrong(path, f'the channel "{name}" cannot stand in for itself', "name another one")

    # ------------------------------------------------------------- the rest

    def _name(self, path: Path, name: str) -> None:
        if not NAME.fullmatch(name):
            hint = "small letters, digits, - and _, beginning with a letter, at most 40"
            self._notes.wrong(path, f'"{name}" is no name', hint, on_key=True)

    def _zone(self, name: Any) -> zoneinfo.ZoneInfo | None:
        if not isinstance(name, str) or self._notes.is_spoiled(("timezone",)):
            return None
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
            hint = f'did you mean "{near[0]}"?' if near else "a name of the IANA list, as in Europe/Berlin"
            self._notes.wrong(("timezone",), f'timezone: there is no zone "{name}"', hint)
            return None

    def _classifier(self, name: Any, model: Any) -> TransformerSettings | None:
        if isinstance(name, str) and name not in plugins.names("classifiers"):
            self._notes.unknown(("classifier",), name, plugins.names("classifiers"), kind="classifier")
        if model is not None:
            if name != "transformer":
                hint = "write classifier: transformer, or remove the block"
                self._notes.warn(("transformer",), "the model is not used", hint, on_key=True)
            folder, environment = self._path.parent, self._environment
            found = transformer_in(model, folder=folder, environment=environment, notes=self._notes)
            return found if name == "transformer" else None
        if name == "transformer":
            hint = "write transformer: {path: DIRECTORY}"
            self._notes.wrong(("classifier",), 'the block "transformer" is missing: which model?', hint)
        return None

    def _second_opinion(self, written: Any, sources: Mapping[str, Any]) -> SecondOpinionBlock | None:
        path = ("second_opinion",)
        if written is None:
            return None
        block = dict(written) if isinstance(written, dict) else written
        if isinstance(block, dict):
            take_files(SecondOpinionBlock, block, path, folder=self._path.parent, notes=self._notes)
            refuse_clear_text(SecondOpinionBlock, block, path, self._notes)
        if not any(getattr(options, "may_leave_host", False) for options in sources.values()):
            hint = "write may_leave_host: true there, or remove second_opinion"
            self._notes.warn(path, "no source lets its texts leave the host", hint, on_key=True)
        return self._notes.accept(SecondOpinionBlock, block, path)

    def _look_twice(self, settings: Settings) -> None:
        """Warn of what works and is probably not meant."""
        if settings.database in IN_MEMORY:
            hint = "for a service write sqlite:///brandmelder.db"
            self._notes.warn(("database",), "a database in memory forgets everything at a restart", hint)
        read = {source for monitor in settings.monitors.values() for source in monitor.sources}
        used = {channel for alert in settings.alerts for channel in (*alert.to, *alert.fallback)}
        used |= {ChannelId(name) for options in settings.channels.values() for name in options.fallback}
        used |= settings.duty_channels()
        for source in settings.sources.keys() - read:
            self._notes.warn(
                ("sources", source), f'no monitor reads the source "{source}"', "it is polled", on_key=True
            )
        for channel in settings.channels.keys() - used:
            self._notes.warn(("channels", channel), f'no alert uses the channel "{channel}"', on_key=True)


def _types(group: plugins.Group) -> str:
    return f"one of {', '.join(plugins.names(group))}"


def _items(blocks: Any) -> Iterable[tuple[str, Any]]:
    return blocks.items() if isinstance(blocks, dict) else ()
