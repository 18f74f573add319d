"""What must hold whatever goes wrong, told from the truth of the world: a list of complaints, empty if all is well.

L nothing lost · T no twin · X no invented page · K store sound · S legal states, nothing stuck ·
D delay labelled · P what people asked is done once, and answered · C what was deleted is quoted nowhere ·
F told elsewhere where a channel does not confirm
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from math import inf

from brandmelder.incident.transitions import TABLE
from brandmelder.model import Act, DeliveryKind, DeliveryState, State
from brandmelder.notify.stand_in import CONFIRM
from brandmelder.store import clicks, deliveries, incidents, series
from simulation import plan as plans

MINUTE = timedelta(minutes=1)
MOVES = {
    "due": {"due", "sending", "superseded", "dead"},
    "sending": {"sent", "due", "unclear", "dead", "sending"},  # noted as told elsewhere while its sending hangs
    "unclear": {"unclear", "sent", "due", "dead"},
    "sent": {"sent"},
    "dead": {"dead", "due", "sent", "superseded"},
    "superseded": {"superseded", "due"},
}
"""What a delivery may become; the table of notify/delivery.py, with the shelter's ways."""
_STEPS = {(before.value if before else None, after.value) for (before, _), after in TABLE.items()}


def complaints(world):
    """Return everything that is wrong with a world at its end, each with the letter of its oracle."""
    return [found for oracle in ORACLES for found in oracle(_Scene(world))]


class _Scene:
    """What the oracles look at."""

    def __init__(self, world):
        self.world, self.plan = world, world.plan
        run = world.disk.database.run_now
        self.run, self.raw = run, world.disk.raw
        self.incidents = [one for one, _ in run(incidents.all_incidents)]
        self.deliveries = run(deliveries.all_deliveries)
        self.monitors = [brand.lower() for brand in world.plan.shape.brands]

    def timeline(self, incident):
        return self.run(incidents.timeline, incident.id)

    def seconds(self, moment):
        return (moment - plans.START).total_seconds()

    @property
    def wrong_clock(self):
        return max((abs(wrong) for _, wrong in self.plan.clock_steps), default=timedelta(0))


def nothing_is_lost(scene):
    world = scene.world
    for place in world.places.values():
        written = {one.external_id for one in place.log if not one.removed and one.visible <= world.time.true - MINUTE}
        gone = {one.external_id for one in place.log if one.removed}
        if place.habits.window is not None:  # what is taken away between two visits was never seen
            written -= gone
        stored = {row[0] for row in scene.raw.execute("SELECT external_id FROM mention WHERE source = ?", (place.id,))}
        late = _not_yet_polled(scene, place)
        missing = {one for one in written - stored if one not in late}
        if missing:
            yield f"L: {len(missing)} mentions of {place.id} are not in the store: {sorted(missing)[:3]}"
        if strange := stored - {one.external_id for one in place.log}:
            yield f"L: the store invented {sorted(strange)[:3]}"
        yield from _all_is_counted(scene, place)
    waiting = scene.raw.execute("SELECT count(*) FROM mention WHERE judged = 0").fetchone()[0]
    if waiting:
        yield f"L: {waiting} mentions were never judged"
    for number, storm in enumerate(scene.plan.storms):
        yield from _is_told(scene, storm, is_first=storm.brand not in [one.brand for one in scene.plan.storms[:number]])


def _all_is_counted(scene, place):
    """Each complaint that is stored stands in the ledger of its monitor."""
    changed = {one.external_id for one in place.log if one.removed or one.edited}
    angry = {one.external_id for one in place.log if one.is_angry} - changed
    rows = scene.raw.execute(
        "SELECT external_id FROM mention WHERE source = ? AND NOT EXISTS "
        "(SELECT 1 FROM match WHERE match.mention = mention.id)",
        (place.id,),
    )
    uncounted = angry & {row[0] for row in rows}
    if uncounted:
        yield f"L: {len(uncounted)} complaints of {place.id} count for nobody: {sorted(uncounted)[:3]}"


def _not_yet_polled(scene, place):
    """What became visible since the source was last read."""
    row = scene.raw.execute("SELECT last_success_at FROM source WHERE id = ?", (place.id,)).fetchone()
    last = scene.world.moment(row[0]) if row[0] else plans.START
    return {one.external_id for one in place.log if one.visible >= last - 5 * MINUTE - scene.wrong_clock}


def _is_told(scene, storm, *, is_first):
    if not is_first or storm.visible_from > plans.START + scene.plan.faulty + 10 * MINUTE:
        return
    mine = [one for one in scene.incidents if one.monitor == storm.monitor]
    told = [one for one in mine if one.opened_at >= storm.begin - MINUTE - scene.wrong_clock]
    if not told:
        yield f"L: the storm of {storm.count} about {storm.brand} at {storm.begin:%H:%M} opened nothing"
        return
    for incident in mine:
        yield from _was_shown(scene, incident)


def _was_shown(scene, incident):
    """Every incident that was opened stood in its channel at some time, or in that of the one that tells of it."""
    if incident.state in {State.PENDING, State.DISCARDED} or incident.under is not None:
        return
    for channel in scene.plan.shape.to:
        place = getattr(scene.world, channel)
        kept = [one for one in place.posts.values() if one.key.startswith(f"{incident.id}:open")]
        if not any(one.at <= scene.world.time.seconds for one in kept):
            yield f"L: {incident.id} was never shown in {channel}"


def nobody_is_told_twice(scene):
    for place in (scene.world.crisis, scene.world.post):
        for key, count in Counter(one.key for one in place.visible()).items():
            if count > 1:
                refs = [one.ref for one in place.visible() if one.key == key]
                yield f"T: {key} stands {count} times in {place.name}: {refs}"
    yield from _nobody_was_told_twice(scene)


def _nobody_was_told_twice(scene):
    """Not even for a while, unless nobody could look: then it is told again and says so. Sweeps heal that, no more."""
    excused = {one.key for one in scene.deliveries if one.possible_repeat}
    if scene.plan.clock_steps:  # what may have arrived is looked for by the clock
        return
    for place in (scene.world.crisis, scene.world.post):
        told = defaultdict(list)
        for one in sorted(place.posts.values(), key=lambda one: one.at):
            told[one.key].append(one)
        for key in told.keys() - excused:
            for first, second in pairwise(told[key]):
                if second.at < min(first.gone_at or inf, scene.world.time.seconds):
                    yield f"T: {key} stood twice in {place.name} from second {second.at:.0f} on"


def nothing_is_invented(scene):
    slack = 10 * MINUTE + scene.wrong_clock
    for incident in scene.incidents:
        if incident.state in {State.PENDING, State.DISCARDED}:
            continue
        storms = [one for one in scene.plan.storms if one.monitor == incident.monitor]
        if not any(one.begin - slack <= incident.opened_at for one in storms):
            yield f"X: {incident.id} opened at {incident.opened_at:%H:%M:%S} ({incident.peak}) with no storm behind it"
    known = {one.key for one in scene.deliveries}
    for place in (scene.world.crisis, scene.world.post):
        for post in place.visible():
            if post.key not in known:
                yield f"X: {post.key} stands in {place.name}, and no delivery promised it"


def the_store_is_sound(scene):
    verdict = scene.raw.execute("PRAGMA integrity_check").fetchone()[0]
    if verdict != "ok":
        yield f"K: {verdict}"
    yield from _bins_are_their_ledger(scene)
    yield from _ledger_is_the_truth(scene)
    for incident in scene.incidents:
        numbers = [step.revision for step in scene.timeline(incident)]
        if sorted(set(numbers)) != numbers or (numbers and numbers[-1] > incident.revision):
            yield f"K: the timeline of {incident.id} has revisions {numbers}, the incident {incident.revision}"


def _bins_are_their_ledger(scene):
    ledger = _sums(scene, "SELECT monitor, published_at - published_at % 300, source, total, labelled FROM match")
    bins = _sums(scene, "SELECT monitor, start, source, total, labelled FROM bin")
    if ledger != bins:
        yield f"K: bins differ from their ledger: {dict(list(bins.items() ^ ledger.items())[:3])}"


def _sums(scene, statement):
    found = Counter()
    for monitor, start, source, total, labelled in scene.raw.execute(statement):
        found[monitor, start, source, "total"] += total
        found[monitor, start, source, "labelled"] += labelled
    return {key: round(value, 6) for key, value in found.items()}


def _ledger_is_the_truth(scene):
    """Each mention stands in the bin of its event time, however late it came."""
    for place in scene.world.places.values():
        truth = {one.external_id: int(one.published.timestamp()) for one in place.log}
        rows = scene.raw.execute(
            "SELECT external_id, match.published_at FROM match JOIN mention ON mention.id = match.mention "
            "WHERE mention.source = ?",
            (place.id,),
        )
        wrong = [external for external, at in rows if truth.get(external) != at]
        if wrong:
            yield f"K: {len(wrong)} mentions of {place.id} are counted at another time than theirs: {wrong[:3]}"


def moves_are_legal(scene):
    for what, ident, before, after in scene.world.disk.moved():
        if what == "delivery" and after not in MOVES[before]:
            yield f"S: delivery {ident} went from {before} to {after}"
        if what == "incident":
            (old, old_revision), (new, new_revision) = before.split(), after.split()
            if old != new and (old, new) not in _STEPS:
                yield f"S: incident {ident} went from {old} to {new}"
            if int(new_revision) < int(old_revision):
                yield f"S: incident {ident} went back from revision {old_revision} to {new_revision}"


def what_was_discarded_is_not_sent(scene):
    for post in scene.world.crisis.posts.values():
        if post.key in scene.world.discarded:
            yield f"S: {post.key} was discarded before it was sent, and sent at second {post.at:.0f} all the same"


def nothing_is_stuck(scene):
    stuck = {DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.UNCLEAR}
    now = scene.world.time.true
    for one in scene.deliveries:
        if one.state in stuck and now - max(one.created_at, _healed(scene)) > 20 * MINUTE:
            yield f"S: {one.key} is still {one.state.value} ({one.attempts} attempts, {one.last_error})"
    for monitor in scene.monitors:
        row = scene.run(series.read_monitor, monitor)
        if row is None or row.evaluated_through is None or now - row.evaluated_through > 25 * MINUTE:
            yield f"S: {monitor} was last evaluated through {row and row.evaluated_through}"
    for ident, at in scene.raw.execute("SELECT id, next_poll_at FROM source"):
        if at < now.timestamp() - 60 or at > now.timestamp() + 16 * 60:
            yield f"S: source {ident} is asked next at {scene.world.moment(at):%H:%M:%S}"


def _healed(scene):
    return plans.START + scene.plan.faulty


def delay_is_labelled(scene):
    for incident in scene.incidents:
        first = next((step for step in scene.timeline(incident) if step.act is Act.OPEN), None)
        if first is None:
            continue
        storms = [one for one in scene.plan.storms if one.monitor == incident.monitor and one.begin <= first.at]
        newest = max((one.end for one in storms), default=first.at)
        if first.at - newest > 32 * MINUTE + scene.wrong_clock and not incident.is_delayed:
            yield f"D: {incident.id} opened {first.at - newest} after its storm and is not called delayed"
    for post in scene.world.post.posts.values():
        one = next((one for one in scene.deliveries if one.key == post.key), None)
        if one is not None and one.instead_of is not None and not post.first.honest:
            yield f"D: {post.key} stands in for {one.instead_of} and does not say so"


def people_are_heard(scene):
    waiting, unanswered = scene.run(clicks.waiting), scene.run(clicks.unanswered)
    if waiting:
        yield f"P: {len(waiting)} clicks were never applied: {[one.click.act for one in waiting]}"
    if unanswered:
        yield f"P: {len(unanswered)} clicks were never answered: {[one.click.act for one in unanswered]}"
    for incident in scene.incidents:
        timeline = scene.timeline(incident)
        for act in (Act.SNOOZE, Act.HAND_OVER, Act.DISMISS):
            done = sum(step.act is act for step in timeline)
            asked = sum(
                found["click"].act == act.value and found["click"].incident == incident.id
                for found in scene.world.clicks.values()
            )
            asked += act is Act.DISMISS and incident.id in scene.world.dismissed
            if done > asked:
                yield f"P: {incident.id} was {act.value}d {done} times and asked for {asked} times"
        yield from _snoozes_end(scene, incident, timeline)


def _snoozes_end(scene, incident, timeline):
    now = scene.world.time.true
    if incident.snooze is not None and incident.snooze.until < now - 5 * MINUTE and incident.state in incidents.RUNNING:
        yield f"P: the snooze of {incident.id} should have ended at {incident.snooze.until:%H:%M}"
    pressed = [one["click"] for one in scene.world.clicks.values() if one["click"].incident == incident.id]
    longest = timedelta(seconds=max((one.seconds for one in pressed), default=0))
    for place, step in enumerate(timeline):
        if step.act is not Act.SNOOZE:
            continue
        later = [one.act for one in timeline[place + 1 :]]
        ended = {Act.WAKE, Act.RESOLVE, Act.DISMISS, Act.SNOOZE, Act.OPEN, Act.REOPEN}
        if not ended & set(later) and now - max(step.at + longest, _healed(scene)) > 6 * MINUTE:
            yield f"P: {incident.id} was snoozed at {step.at:%H:%M} and never spoke again"


def who_is_on_call_is_called(scene):
    """What nobody acknowledged calls the next."""
    if not scene.plan.shape.escalates:
        return
    for incident in scene.incidents:
        timeline = scene.timeline(incident)
        people = [step for step in timeline if step.by != "brandmelder"]
        opened = next((step.at for step in timeline if step.act is Act.OPEN), None)
        if people or opened is None or incident.state is not State.OPEN or incident.under is not None:
            continue
        waited = scene.world.time.true - max(opened, _healed(scene))
        calls = [step for step in timeline if step.act is Act.ESCALATE]
        if waited > 22 * MINUTE and len(calls) < 2:
            yield f"P: {incident.id} waits since {opened:%H:%M}, and {len(calls)} of 2 steps called somebody"


def what_is_gone_is_quoted_nowhere(scene):
    gone = {
        one.external_id: Counterpart(place.id, one)
        for place in scene.world.places.values()
        for one in place.log
        if one.removed and one.visible <= scene.world.time.true - 12 * MINUTE
    }
    shown = {(post.ref, post.text) for post in scene.world.crisis.alerts()}
    standing = {
        Counterpart(place.id, one).text
        for place in scene.world.places.values()
        for one in place.log
        if one.is_angry and one.external_id not in gone
    }
    for found in gone.values():
        for ref, text in shown:
            if found.text in text and found.text not in standing:  # two people may say the same
                yield f"C: {found.item.external_id} was taken away at {found.item.visible:%H:%M} and is quoted in {ref}"


class Counterpart:
    """An item that is gone, and what it said."""

    def __init__(self, source, item):
        self.source, self.item = source, item
        from pipeline.world import complaint

        self.text = complaint(item.number).replace("Nordfunk", item.brand)


def somebody_else_is_told(scene):
    if not scene.plan.shape.has_fallback:
        return
    post = scene.world.post
    for one in scene.deliveries:
        if one.kind is not DeliveryKind.OPEN or one.channel != "crisis" or "fallback" in (one.last_error or ""):
            continue
        confirmed = one.confirmed_at or scene.world.time.true
        patience = CONFIRM + 5 * MINUTE + _hindered(scene, one.created_at, confirmed)
        if confirmed - one.created_at > patience and one.state is not DeliveryState.SUPERSEDED:
            key, until = one.key.replace(":crisis", ":post"), scene.seconds(one.created_at + patience)
            told = [found for found in post.posts.values() if found.key == key and found.at <= until]
            if not told:
                yield f"F: {one.key} was not confirmed for {confirmed - one.created_at}, and post told nothing in time"


def _hindered(scene, since, until):
    """Return how much of a span the process was not there, could not write, or went by a clock that was wrong."""
    spans = [*scene.world.downs, *scene.plan.locked, *scene.plan.full]
    begin, end = scene.seconds(since), scene.seconds(until)
    seconds = sum(max(0.0, min(upto, end) - max(at, begin)) for at, upto in spans)
    return timedelta(seconds=seconds) + 2 * scene.wrong_clock


def alerts_show_what_is(scene):
    """Once everything is well again, the alert shows how the incident stands."""
    newest = {}
    for post in scene.world.crisis.alerts():
        newest[post.message.incident] = post
    for incident in scene.incidents:
        post = newest.get(incident.id)
        if post is None or post.message.subject is None or incident.changed_at > scene.world.time.true - 5 * MINUTE:
            continue
        if post.message.subject.state is not incident.state:
            yield (
                f"V: {incident.id} is {incident.state.value} since {incident.changed_at:%H:%M:%S}, its alert says "
                f"{post.message.subject.state.value}"
            )


ORACLES = (
    nothing_is_lost,
    nobody_is_told_twice,
    nothing_is_invented,
    the_store_is_sound,
    moves_are_legal,
    what_was_discarded_is_not_sent,
    nothing_is_stuck,
    delay_is_labelled,
    people_are_heard,
    who_is_on_call_is_called,
    what_is_gone_is_quoted_nowhere,
    somebody_else_is_told,
    alerts_show_what_is,
)
