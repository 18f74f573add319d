"""A replay as files: `incidents.jsonl` and `tuning.json` for programs, `summary.md` for people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from brandmelder.backtest.tuning import judged
from brandmelder.detect.budget import PRESETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from brandmelder.backtest.replay import Replay, Told
    from brandmelder.backtest.tuning import Tuning
    from brandmelder.model import Incident
    from brandmelder.settings import Settings


def write(replay: Replay, settings: Settings, directory: Path, marked: Sequence[Incident] = ()) -> None:
    """Write the three files into `directory`, which is made if it is missing.

    `marked` are incidents that people judged, from which a sensitivity is proposed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lines = [msgspec.json.encode(record(one)) for one in replay.told]
    (directory / "incidents.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    tunings = msgspec.json.format(msgspec.json.encode([judged(one, marked) for one in replay.openings]), indent=2)
    (directory / "tuning.json").write_bytes(tunings + b"\n")
    (directory / "summary.md").write_text(summary(replay, settings, marked), encoding="utf-8")


def record(told: Told) -> dict[str, Any]:
    """Return one line of `incidents.jsonl`; times in ISO 8601 UTC, durations in ISO 8601."""
    incident = told.incident
    spike = incident.spike
    return {
        "id": incident.id,
        "monitor": incident.monitor,
        "kind": incident.kind,
        "state": incident.state,
        "onset": incident.onset,
        "opened": incident.opened_at,
        "closed": incident.closed_at,
        "severity": incident.severity,
        "first_severity": incident.first_severity,
        "observed": spike.observed,
        "usual": [spike.usual_low, spike.usual_high],
        "window": iso_duration(spike.window),
        "learning": spike.learning,
        "peak": incident.peak,
        "total": incident.total,
        "sources": dict(told.evidence.sources),
        "phrases": [phrase.text for phrase in told.evidence.phrases],
        "timeline": [
            {"at": step.at, "act": step.act, "after": step.after, "by": step.by, "note": step.note}
            for step in told.timeline
        ],
        "message": told.message,
    }


def iso_duration(span: timedelta) -> str:
    """Return `PT1H`, `PT20M`, `P1DT2H`: ISO 8601, never with seconds unless there are any."""
    days, rest = divmod(int(span.total_seconds()), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    date = f"{days}D" if days else ""
    return f"P{date}" + (f"T{clock}" if clock else "") if date or clock else "PT0S"


def summary(replay: Replay, settings: Settings, marked: Sequence[Incident] = ()) -> str:
    """Return what the replay found, for a person."""
    days = (replay.until - replay.since) / timedelta(days=1)
    lines = [
        f"# Backtest of {settings.path.name}",
        "",
        (
            f"From {_time(replay.since, settings.zone)} to {_time(replay.until, settings.zone)} ({days:.1f} days), "
            f"{replay.mentions} mentions. Nothing was sent."
        ),
        "",
        "| monitor | mentions | incidents | allowed false alarms |",
        "|---|---:|---:|---|",
    ]
    for ident, monitor in settings.monitors.items():
        count = sum(one.incident.monitor == ident for one in replay.told)
        lines.append(f"| {ident} | {replay.matched[ident]} | {count} | {monitor.false_alarms} |")
    lines += [
        "",
        *(
            f"Left out: {count} mentions of the source {name!r}, which the configuration does not have."
            for name, count in sorted(replay.unknown_sources.items())
        ),
        "",
    ]
    lines += _sensitivities(replay, marked)
    for one in replay.told:
        lines += _incident(one, settings.zone)
    if not replay.told:
        lines.append("No incident.")
    return "\n".join(lines) + "\n"


def _sensitivities(replay: Replay, marked: Sequence[Incident]) -> list[str]:
    """Return how often each monitor would have alerted at each sensitivity, and what its marked incidents ask for."""
    if not replay.openings:
        return []
    names = list(PRESETS)
    head = ["| monitor | days | " + " | ".join(names) + " | proposal |", "|---|---:|" + "---:|" * len(names) + "---|"]
    rows = [
        f"| {one.monitor} | {one.days:.1f} | {' | '.join(str(one.alerts[name]) for name in names)} | {_proposal(one)} |"
        for one in (judged(found, marked) for found in replay.openings)
    ]
    return ["Storms that each sensitivity would have told (`false_alarms`):", "", *head, *rows, ""]


def _proposal(one: Tuning) -> str:
    if one.proposal is None:
        return "none: no incident of that time was marked as no crisis"
    spared = one.false_alarms - one.told_false_alarms[one.proposal]
    told = one.told_crises[one.proposal]
    return f"{one.proposal}: tells {told} of {one.crises} crises, spares {spared} of {one.false_alarms} false alarms"


def _incident(told: Told, zone: ZoneInfo) -> list[str]:
    incident = told.incident
    closed = f"ended {_time(incident.closed_at, zone)}" if incident.closed_at else "not over when the replay ended"
    return [
        f"## {incident.id}: {incident.monitor}",
        "",
        (
            f"Onset {_time(incident.onset, zone)}, opened {_time(incident.opened_at, zone)}, {closed}. "
            f"Severity {incident.first_severity} at first, {incident.severity} at the peak; peak {incident.peak}, "
            f"{incident.total} negative mentions in all."
        ),
        "",
        "```text",
        told.message.replace("`", "'"),
        "```",
        "",
        *(
            f"- {_time(step.at, zone)} {step.act.value}" + (f" ({step.note})" if step.note else "")
            for step in told.timeline
        ),
        "",
    ]


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
