"""More figures than the alert holds, for one person who asks: how it was counted, what it did, who did what when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from brandmelder.model import Act, Evidence, Incident, Transition
from brandmelder.notify.facts import honest, lines
from brandmelder.notify.headline import headline
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures, is_plain
from brandmelder.notify.message import Line, Message, Span
from brandmelder.notify.news import says_nothing
from brandmelder.notify.story import Context, Story

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_STEPS: Final = 8


class Labels(Struct, frozen=True, kw_only=True):
    """One language."""

    counted: str
    counted_in: str
    peak: str
    since: str
    severity: str
    judged: str
    judged_as: str
    steps: str
    earlier: str
    acts: dict[Act, str]


_GERMAN: Final = Labels(
    counted="Gezählt",
    counted_in="{observed} in {window}, erwartet {expected}",
    peak="Spitze und Summe",
    since="Seit",
    severity="Schwere",
    judged="Beurteilt",
    judged_as="{mentions} Erwähnungen, {negatives} davon negativ, {unclear} unklar",
    steps="Hergang",
    earlier="davor {count} weitere",
    acts={
        Act.SUSPECT: "vermutet",
        Act.OPEN: "eröffnet",
        Act.ACKNOWLEDGE: "übernommen",
        Act.HAND_OVER: "übergeben",
        Act.SNOOZE: "stumm geschaltet",
        Act.WAKE: "nicht mehr stumm",
        Act.WORSEN: "Schwere steigt",
        Act.JOIN: "weitere Quellen",
        Act.AGE: "hält an",
        Act.TURN: "Wende",
        Act.CORRECT: "Zahlen berichtigt",
        Act.RESOLVE: "abgeschlossen",
        Act.DISMISS: "keine Krise",
        Act.UNDO: "zurückgenommen",
        Act.REOPEN: "wieder geöffnet",
        Act.DISCARD: "verworfen",
        Act.ESCALATE: "weitere gerufen",
        Act.ASK: "nachgefragt",
        Act.LAPSE: "Übernahme verfallen",
        Act.SILENCE: "Stille beginnt",
        Act.SPEAK: "Stille endet",
    },
)
_ENGLISH: Final = Labels(
    counted="Counted",
    counted_in="{observed} in {window}, expected {expected}",
    peak="Peak and total",
    since="Since",
    severity="Severity",
    judged="Judged",
    judged_as="{mentions} mentions, {negatives} of them negative, {unclear} unclear",
    steps="What happened",
    earlier="{count} more before",
    acts={
        Act.SUSPECT: "suspected",
        Act.OPEN: "opened",
        Act.ACKNOWLEDGE: "acknowledged",
        Act.HAND_OVER: "handed over",
        Act.SNOOZE: "muted",
        Act.WAKE: "no longer muted",
        Act.WORSEN: "severity rises",
        Act.JOIN: "more sources",
        Act.AGE: "goes on",
        Act.TURN: "turn",
        Act.CORRECT: "figures corrected",
        Act.RESOLVE: "resolved",
        Act.DISMISS: "not a crisis",
        Act.UNDO: "taken back",
        Act.REOPEN: "reopened",
        Act.DISCARD: "discarded",
        Act.ESCALATE: "others called",
        Act.ASK: "asked again",
        Act.LAPSE: "acknowledgement lapsed",
        Act.SILENCE: "silence begins",
        Act.SPEAK: "silence ends",
    },
)


def acts_of(language: str) -> Mapping[Act, str]:
    """Return what each act is called; in English for a language we do not speak."""
    return (_GERMAN if language.partition("-")[0].lower() == "de" else _ENGLISH).acts


def details(incident: Incident, evidence: Evidence, timeline: Sequence[Transition], context: Context) -> Message:
    """Return the answer to `Details`, without buttons and quotes: those stand in the alert above it."""
    story = Story(incident, evidence, context)
    labels = _ENGLISH if context.language == "en" else _GERMAN
    return Message(
        language=story.words.language,
        incident=incident.id,
        revision=incident.revision,
        emoji="🔎",
        headline=headline(story),
        lines=(*_figures(story, labels), *lines(story), *_steps(story, labels, timeline)),
        honest=honest(story),
    )


def _figures(story: Story, labels: Labels) -> tuple[Line, ...]:
    incident, evidence, voice = story.incident, story.evidence, story.voice
    spike = incident.spike
    counted = labels.counted_in.format(
        observed=voice.observed(spike), window=voice.duration(spike.window), expected=_decimal(story, spike.expected)
    )
    peak = voice.in_window(voice.number(incident.peak), incident.peak_window)
    told = [(labels.counted, figures(story))]
    if is_plain(story):
        total = voice.number(max(incident.total, evidence.negatives))
        told = [(labels.counted, f"{counted}, {voice.usual(spike)}"), (labels.peak, f"{peak}, {total}")]
    told += [
        (labels.since, _since(story)),
        (labels.severity, story.words.severities[incident.severity - 1]),
    ]
    if evidence.mentions:
        said = labels.judged_as.format(
            mentions=voice.number(evidence.mentions),
            negatives=voice.number(evidence.negatives),
            unclear=voice.number(round(evidence.unclear_share * evidence.mentions)),
        )
        told.append((labels.judged, said))
    return tuple(Line(label=label, spans=(Span(text=text),)) for label, text in told)


def _since(story: Story) -> str:
    lasted = (story.incident.closed_at or story.context.now) - story.incident.onset
    return f"{story.voice.moment(story.incident.onset)} ({story.voice.duration(max(lasted, timedelta(0)), alone=True)})"


def _decimal(story: Story, value: float) -> str:
    text = f"{value:.1f}"
    return text.replace(".", ",") if story.words.language == "de" else text


def _steps(story: Story, labels: Labels, timeline: Sequence[Transition]) -> tuple[Line, ...]:
    timeline = [step for step in timeline if not says_nothing(step)]
    if not timeline:
        return ()
    said = [_step(story, labels, step) for step in timeline[-MOST_STEPS:]]
    if len(timeline) > MOST_STEPS:
        said.insert(0, labels.earlier.format(count=len(timeline) - MOST_STEPS))
    return (Line(label=labels.steps, spans=(Span(text=" · ".join(said)),)),)


def _step(story: Story, labels: Labels, step: Transition) -> str:
    by = "" if step.by == "brandmelder" else f" ({inert(step.by, 40)})"
    return f"{story.voice.moment(step.at)} {labels.acts[step.act]}{by}"
