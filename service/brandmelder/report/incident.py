"""The report of an incident: how bad at first and at the peak, its course, what was said, answered, and not seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from brandmelder.incident.picture import UNSEEN
from brandmelder.model import Gap, SpikeKind, State
from brandmelder.notify.chart import Mark
from brandmelder.notify.compose import sparkline
from brandmelder.notify.excerpt import excerpt, safe_url
from brandmelder.notify.facts import coverage, honest, lines
from brandmelder.notify.inert import inert
from brandmelder.notify.kinds import figures, over
from brandmelder.notify.message import QuoteText
from brandmelder.notify.news import summary
from brandmelder.notify.picture import chart_of
from brandmelder.notify.story import Story
from brandmelder.report.document import (
    Block,
    Document,
    Drawing,
    Facts,
    Figure,
    Figures,
    Grid,
    Prose,
    Quotes,
    Section,
    Spans,
    said,
)
from brandmelder.report.incident_words import IncidentWords, incident_words, long_day
from brandmelder.report.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.model import Picture
    from brandmelder.report.account import Account, Told

_QUOTED = 500
"""A report has more room for a voice than an alert."""
_CUT_OFF = 10
"""So many rows of a table of sources; the rest is one row."""


def incident_report(account: Account) -> Document:
    """Return the report of one incident; strangers' words stand in foreign spans and quotes only."""
    return _Writer(account).document()


class _Writer:
    def __init__(self, account: Account) -> None:
        self.account = account
        # Times of the day it opened need no date; durations of what has ended end with it.
        context = replace(account.context, now=account.ended_at, details_url="")
        evidence = replace(account.evidence, picture=account.drawn)
        self.story = Story(account.incident, evidence, context)
        self.words: IncidentWords = incident_words(context.language)
        self.voice = replace(self.story.voice, now=account.incident.opened_at)
        self.facts = {line.label: line.spans for line in lines(self.story)}

    def document(self) -> Document:
        sections = (
            self._section(self.story.words.course, self._course()),
            self._section(self.words.about, self._about()),
            self._section(self.words.where, self._where()),
            self._section(self.words.said, self._said()),
            self._section(self.story.words.answers, self._answers()),
            self._section(self.words.timeline, iter((timeline(self.account.timeline, self.story, self.voice),))),
            self._section(self.words.people, self._people()),
            self._section(self.words.seen, self._seen()),
            self._section(self.words.counted, self._counted()),
            replace(self._section(self.words.values, self._values()), is_appendix=True),
        )
        return Document(
            language=self.story.words.language,
            kicker=self.words.kicker.format(id=inert(self.account.incident.id, 40)),
            title=self.story.name,
            under=self._when(),
            lead=tuple(self._lead()),
            sections=tuple(section for section in sections if section.blocks),
            footer=self.words.written.format(moment=self._full(self.account.written_at), version=self.account.version),
        )

    @staticmethod
    def _section(title: str, blocks: Iterator[Block]) -> Section:
        return Section(title=title, blocks=tuple(blocks))

    # ------------------------------------------------------------------- the head

    def _when(self) -> str:
        incident, voice = self.account.incident, self.voice
        day, since = long_day(incident.opened_at, voice), voice.clock(incident.opened_at)
        if incident.closed_at is None:
            return self.words.from_on.format(day=day, since=since)
        return self.words.from_to.format(day=day, since=since, until=voice.moment(incident.closed_at))

    def _full(self, moment: datetime) -> str:
        return f"{long_day(moment, self.voice)}, {self.voice.clock(moment)}"

    def _lead(self) -> Iterator[Block]:
        if not self.story.has_ended:
            yield Prose(said(self.words.provisional, bold=True))
        yield Prose(summary(self.story) if self.story.has_ended else said(f"{figures(self.story)}."))
        yield Figures(tuple(self._figures()))
        yield Facts(tuple(self._severity()))

    def _figures(self) -> Iterator[Figure]:
        account, voice, words = self.account, self.voice, self.words
        incident, evidence = account.incident, self.story.evidence
        if over(self.story) is None:
            yield Figure(
                number=voice.number(incident.peak),
                label=words.peak,
                beside=self._peak(),
                is_loud=account.peak_usual is not None and incident.peak > account.peak_usual[1],
            )
            total = max(incident.total, evidence.negatives)
            mentions = words.total_of.of(evidence.mentions).format(number=voice.number(evidence.mentions))
            yield Figure(
                number=voice.number(total), label=words.total, beside=mentions if evidence.mentions >= total else ""
            )
        lasted = voice.duration(account.ended_at - incident.opened_at, alone=True)
        yield Figure(number=lasted, label=words.lasted if self.story.has_ended else words.lasts)
        yield self._taken()
        if incident.kind is not SpikeKind.SILENCE:
            yield self._answered()

    def _peak(self) -> str:
        account, voice = self.account, self.voice
        usual = account.peak_usual
        window = voice.duration(account.incident.peak_window)
        if usual is None:
            return voice.in_window("", account.incident.peak_window).strip()
        until = f" ({self.voice.moment(account.peak_at)})" if account.peak_at is not None else ""
        return self.words.peak_usual.format(window=window, usual=voice.usual_range(*usual)) + until

    def _taken(self) -> Figure:
        account = self.account
        at = account.context.first_acknowledged_at
        if at is None:
            return Figure(number="–", label=self.words.taken, beside=self.words.never_taken, is_loud=True)
        by = next((step.by for step in account.timeline if step.at == at), account.incident.acknowledged_by or "")
        beside = self.words.taken_after.format(moment=self.voice.moment(at), name=inert(by, 40))
        number = self.voice.duration(at - account.incident.opened_at, alone=True)
        return Figure(number=number, label=self.words.taken, beside=beside)

    def _answered(self) -> Figure:
        answers, words, voice = self.account.answers, self.words, self.voice
        share = self.story.words.answered.format(
            answered=voice.number(answers.answered), asked=voice.number(answers.asked)
        )
        if answers.first is None:
            return Figure(number="–", label=words.first_answer, beside=self.story.words.no_answer, is_loud=True)
        waited = answers.first - self.account.incident.opened_at
        if waited < timedelta(0):
            return Figure(number="0 min", label=words.first_answer, beside=f"{words.answered_before}, {share}")
        return Figure(number=voice.duration(waited, alone=True), label=words.first_answer, beside=share)

    def _severity(self) -> Iterator[tuple[str, Spans]]:
        incident, names = self.account.incident, self.story.words.severities
        first, last = names[incident.first_severity - 1], names[incident.severity - 1]
        same = self.words.severity_same if self.story.has_ended else self.words.severity_so_far
        told = same if first == last else self.words.severity_change
        yield self.words.severity, said(told.format(first=first, last=last), bold=True)
        if self.story.words.skala in self.facts:
            yield self.story.words.skala, self.facts[self.story.words.skala]
        if incident.state is State.DISMISSED:
            reasons = self.story.words.reasons
            yield self.words.label, said(reasons.get(incident.label or "", reasons["other"]))

    # ------------------------------------------------------------------ the course

    def _course(self) -> Iterator[Block]:
        chart = chart_of(self.story)
        if chart is None:
            return
        marks = [one for one in chart.marks if not one.is_alert or self._is_inside(one.at)]
        alert = replace(chart, title=(), note="", marks=(*marks, *self._marks(chart.since, chart.until)))
        yield Drawing(chart=alert, caption=self._caption(), spark=sparkline(chart.counts))

    def _is_inside(self, moment: datetime) -> bool:
        picture = self.account.drawn
        return picture is not None and moment <= picture.until

    def _marks(self, since: datetime, until: datetime) -> Iterator[Mark]:
        moments = (
            (self.account.context.first_acknowledged_at, self.words.taken_mark),
            (self.account.answers.first, self.words.answered_mark),
        )
        for moment, label in moments:
            if moment is not None and since <= moment <= until:
                yield Mark(at=moment, label=label.format(clock=self.voice.clock(moment)))

    def _caption(self) -> str:
        picture = self.account.drawn
        if picture is None:
            return ""
        parts = [self.words.caption.format(width=self.voice.duration(picture.width))]
        if picture.usual:
            parts.append(self.words.caption_band)
        if UNSEEN in picture.counts or picture.holes:
            parts.append(self.words.caption_hatched)
        return " ".join(parts)

    def _values(self) -> Iterator[Block]:
        picture = self.account.drawn
        if picture is None:
            return
        yield Grid(
            head=(self.words.values_from, self.words.negative, self.words.usual),
            rows=tuple(self._value(picture, place) for place in range(len(picture.counts))),
            numeric=frozenset({1, 2}),
        )

    def _value(self, picture: Picture, place: int) -> tuple[Spans, ...]:
        start = picture.until - (len(picture.counts) - place) * picture.width
        count, usual = picture.counts[place], picture.usual[place] if picture.usual else None
        is_beyond = usual is not None and count > usual[1]
        number = self.words.unseen if count == UNSEEN else self.voice.number(count)
        return (
            said(self.voice.moment(start)),
            said(number, bold=is_beyond),
            said(self.voice.range(*usual) if usual is not None else "–"),
        )

    # ----------------------------------------------------------- what it was about

    def _about(self) -> Iterator[Block]:
        words = self.story.words
        wanted = (words.new, words.about_topics, words.beside, words.who, words.similar)
        rows = tuple((label, self.facts[label]) for label in wanted if label in self.facts)
        if rows:
            yield Facts(rows)

    def _where(self) -> Iterator[Block]:
        sources = [(self.story.source(source), count) for source, count in self.story.evidence.sources]
        whole = sum(count for _, count in sources)
        if not whole:
            return
        shown = sources[:_CUT_OFF]
        rest = whole - sum(count for _, count in shown)
        if rest:
            shown.append(("…", rest))
        yield Grid(
            head=(self.words.source, self.words.negative, self.words.share),
            rows=tuple(
                (said(name), said(self.voice.number(count)), said(self.voice.share(count / whole, whole)))
                for name, count in shown
            ),
            numeric=frozenset({1, 2}),
        )

    def _said(self) -> Iterator[Block]:
        quotes = tuple(self._quotes())
        if quotes:
            yield Quotes(quotes)
        left_out = self.account.left_out
        if left_out:
            yield Prose(said(self.words.said_left_out.of(left_out).format(number=self.voice.number(left_out))))

    def _quotes(self) -> Iterator[QuoteText]:
        for one in self.account.spoken:
            text = excerpt(one.text, _QUOTED)
            if not text:
                continue
            label = [self.story.source(one.source), self.voice.moment(one.published_at)]
            if one.reach:
                label.append(self.words.followers.format(number=self.voice.number(one.reach)))
            if one.copies:
                number = self.voice.number(one.copies)
                label.append(self.story.words.more_copies.of(one.copies).format(number=number))
            yield QuoteText(text=text, label=", ".join(label), url=safe_url(one.url))

    # ---------------------------------------------------------- answers and people

    def _answers(self) -> Iterator[Block]:
        answers, words, voice = self.account.answers, self.words, self.voice
        if not answers.asked:
            return
        if not answers.could_be_seen:
            yield Prose(said(words.nobody_could))
            return
        asked, answered = voice.number(answers.asked), voice.number(answers.answered)
        told = self.story.words.part_of.format(part=answered, whole=asked)
        if answers.answered_since > answers.answered:
            later = voice.number(answers.answered_since)
            told = words.answered_since.format(answered=answered, asked=asked, later=later)
        rows = [(words.answered, said(told))]
        if answers.median is not None:
            rows.append((words.median, said(voice.duration(answers.median, alone=True))))
        oldest = words.all_answered
        if answers.oldest_unanswered is not None:
            waited = self.account.ended_at - answers.oldest_unanswered
            oldest = f"{voice.moment(answers.oldest_unanswered)} ({voice.duration(waited, alone=True)})"
        rows.append((words.unanswered, said(oldest)))
        yield Facts(tuple(rows))

    def _people(self) -> Iterator[Block]:
        account, words, voice = self.account, self.words, self.voice
        told = [self._told(one) for one in account.told]
        rows = [(words.told, said("; ".join(told) or words.nobody_told))]
        if account.calls:
            number = voice.number(account.calls)
            rows.append(("", said(words.pages.of(account.calls).format(number=number))))
        had = [
            words.had_it_from.format(name=inert(name, 40), moment=voice.moment(at)) for name, at in _holders(account)
        ]
        rows.append((words.had_it, said(", ".join(had) or words.never_taken)))
        yield Facts(tuple(rows))

    def _told(self, one: Told) -> str:
        words, name = self.words, inert(one.channel, 40)
        if one.at is None:
            return words.told_never.format(channel=name)
        waited = one.at - self.account.incident.opened_at
        if waited < timedelta(minutes=1):
            return words.told_at_once.format(channel=name, moment=self.voice.moment(one.at))
        time = self.voice.duration(waited)
        return words.told_after.format(channel=name, moment=self.voice.moment(one.at), time=time)

    # ----------------------------------------------------------- what was not seen

    def _seen(self) -> Iterator[Block]:
        limits = honest(self.story)
        rows: list[tuple[str, Spans]] = []
        if self.account.gaps:
            rows.append((self.words.gaps, said("; ".join(map(self._gap, self.account.gaps)))))
        sight = self.account.evidence.sight
        is_whole = not self.account.gaps and all(one.blind_since is None and one.read_until for one in sight)
        if is_whole and sight and not limits:
            yield Prose(said(self.words.seen_whole.format(number=self.voice.number(len(sight)))))
            return
        if sight:
            rows.append((self.words.sight_at_end, coverage(self.story)))
        rows += [(self.words.lessons if not number else "", said(limit)) for number, limit in enumerate(limits)]
        if rows:
            yield Facts(tuple(rows))

    def _gap(self, gap: Gap) -> str:
        since, until = self.voice.between(gap.since, gap.until)
        name = self.story.source(gap.source)
        return self.words.gap.format(source=name, since=since, until=until, reason=inert(gap.reason, 120))

    # ----------------------------------------------------------- how it was counted

    def _counted(self) -> Iterator[Block]:
        story, words, voice, context = self.story, self.words, self.voice, self.account.context
        spike, evidence = self.account.incident.spike, self.account.evidence
        expected = f"{spike.expected:.1f}"
        if story.words.language == "de":
            expected = expected.replace(".", ",")
        rows = [
            (words.kind, words.rules[self.account.incident.kind.value]),
            (story.words.rule, inert(context.rule, 120)),
            (words.query, inert(context.query, 300)),
            (
                words.figures,
                "" if story.has_ended else words.expected.format(figures=figures(story), expected=expected),
            ),
            (words.compared, voice.span(spike.history, alone=True) if spike.history else ""),
        ]
        if evidence.mentions:
            judged = words.judged_as.format(
                mentions=voice.number(evidence.mentions),
                negatives=voice.number(evidence.negatives),
                unclear=voice.number(round(evidence.unclear_share * evidence.mentions)),
                model=inert(self.account.judge, 80),
            )
            rows.append((words.judged, judged.removesuffix("; ")))
        yield Facts(tuple((label, said(text)) for label, text in rows if text))


def _holders(account: Account) -> Iterator[tuple[str, datetime]]:
    """Yield who had the incident, from when: acknowledged, handed over."""
    before = ""
    for step in account.timeline:
        name = {"acknowledge": step.by, "hand_over": step.note or step.by}.get(step.act.value, before)
        if name != before:
            yield name, step.at
        before = "" if step.act.value == "lapse" else name
