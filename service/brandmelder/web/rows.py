"""All monitors as rows: how each stands, its number against the usual, its day in bars, who is on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct

from brandmelder.incident.picture import UNSEEN, YOUNG, Frame
from brandmelder.model import Course, Evidence, Incident, MonitorId, Silence, State
from brandmelder.notify.inert import inert
from brandmelder.pipeline.parts import Watch
from brandmelder.store import incidents, silences
from brandmelder.web.bars import Bars, Behind, bars_of, read_behind, read_counts
from brandmelder.web.catalogue import sentence
from brandmelder.web.charts import spark
from brandmelder.web.sayings import COURSES, NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from brandmelder.pipeline.parts import Parts
    from brandmelder.store.bars import Counts
    from brandmelder.web.bands import Bands
    from brandmelder.web.reader import Reader

HOURS: Final = 24
_HOUR, _BIN = timedelta(hours=1), timedelta(minutes=5)
NO_DATA, LEARNING, SILENCED, CALM = "nodata", "learning", "silenced", "calm"
_STANDS: Final = {
    NO_DATA: sentence("No data"),
    LEARNING: sentence("Learning"),
    SILENCED: sentence("Muted"),
    CALM: sentence("Calm"),
}
_ORDER: Final = ("rising", "high", "climbing", "subsiding", NO_DATA, LEARNING, SILENCED, CALM)


class Raw(Struct, frozen=True, kw_only=True):
    """What is read of one monitor."""

    watch: Watch
    bars: Bars
    usual: tuple[int, int] | None
    """Of the last hour."""
    incident: Incident | None
    evidence: Evidence | None
    blind_since: datetime | None
    """Since when none of its sources can be seen."""
    note: str = ""
    silence: Silence | None = None
    """What keeps its incidents from being told now, whichever they are."""


class Row(Struct, frozen=True, kw_only=True):
    """One monitor as it is shown."""

    id: str
    icon: str
    state: str
    is_bold: bool
    title: str
    under: str
    number: str
    is_beyond: bool
    window: str
    usual: str
    spark: Markup
    answered: str
    who: str
    who_under: str
    who_icon: str
    is_open: bool
    incident: str
    rank: tuple[int, int, float]


def frame_to(now: datetime) -> Frame:
    """Return 24 bars of an hour, counted back from now: the last is the number that is printed."""
    step = int(_BIN.total_seconds())
    until = datetime.fromtimestamp(-(-int(now.timestamp()) // step) * step, now.tzinfo)
    return Frame(until=until, width=_HOUR, count=HOURS)


def read_rows(connection: Connection, parts: Parts, *, bands: Bands, now: datetime) -> list[Raw]:
    """Read every monitor."""
    frame = frame_to(now)
    behind = read_behind(connection, frame.since)
    running = incidents.all_incidents(connection, running_only=True)
    found = {one.monitor: (one, evidence) for one, evidence in reversed(running) if one.state is not State.PENDING}
    hushed = silences.ending_after(connection, now)
    counted = read_counts(connection, parts.watches.values(), frame)
    return [
        _raw(
            connection,
            watch,
            frame,
            counted[watch.id],
            found.get(watch.id, (None, None)),
            bands=bands,
            behind=behind,
            now=now,
            silence=silencing(hushed, watch.id, now),
        )
        for watch in parts.watches.values()
    ]


def _raw(  # noqa: PLR0913 -- each is a thing of its own
    connection: Connection,
    watch: Watch,
    frame: Frame,
    counted: Counts,
    told: tuple[Incident | None, Evidence | None],
    *,
    bands: Bands,
    behind: Behind,
    now: datetime,
    silence: Silence | None,
) -> Raw:
    bars = bars_of(connection, watch, frame, counted, bands=bands, behind=behind, now=now)
    row = behind.monitors.get(watch.id)
    last = bands.usual(watch, row, (frame.until,), frame.width, now=now)
    mine = [behind.rows[ident] for ident in watch.sources if ident in behind.rows]
    is_blind = bool(mine) and all(one.blind_since is not None for one in mine)
    return Raw(
        watch=watch,
        bars=bars,
        usual=last[0] if last else None,
        incident=told[0],
        evidence=told[1],
        blind_since=max((one.blind_since for one in mine if one.blind_since), default=None) if is_blind else None,
        note=mine[0].note if is_blind else "",
        silence=silence,
    )


def silencing(found: Sequence[Silence], monitor: MonitorId, now: datetime) -> Silence | None:
    """Return the silence that holds longest over a monitor; one over some kinds or sources mutes it only in part."""
    mine = [
        one
        for one in found
        if one.since <= now < one.ends
        and (not one.matcher.monitors or monitor in one.matcher.monitors)
        and not (one.matcher.kinds or one.matcher.sources or one.matcher.topic)
    ]
    return max(mine, key=lambda one: one.ends, default=None)


def row_of(raw: Raw, reader: Reader) -> Row:
    """Return a monitor as it is shown."""
    incident = raw.incident
    icon, state = _standing(raw, reader)
    number, window, usual = _figures(raw, reader)
    is_beyond = _is_beyond(raw)
    who, under, who_icon = _who(raw, reader)
    title = inert(raw.watch.title, 60)
    alert = incident.opened_at if incident is not None else None
    known = reader.say("usual {range}", range=usual) if usual[:1].isdigit() else usual
    alt = reader.say("{title}: {number} in {window}, {usual}", title=title, number=number, window=window, usual=known)
    is_open = incident is not None and incident.state is State.OPEN
    excess = float(incident.spike.observed - incident.spike.usual_high) if incident is not None else 0.0
    return Row(
        id=raw.watch.id,
        icon=icon,
        state=state,
        is_bold=icon not in {LEARNING, SILENCED, CALM},
        title=title,
        under=_under(raw, reader),
        number=number,
        is_beyond=is_beyond,
        window=window,
        usual=usual,
        spark=spark(raw.bars, alert=alert, alt=alt),
        answered=_answered(raw, reader),
        who=who,
        who_under=under,
        who_icon=who_icon,
        is_open=is_open,
        incident=incident.id if incident is not None else "",
        rank=(0 if is_open else 1, _ORDER.index(icon), -excess),
    )


def _standing(raw: Raw, reader: Reader) -> tuple[str, str]:
    incident = raw.incident
    if incident is not None and (incident.snooze is not None or incident.silenced_since is not None):
        return SILENCED, reader.say(_STANDS[SILENCED])
    if incident is not None:
        course = incident.course if incident.course is not Course.CALM else Course.SUBSIDING
        icon, word = COURSES[course]
        return icon, reader.say(word)
    if raw.blind_since is not None:
        return NO_DATA, reader.say(_STANDS[NO_DATA])
    name = SILENCED if raw.silence is not None else LEARNING if raw.bars.age < YOUNG else CALM
    return name, reader.say(_STANDS[name])


def _under(raw: Raw, reader: Reader) -> str:
    voice, incident = reader.voice, raw.incident
    if incident is not None:
        return reader.say("{incident}, since {moment}", incident=incident.id, moment=voice.moment(incident.opened_at))
    if raw.blind_since is not None:
        return reader.say("since {moment}", moment=voice.moment(raw.blind_since))
    if raw.silence is not None:
        return _silenced(raw.silence, reader)
    if raw.bars.age < YOUNG:
        if raw.bars.age < _HOUR:
            return reader.say("no history yet")
        return reader.say("{time} of history", time=voice.span(raw.bars.age, alone=True))
    return ""


def _silenced(one: Silence, reader: Reader) -> str:
    """Say until when nobody is told of a monitor, why, and what breaks through."""
    until, reason = reader.voice.moment(one.ends), inert(one.reason, 60)
    if one.matcher.below is not None and 1 < one.matcher.below <= len(severities := reader.voice.words.severities):
        return reader.say("below severity {name}, until {moment}: {reason}", name=severities[one.matcher.below - 1],
                          moment=until, reason=reason)  # fmt: skip
    return reader.say("until {moment}: {reason}", moment=until, reason=reason)


def _figures(raw: Raw, reader: Reader) -> tuple[str, str, str]:
    voice, incident = reader.voice, raw.incident
    if incident is not None:
        spike = incident.spike
        return (
            voice.number(spike.observed),
            voice.duration(spike.window),
            _range(spike.usual_low, spike.usual_high, reader),
        )
    last = raw.bars.counts[-1]
    number = "–" if last == UNSEEN or raw.blind_since is not None else voice.number(last)
    if raw.usual is None:
        ready = reader.now + YOUNG - raw.bars.age  # behind us: the past is there, and is learnt at the next look
        known = reader.say("from {day}", day=voice.day(ready)) if ready > reader.now else "–"
        return number, voice.duration(_HOUR), known
    return number, voice.duration(_HOUR), _range(*raw.usual, reader)


def _range(low: int, high: int, reader: Reader) -> str:
    return reader.voice.range(low, high) if high > 0 else reader.voice.words.usual_none


def _is_beyond(raw: Raw) -> bool:
    if raw.incident is not None:
        return raw.incident.spike.observed > raw.incident.spike.usual_high
    return raw.usual is not None and raw.bars.counts[-1] > raw.usual[1]


def _answered(raw: Raw, reader: Reader) -> str:
    evidence, voice = raw.evidence, reader.voice
    if evidence is None or not evidence.negatives:
        return ""
    answered, asked = voice.number(evidence.answered), voice.number(evidence.negatives)
    return reader.say("{answered} of {asked}", answered=answered, asked=asked)


def _who(raw: Raw, reader: Reader) -> tuple[str, str, str]:
    voice, incident = reader.voice, raw.incident
    if incident is None and raw.silence is not None:
        return "", reader.say("by {name}, {moment}", name=inert(raw.silence.by, NAME),
                              moment=voice.moment(raw.silence.since)), ""  # fmt: skip
    if incident is None:
        return "", "", ""
    if incident.acknowledged_by and incident.acknowledged_at:
        taken = reader.say("acknowledged {moment}", moment=voice.moment(incident.acknowledged_at))
        return inert(incident.acknowledged_by, NAME), taken, "acknowledged"
    told = reader.say("told {moment}", moment=voice.moment(incident.opened_at))
    return reader.say("nobody yet"), told, "open"


def summed(rows: list[Row], reader: Reader) -> tuple[str, str]:
    """Say how all of it stands: what burns (bold), and the rest."""
    is_open = sum(row.is_open for row in rows)
    taken = sum(bool(row.incident) and not row.is_open for row in rows)
    blind = sum(row.icon == NO_DATA for row in rows)
    calm = sum(row.icon == CALM for row in rows)
    bold = []
    if is_open:
        bold.append(reader.say_many("{number} incident open", "{number} incidents open", is_open))
    if taken:
        bold.append(reader.say_many("{number} in hand", "{number} in hand", taken))
    rest = []
    if blind:
        rest.append(reader.say_many("{number} monitor without data", "{number} monitors without data", blind))
    muted = sum(row.icon == SILENCED and not row.incident for row in rows)
    if muted:
        rest.append(reader.say_many("{number} muted", "{number} muted", muted))
    if calm:
        rest.append(reader.say_many("{number} calm", "{number} calm", calm))
    first = ", ".join(bold) + "." if bold else reader.say("No incident.")
    return first, ", ".join(rest) + "." if rest else ""
