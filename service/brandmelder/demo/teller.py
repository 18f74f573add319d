"""How the story goes: eight quiet weeks, a spot, a storm with its echo in the press, and a calm night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from brandmelder.demo import rhythm
from brandmelder.demo.events import Event, Kind
from brandmelder.demo.voices import Post, Voices
from brandmelder.model import Label

if TYPE_CHECKING:
    from random import Random

OWN_ACCOUNT = "nordfunk"
EDITORS = "Redaktion"

_QUIET_MOODS = {"negative": 0.28, "neutral": 0.44, "positive": 0.28}
_ANSWERED = {"negative": 0.5, "neutral": 0.35, "positive": 0.15}
_CRITICS = ("critic", "unnamed", "sarcasm", "dialect")
_CAUSES_AT_FIRST = {"spot": 0.5, "queue": 0.05, "delay": 0.03}
_CAUSES = {"spot": 0.1, "queue": 0.09, "delay": 0.08}
"""Shares of the critics who name what the storm is about; right after the spot most speak of the spot."""
_TRUTH = {"negative": Label.NEGATIVE, "neutral": Label.NEUTRAL, "positive": Label.POSITIVE}
_ECHO = (timedelta(minutes=52), timedelta(minutes=95), timedelta(minutes=140))
"""When the press writes about it, after the spot."""


class Teller:
    """Collects the events of one telling."""

    def __init__(self, chance: Random, *, start: datetime, onset: datetime, end: datetime) -> None:
        self.events: list[Event] = []
        self._languages: dict[str, str] = {}
        self._chance, self._voices = chance, Voices(chance)
        self._start, self._onset, self._end = start, onset, end
        self._storm_end = onset + rhythm.STORM

    def tell(self) -> tuple[Event, ...]:
        """Return the whole story in order of time."""
        self._articles()
        self._quiet_comments(self._start, self._onset)
        self._storm_comments()
        self._storm_replies()
        self._night()
        self._second_thoughts("quiet", since=self._start, until=self._onset)
        self._second_thoughts("storm", since=self._onset, until=self._storm_end)
        return tuple(sorted(self.events, key=lambda event: event.t))

    # --------------------------------------------------------------- articles

    def _articles(self) -> None:
        day = timedelta(days=1)
        for number in range(4):
            self._article("blog", "quiet", self._start + number * 14 * day)
        for number in range(11):
            self._article("press", "quiet", self._start + number * 5 * day + timedelta(hours=10, minutes=37))
        self._article("press", "spot", self._onset - timedelta(hours=5, minutes=53))
        self._article("blog", "spot", self._onset - timedelta(hours=2, minutes=58))
        for delay in _ECHO:
            self._article("press", "storm", self._onset + delay)

    def _article(self, source: Literal["blog", "press"], chapter: str, at: datetime) -> None:
        title, text = self._voices.say(source, chapter).text.split(" | ")
        own = source == "blog"
        self.events.append(
            Event(
                t=at,
                source=source,
                kind=Kind.ARTICLE,
                ref=self._next_ref("a"),
                author=OWN_ACCOUNT if own else EDITORS,
                title=title,
                text=text,
                own=own,
                truth=Label.NEGATIVE if source == "press" and chapter == "storm" else Label.NEUTRAL,
            )
        )

    # --------------------------------------------------------------- comments

    def _quiet_comments(self, since: datetime, until: datetime) -> None:
        moments = rhythm.arrivals(self._chance, since, until, rate=rhythm.quiet_rate, peak=rhythm.QUIET_PEAK)
        for at in moments:
            mood = self._weighted(_QUIET_MOODS)
            post = self._voices.greeted(self._voices.say("quiet", mood))
            comment = self._comment(post, self._voices.regular(), at, _TRUTH[mood])
            if self._chance.random() < _ANSWERED[mood]:
                delay = timedelta(seconds=self._chance.randint(20 * 60, 7 * 3600))
                answered_at = _in_office_hours(at + delay)
                if answered_at < until:
                    self._reply(self._voices.say("reply", mood, language=post.language), comment, answered_at)

    def _storm_comments(self) -> None:
        critics: list[str] = []
        moments = rhythm.arrivals(
            self._chance,
            self._onset,
            self._storm_end,
            rate=lambda moment: rhythm.storm_rate(moment - self._onset),
            peak=rhythm.STORM_PEAK,
        )
        for at in moments:
            post, truth = self._storm_post(at - self._onset)
            author = self._voices.stranger()
            if truth is Label.NEGATIVE:
                author = self._chance.choice(critics) if critics and self._chance.random() < 0.1 else author
                critics.append(author)
            self._comment(post, author, at, truth)

    def _storm_post(self, elapsed: timedelta) -> tuple[Post, Label]:
        """Defenders come late, copies not before somebody had the idea."""
        is_late, is_passed_on = elapsed > timedelta(minutes=35), elapsed > timedelta(minutes=20)
        weights = {"critic": 0.66, "neutral": 0.13, "defender": 0.17 if is_late else 0.07}
        weights["copied"] = 0.1 if is_passed_on else 0.0
        mood = self._weighted(weights)
        if mood == "critic":
            return self._critic(elapsed), Label.NEGATIVE
        if mood == "copied":
            return self._voices.copied(), Label.NEGATIVE
        return self._voices.say("storm", mood), Label.POSITIVE if mood == "defender" else Label.NEUTRAL

    def _critic(self, elapsed: timedelta) -> Post:
        causes = _CAUSES_AT_FIRST if elapsed < timedelta(minutes=12) else _CAUSES
        cause = self._weighted(causes | {"": 1 - sum(causes.values())})
        return self._voices.say("storm", cause) if cause else self._voices.say("storm", *_CRITICS)

    def _storm_replies(self) -> None:
        """The team answers, but too few and late."""
        at = self._onset + timedelta(minutes=47)
        while at < self._storm_end:
            open_questions = [
                event
                for event in self.events
                if event.truth is Label.NEGATIVE and event.kind is Kind.COMMENT and self._onset <= event.t < at
            ]
            question = self._chance.choice(open_questions)
            answer = self._voices.say("storm", "reply", language=self._languages[question.ref])
            self._reply(answer, question, at)
            at += timedelta(seconds=self._chance.randint(5 * 60, 15 * 60))

    def _night(self) -> None:
        for mood, count in (("negative", 3), ("neutral", 4), ("positive", 3)):
            for _ in range(count):
                span = int((self._end - self._storm_end).total_seconds()) - 1
                at = self._storm_end + timedelta(seconds=self._chance.randint(0, span))
                self._comment(self._voices.say("after", mood), self._voices.regular(), at, _TRUTH[mood])

    def _second_thoughts(self, chapter: str, *, since: datetime, until: datetime) -> None:
        """Some comments are edited, some deleted, some had to wait for approval."""
        answered = {event.parent for event in self.events}
        loose = [
            event
            for event in self.events
            if event.kind is Kind.COMMENT and not event.own and since <= event.t < until and event.ref not in answered
        ]
        chosen = self._chance.sample(loose, 8)
        for event in chosen[:3]:
            addendum = self._voices.say(chapter, "addendum").text
            text = f"{event.text}\n\n{addendum}"
            self._change(event, Kind.EDIT, text)
        for event in chosen[3:5]:
            self._change(event, Kind.DELETE, "")
        for event in chosen[5:]:
            held = timedelta(seconds=self._chance.randint(8 * 60, 14 * 60))
            self.events[self.events.index(event)] = replace(event, t=event.t + held, written_at=event.t)

    # ----------------------------------------------------------------- making

    def _comment(self, post: Post, author: str, at: datetime, truth: Label) -> Event:
        event = Event(
            t=at, source="blog", kind=Kind.COMMENT, ref=self._next_ref("c"), author=author, text=post.text, truth=truth
        )
        self.events.append(event)
        self._languages[event.ref] = post.language
        return event

    def _reply(self, post: Post, question: Event, at: datetime) -> None:
        self.events.append(
            Event(
                t=at,
                source="blog",
                kind=Kind.COMMENT,
                ref=self._next_ref("c"),
                author=OWN_ACCOUNT,
                text=post.text,
                parent=question.ref,
                own=True,
            )
        )

    def _change(self, event: Event, kind: Kind, text: str) -> None:
        delay = timedelta(seconds=self._chance.randint(5 * 60, 40 * 60))
        self.events.append(replace(event, t=event.t + delay, kind=kind, text=text, written_at=None))

    def _next_ref(self, letter: str) -> str:
        return f"{letter}{len(self.events) + 1}"

    def _weighted(self, weights: dict[str, float]) -> str:
        return self._chance.choices(list(weights), list(weights.values()))[0]


def _in_office_hours(moment: datetime) -> datetime:
    """Return `moment`, or the same minute after eight in the next morning that somebody works."""
    local = moment.astimezone(rhythm.ZONE)
    if 8 <= local.hour < 20:
        return moment
    day = local.date() + timedelta(days=local.hour >= 20)
    return datetime.combine(day, local.time().replace(hour=8), rhythm.ZONE).astimezone(UTC)
