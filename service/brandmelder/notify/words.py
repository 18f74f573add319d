"""What a language must be able to say: the catalogue that german.py and english.py fill.

Names in braces are filled with numbers and our own names only; what strangers wrote never passes through a template.
"""

from __future__ import annotations

from msgspec import Struct

from brandmelder.model import Course, SpikeKind


class Plural(Struct, frozen=True):
    """A noun with its number: `one` for 1, `many` for any other."""

    one: str
    many: str

    def of(self, count: int) -> str:
        """Return the form that goes with a count."""
        return self.one if count == 1 else self.many


class Words(Struct, frozen=True, kw_only=True):
    """One language."""

    language: str
    # numbers and times
    thousands: str
    percent: str
    hours_short: str
    days: Plural
    days_behind: Plural
    """Behind a preposition."""
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    moment: str
    about: str
    quote: tuple[str, str]
    joined: tuple[str, str]
    """Between the items of a list, and before the last."""
    # the first line
    subject: dict[SpikeKind, str]
    subject_short: dict[SpikeKind, Plural]
    in_window: str
    usual: str
    usual_none: str
    acknowledged: str
    ended: str
    dismissed: str
    test: str
    peak: str
    together: str
    # the sentence
    last_hour: str
    last_window: str
    between: str
    sentence_usual: str
    sentence_usual_one: str
    sentence_usual_none: str
    event_included: str
    rarity: str
    rarity_by_chance: str
    rarer_than_a_year: str
    weeks: Plural
    is_on_it: str
    test_sentence: str
    # labelled facts
    new: str
    sources: str
    beside: str
    more_beside: Plural
    who: str
    course: str
    answers: str
    similar: str
    skala: str
    rule: str
    runbook: str
    statement: str
    too_little_background: str
    further: str
    accounts: Plural
    big_reach: str
    no_copies: str
    copies: str
    copies_of_few: str
    more_copies: Plural
    insults: str
    defend: Plural
    courses: dict[Course, str]
    since_hours: str
    per_slot: str
    answered: str
    oldest: str
    case: str
    case_skala: str
    case_ends: dict[str, str]
    """How an earlier case ended: by itself, by a person's act, as no crisis."""
    skala_names: tuple[str, ...]
    skala_inputs: dict[str, Plural]
    """What decides a level, by the names of `skala.Community` and `skala.Media`."""
    media: str
    compared_with: str
    factor: str
    query: str
    part_of: str
    # what limits the finding
    floor: str
    floor_running: str
    floor_was_blind: str
    missing_since: str
    missing: str
    one_source: str
    late: str
    several_late: str
    unclear: str
    few_wrote: Plural
    are_copies: str
    about_topics: str
    topics: dict[str, str]
    campaign: str
    campaign_wrote: Plural
    estimated: str
    delayed: str
    learning: str
    corrected: str
    # coverage
    both_read: str
    all_read: str
    one_read: str
    some_read: str
    none_read: Plural
    read_until: str
    partly_read: str
    # footer and buttons
    on_call: str
    owner: str
    nobody: str
    nobody_acknowledged: str
    nobody_at_the_end: str
    states: dict[str, str]
    buttons: dict[str, str]
    # news in the thread
    severities: tuple[str, ...]
    severity_now: str
    severity_rises: str
    now: str
    still: str
    calms: str
    calm: str
    rises_again: str
    ages: str
    lingers: str
    eases: str
    gathers: str
    hands_over: str
    has_taken: str
    has_taken_again: str
    is_with: str
    open_again: str
    opens_again: str
    snoozed: str
    wakes: str
    woken: dict[str, str]
    """Why a snooze has ended: `over`, `doubled`, `class`."""
    source_classes: dict[str, str]
    joins: str
    takes_back: str
    figures_corrected: str
    ended_after: str
    calm_since: str
    ended_by: str
    cause: str
    big_critics: Plural
    taken_after: str
    not_taken: str
    first_answer: str
    answered_before: str
    no_answer: str
    severity_first_last: str
    severity_same: str
    no_crisis: str
    reason: str
    reasons: dict[str, str]
    budget_days: str
    budget_day: Plural
    # the picture
    first_hour: str
    events: Plural
    alarm: str
    per_bar: str
    as_of: str
    without: str
    without_since: str
    without_many: str
    learns: str
    counted: str
    usual_up_to: str
    """The names of the bars and of the edge of the usual, where a channel draws the picture itself."""
    in_minutes: str
    negative: dict[SpikeKind, Plural]
    """Behind a number in the headline of a picture."""
