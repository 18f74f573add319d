"""The life of an incident: what findings and people make of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.incident.lifecycle import LifecycleRules, consider, with_total
from brandmelder.incident.people import Asked, apply
from brandmelder.incident.transitions import ENGINE, PEOPLES_ACTS, RUNNING, TABLE, Change, Illegal
from brandmelder.model import BIN, Act, Course, Finding, Incident, IncidentId, MonitorId, Spike, SpikeKind, State

EVENING = datetime(2026, 12, 15, 19, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = LifecycleRules(monitor=MonitorId("nordfunk"))


def found(
    observed,
    *,
    bin_=0,
    pages=None,
    is_high=None,
    usual=(2, 6),
    open_bin=False,
    partial=False,
    seen=1.0,
    window=HOUR,
    hour=None,
):
    """Return what the detector says of the bin `bin_` bins into the evening; beyond twice the usual it pages."""
    start = EVENING + bin_ * BIN
    pages = observed >= 2 * max(1, usual[1]) if pages is None else pages
    return Finding(
        start=start,
        spike=Spike(
            kind=SpikeKind.NEGATIVE,
            since=start + BIN - window,
            until=start + BIN,
            window=window,
            observed=observed,
            usual_low=usual[0],
            usual_high=usual[1],
            expected=sum(usual) / 2,
            score=5.0 if pages else 1.0,
            is_open_bin=open_bin,
            is_partial=partial,
        ),
        pages=pages,
        is_high=observed > 1.5 * max(1, usual[1]) if is_high is None else is_high,
        seen=seen,
        hour=hour,
    )


class Life:
    """An incident that is told one finding after another, each as soon as its bin has ended."""

    def __init__(self, incident=None, rules=RULES):
        self.incident, self.rules, self.transitions, self.ids = incident, rules, [], 0

    def number(self):
        self.ids += 1
        return IncidentId(f"NF-2026-{self.ids:03d}")

    def sees(self, finding, now=None):
        late = timedelta(0) if finding.spike.is_open_bin else timedelta(minutes=1)
        change = consider(
            self.incident,
            finding,
            now=now or finding.spike.until + late,
            rules=self.rules,
            number=self.number,
        )
        return self._take(change)

    def does(self, act, by="Anna", at=EVENING + HOUR, **asked):
        change = apply(self.incident, Asked(act=act, by=by, **asked), at)
        return change if isinstance(change, Illegal) else self._take(change)

    def _take(self, change):
        self.incident = change.incident
        self.transitions += change.transitions
        return change

    @property
    def acts(self):
        return [step.act for step in self.transitions]


def opened(observed=38):
    life = Life()
    life.sees(found(observed))
    assert life.incident.state is State.OPEN
    return life


def calmed(life, first, last):
    for number in range(first, last):
        life.sees(found(3, bin_=number))
    return life


# ---------------------------------------------------------------- opening


def test_nothing_opens_on_a_finding_that_does_not_page():
    change = Life().sees(found(9, pages=False))
    assert change == Change(incident=None)


def test_a_severe_spike_opens_at_once():
    life = opened(38)
    assert life.acts == [Act.OPEN]
    assert life.incident.id == "NF-2026-001"
    assert life.incident.revision == 1
    assert life.incident.severity == life.incident.first_severity == 4
    assert life.incident.onset == EVENING + BIN - HOUR
    assert life.incident.course is Course.RISING
    assert not life.incident.is_provisional
    assert not life.incident.is_delayed


def test_a_slight_spike_waits_for_the_pause_and_for_a_further_bin():
    life = Life()
    life.sees(found(8, usual=(0, 2), open_bin=True), now=EVENING + timedelta(minutes=1))
    assert life.incident.state is State.PENDING
    life.sees(found(8, usual=(0, 2)), now=EVENING + timedelta(minutes=7))
    assert life.incident.state is State.PENDING, "the same bin confirms nothing"
    life.sees(found(8, bin_=1, usual=(0, 2), open_bin=True), now=EVENING + timedelta(minutes=5, seconds=30))
    assert life.incident.state is State.PENDING, "not five minutes yet"
    life.sees(found(9, bin_=1, usual=(0, 2), open_bin=True), now=EVENING + timedelta(minutes=8))
    assert life.incident.state is State.OPEN
    assert life.incident.opened_at == EVENING + timedelta(minutes=8)
    assert life.acts == [Act.SUSPECT, Act.OPEN]


def test_a_pending_spike_that_grows_severe_opens_without_waiting():
    life = Life()
    life.sees(found(8, usual=(0, 2)))
    life.sees(found(40, usual=(0, 2)))
    assert life.acts == [Act.SUSPECT, Act.OPEN]
    assert life.incident.first_severity == life.incident.severity >= 3


def test_a_pending_spike_that_calms_is_discarded_and_the_next_is_a_new_one():
    life = Life()
    life.sees(found(8, usual=(0, 2)))
    life.sees(found(1, bin_=1, usual=(0, 2)))
    assert life.incident.state is State.DISCARDED
    life.sees(found(38, bin_=2))
    assert life.incident.id == "NF-2026-002"
    assert life.acts == [Act.SUSPECT, Act.DISCARD, Act.OPEN]


def test_a_running_bin_never_discards():
    life = Life()
    life.sees(found(8, usual=(0, 2)))
    assert life.sees(found(0, bin_=1, usual=(0, 2), open_bin=True)).transitions == ()


def test_settled_bins_before_the_one_that_opened_say_nothing():
    life = Life()
    life.sees(found(8, bin_=3, usual=(0, 2), open_bin=True))
    before = life.incident
    for number in range(3):
        assert life.sees(found(0, bin_=number, usual=(0, 2))) == Change(incident=before)


def test_a_spike_that_ended_half_an_hour_ago_is_delayed():
    life = Life()
    life.sees(found(38), now=EVENING + BIN + timedelta(minutes=31))
    assert life.incident.is_delayed


@pytest.mark.parametrize(("width", "calm"), [(BIN, 24), (HOUR / 2, 4), (HOUR, 2), (6 * HOUR, 1), (24 * HOUR, 1)])
def test_an_incident_ends_after_two_calm_hours_however_wide_the_bins_are(width, calm):
    life = Life()
    for number in range(calm + 1):
        one, start = found(1 if number else 60, window=width), EVENING + number * width
        spike = replace(one.spike, since=start, until=start + width)
        life.sees(replace(one, start=start, spike=spike), now=start + width)
        assert (life.incident.state is State.RESOLVED) is (number == calm)


def test_figures_of_a_running_bin_are_provisional_until_corrected_in_place():
    life = Life()
    life.sees(found(33, open_bin=True))
    assert life.incident.is_provisional
    change = life.sees(found(34))
    assert [step.act for step in change.transitions] == [Act.CORRECT]
    assert change.transitions[0].note == "33 → 34"
    assert not life.incident.is_provisional
    assert life.incident.spike.observed == 34


@pytest.mark.parametrize(
    "settled", [found(61, bin_=3), found(61, window=2 * HOUR)], ids=["of a later bin", "of another window"]
)
def test_another_number_is_no_correction_of_the_provisional_one(settled):
    life = Life()
    life.sees(found(33, open_bin=True))
    first, *_ = life.sees(settled).transitions
    assert (first.act, first.note) == (Act.CORRECT, "61 → 61")


def test_a_longer_window_that_still_holds_the_storm_is_no_growth():
    """What was told of a storm over for an hour: "rising again: 61 in 2 h", beside 0 → 0 → 0."""
    life = Life()
    for bin_, observed in enumerate((60, 61, 61, 50, 40, 30, 25, 20, 16, 14)):
        life.sees(found(observed, bin_=3 * bin_, hour=observed))
    assert life.incident.course is Course.SUBSIDING
    change = life.sees(found(61, bin_=33, window=2 * HOUR, hour=3))
    assert life.incident.course is Course.SUBSIDING
    assert change.transitions == ()
    assert life.sees(found(40, bin_=37, window=HOUR / 4, hour=43)).transitions[-1].note == "rising"


def test_a_window_that_grows_with_the_storm_is_no_sign_of_more():
    life = Life()
    for bin_, (observed, hour) in enumerate([(150, 150), (190, 171), (207, 150), (222, 110), (229, 70)]):
        life.sees(found(observed, bin_=5 * bin_, window=HOUR + 5 * bin_ * BIN, hour=hour))
    assert life.incident.course is Course.SUBSIDING


def test_figures_stay_provisional_while_a_source_is_blind():
    life = Life()
    life.sees(found(33, partial=True))
    life.sees(found(33, bin_=1, partial=True))
    assert life.incident.is_provisional
    life.sees(found(33, bin_=2))
    assert life.acts == [Act.OPEN, Act.CORRECT]


# ---------------------------------------------------------------- running


def test_it_worsens_when_severity_rises_and_keeps_the_first():
    life = opened(25)
    life.sees(found(160, bin_=6))
    assert life.acts == [Act.OPEN, Act.WORSEN]
    assert (life.incident.first_severity, life.incident.severity) == (3, 5)
    assert life.transitions[-1].note == "3 → 5"
    life.sees(found(30, bin_=7))
    assert life.incident.severity == 5, "severity never falls; the course does"
    assert life.incident.course is Course.SUBSIDING


def test_a_running_bin_may_worsen_but_moves_nothing_else():
    life = opened(25)
    assert life.sees(found(26, bin_=1, open_bin=True)) == Change(incident=life.incident)
    life.sees(found(160, bin_=1, open_bin=True))
    assert life.acts == [Act.OPEN, Act.WORSEN]
    assert life.incident.is_provisional


def test_an_acknowledged_incident_stays_acknowledged_while_it_worsens():
    life = opened(25)
    life.does(Act.ACKNOWLEDGE)
    life.sees(found(160, bin_=12))
    assert life.incident.state is State.ACKNOWLEDGED


def test_figures_change_without_a_transition():
    life = opened(38)
    change = life.sees(found(40, bin_=1))
    assert change.transitions == ()
    assert (life.incident.revision, life.incident.spike.observed, life.incident.peak) == (1, 40, 40)


def test_the_peak_and_its_window_belong_together():
    life = opened(38)
    life.sees(found(60, bin_=1, window=6 * HOUR))
    assert (life.incident.peak, life.incident.peak_window) == (38, HOUR)
    life.sees(found(60, bin_=2))
    assert (life.incident.peak, life.incident.peak_window) == (60, HOUR)


def test_it_turns_once_when_it_subsides_and_once_when_it_rises_again():
    life = opened(40)
    for number, observed in enumerate([42, 44, 43, 40, 30, 26, 24, 22, 20], start=1):
        life.sees(found(observed, bin_=number))
    assert life.acts == [Act.OPEN, Act.TURN]
    assert life.transitions[-1].note == "subsiding"
    for number, observed in enumerate([22, 24, 28, 34, 40, 44], start=10):
        life.sees(found(observed, bin_=number))
    assert life.acts == [Act.OPEN, Act.TURN, Act.TURN]
    assert life.transitions[-1].note == "rising"


def test_it_ages_every_four_hours_while_it_stays_high():
    life = opened(40)
    for number in range(1, 12 * 9):
        life.sees(found(40, bin_=number))
    assert life.acts == [Act.OPEN, Act.AGE, Act.AGE]
    assert life.incident.course is Course.HIGH


# ---------------------------------------------------------------- the end


def test_it_ends_by_itself_after_two_calm_hours():
    life = opened(38)
    calmed(life, 1, 24)
    assert life.incident.state is State.OPEN
    assert life.incident.course is Course.CALM
    life.sees(found(3, bin_=24))
    assert life.incident.state is State.RESOLVED
    assert life.incident.closed_by == ENGINE
    assert life.incident.calm_since == EVENING + BIN
    assert life.acts == [Act.OPEN, Act.TURN, Act.RESOLVE]


def test_a_long_storm_needs_a_quarter_of_its_length_in_calm():
    life = opened(38)
    for number in range(1, 144):
        life.sees(found(38, bin_=number))
    calmed(life, 144, 144 + 36)
    assert life.incident.state is State.OPEN, "twelve hours want more than three of calm"
    calmed(life, 144 + 36, 144 + 40)
    assert life.incident.state is State.RESOLVED


def test_one_busy_bin_starts_the_calm_anew():
    life = opened(38)
    calmed(life, 1, 20)
    life.sees(found(8, bin_=20))
    assert life.incident.calm_since is None
    calmed(life, 21, 30)
    assert life.incident.state is State.OPEN


def test_silence_is_not_calm_while_sources_are_blind():
    life = opened(38)
    for number in range(1, 60):
        life.sees(found(0, bin_=number, partial=True, seen=0.7))
    assert life.incident.state is State.OPEN, "a partial view must be calm three times as long"
    life = opened(38)
    for number in range(1, 500):
        life.sees(found(0, bin_=number, partial=True, seen=0.2))
    assert life.incident.state is State.OPEN, "who sees nothing ends nothing"
    assert life.incident.calm_since is None


def test_a_running_bin_never_closes():
    life = opened(38)
    calmed(life, 1, 24)
    life.sees(found(0, bin_=24, open_bin=True))
    assert life.incident.state is State.OPEN


def test_a_resolved_incident_reopens_within_the_grace_period():
    life = opened(38)
    life.does(Act.ACKNOWLEDGE)
    calmed(life, 1, 25)
    life.sees(found(38, bin_=60))
    assert life.incident.id == "NF-2026-001"
    assert life.incident.state is State.OPEN
    assert life.acts[-2:] == [Act.RESOLVE, Act.REOPEN]
    assert life.incident.closed_at is life.incident.closed_by is life.incident.acknowledged_by is None


def test_a_spike_after_the_grace_period_is_a_new_incident():
    life = opened(38)
    calmed(life, 1, 25)
    life.sees(found(38, bin_=24 + 73))
    assert life.incident.id == "NF-2026-002"
    assert life.acts[-1] is Act.OPEN


@pytest.mark.parametrize("act", [Act.RESOLVE, Act.DISMISS])
def test_what_a_person_ended_stays_silent_until_it_was_calm_once(act):
    life = opened(38)
    life.does(act)
    for number in range(1, 30):
        assert life.sees(found(45, bin_=number)).transitions == ()
    life.sees(found(3, bin_=30))
    life.sees(found(38, bin_=31))
    assert life.incident.id == "NF-2026-002"
    assert life.incident.state is State.OPEN


@pytest.mark.parametrize("act", [Act.RESOLVE, Act.DISMISS])
def test_what_a_person_ended_speaks_again_when_it_doubles(act):
    life = opened(38)
    life.does(act, note="bots")
    life.sees(found(76, bin_=3))
    assert life.incident.id == "NF-2026-001"
    assert life.incident.state is State.OPEN
    assert life.incident.label is None
    assert life.transitions[-1].note == "38 → 76"


def test_a_short_window_alone_does_not_count_as_doubled():
    life = opened(38)
    life.does(Act.DISMISS)
    assert life.sees(found(12, bin_=3, window=BIN)).transitions == ()


# ---------------------------------------------------------------- people


def test_the_first_to_acknowledge_wins_and_the_second_is_told_who():
    life = opened()
    life.does(Act.ACKNOWLEDGE, by="Anna")
    refusal = life.does(Act.ACKNOWLEDGE, by="Ben")
    assert refusal == Illegal(act=Act.ACKNOWLEDGE, state=State.ACKNOWLEDGED, by="Anna", at=EVENING + HOUR)
    assert refusal.text == "Anna acknowledged it first."
    assert life.incident.acknowledged_by == "Anna"


def test_asking_again_for_what_one_did_changes_nothing():
    life = opened()
    life.does(Act.ACKNOWLEDGE)
    assert life.does(Act.ACKNOWLEDGE) == Change(incident=life.incident)


def test_an_incident_is_handed_over_by_name():
    life = opened()
    assert isinstance(life.does(Act.HAND_OVER, note="Ben"), Illegal)
    life.does(Act.ACKNOWLEDGE)
    life.does(Act.HAND_OVER, note="Ben")
    assert life.incident.acknowledged_by == "Ben"
    assert life.transitions[-1].by == "Anna"


@pytest.mark.parametrize(("note", "label"), [("bots", "bots"), ("own_campaign", "own_campaign"), ("so halt", "other")])
def test_a_dismissal_is_labelled_with_its_reason(note, label):
    life = opened()
    life.does(Act.DISMISS, note=note)
    assert life.incident.state is State.DISMISSED
    assert life.incident.label == label
    assert life.transitions[-1].note == note


def test_a_person_reopens_what_ended():
    life = opened()
    life.does(Act.RESOLVE)
    life.does(Act.REOPEN, by="Ben")
    assert life.incident.state is State.OPEN
    assert life.incident.closed_by is None
    assert life.transitions[-1].by == "Ben"


@pytest.mark.parametrize("act", [Act.WORSEN, Act.OPEN, Act.DISCARD, Act.TURN])
def test_people_do_not_do_what_the_engine_does(act):
    assert isinstance(opened().does(act), Illegal)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (State.PENDING, "The incident is not confirmed yet; nobody was told of it."),
        (State.OPEN, "The incident is open; nobody has acknowledged it yet."),
        (State.ACKNOWLEDGED, "Anna acknowledged it first."),
        (State.RESOLVED, "Anna resolved it already."),
        (State.DISMISSED, "Anna dismissed it already."),
        (State.DISCARDED, "The incident calmed before it was confirmed."),
    ],
)
def test_a_refusal_says_why(state, text):
    assert Illegal(act=Act.REOPEN, state=state, by="Anna").text == text


def test_an_end_by_the_engine_is_told_as_its_own():
    life = calmed(opened(38), 1, 25)
    refusal = life.does(Act.RESOLVE)
    assert refusal.text == "Brandmelder resolved it already."


def test_the_total_never_falls():
    incident = opened(38).incident
    assert with_total(incident, 111).total == 111
    assert with_total(incident, 12).total == 38


def test_every_state_a_person_can_meet_has_a_way_out():
    for state in State:
        exits = [act for before, act in TABLE if before is state]
        assert exits or state is State.DISCARDED


# ---------------------------------------------------------------- properties

_findings = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(1, 30),
        st.booleans(),
        st.booleans(),
        st.sampled_from([0.0, 0.6, 1.0]),
        st.sampled_from([BIN, HOUR, 6 * HOUR]),
    ),
    max_size=60,
)
_acts = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(sorted(Act)), st.sampled_from(["Anna", "Ben"])))


def _replay(findings, acts):
    life, bin_ = Life(), 0
    timeline = [life.incident]
    for place, (observed, step, is_open, is_partial, seen, window) in enumerate(findings):
        bin_ += step
        life.sees(
            found(observed, bin_=bin_, open_bin=is_open, partial=is_partial or seen < 1, seen=seen, window=window)
        )
        timeline.append(life.incident)
        for when, act, by in acts:
            if when == place and life.incident is not None:
                life.does(act, by=by, at=EVENING + bin_ * BIN)
                timeline.append(life.incident)
    return life, timeline


@settings(max_examples=300, deadline=None)
@given(_findings, _acts)
def test_only_legal_states_one_revision_for_each_transition_and_at_most_one_running(findings, acts):
    life, timeline = _replay(findings, acts)
    for step in life.transitions:
        assert TABLE[step.before, step.act] is step.after
        assert step.act in PEOPLES_ACTS or step.by == ENGINE
        assert step.act not in PEOPLES_ACTS - {Act.RESOLVE, Act.REOPEN} or step.by != ENGINE
    for ident in {step.incident for step in life.transitions}:
        steps = [step for step in life.transitions if step.incident == ident]
        assert [step.revision for step in steps] == list(range(1, len(steps) + 1))
        assert all(one.after is two.before for one, two in pairwise(steps))
    for before, after in pairwise(timeline):
        if before is not None and before.id != after.id:
            assert before.state not in RUNNING, "a second incident while one runs"
    _figures_hold(timeline)


def _figures_hold(timeline):
    for one in filter(None, timeline):
        assert 1 <= one.first_severity <= one.severity <= 5
        assert one.peak <= one.total
        assert (one.state is State.ACKNOWLEDGED) <= (one.acknowledged_by is not None)
        assert (one.state in RUNNING) == (one.closed_at is None)
        assert len(one.trail) <= 37


@settings(max_examples=100, deadline=None)
@given(_findings, _acts)
def test_a_replay_gives_the_same_timeline_and_a_prefix_gives_a_prefix(findings, acts):
    whole, _ = _replay(findings, acts)
    assert _replay(findings, acts)[0].transitions == whole.transitions
    half, _ = _replay(findings[: len(findings) // 2], acts)
    assert half.transitions == whole.transitions[: len(half.transitions)]


def test_an_incident_without_a_trail_is_taken_as_it_is():
    bare = replace(opened(38).incident, trail=())
    assert isinstance(bare, Incident)
    life = Life(bare)
    life.sees(found(40, bin_=1))
    assert life.incident.spike.observed == 40
    pending = Life(replace(bare, state=State.PENDING, severity=1, first_severity=1))
    pending.sees(found(8, bin_=2, usual=(0, 2)), now=EVENING + HOUR)
    assert pending.incident.state is State.OPEN
