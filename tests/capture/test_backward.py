"""Lists that page from the newest to the oldest: whatever happens between two pages, nothing is lost unsaid."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.capture.backward import ANCHORS, Bounds, Page, recall, turn_page
from brandmelder.model import Mention, SourceId
from capture.conftest import NOW

PLACE = SourceId("forum")
MINUTE = timedelta(minutes=1)
BOUNDS = Bounds(history=timedelta(days=30), pages=50)
SIZE = 10


class Service:
    """A list of mentions, newest first, ten a page; its page token is the id before which to go on."""

    def __init__(self, shown: int | None = None) -> None:
        self.posts: list[Mention] = []
        self.shown = shown
        self.written = 0

    def write(self, count: int, at) -> None:
        for _ in range(count):
            self.written += 1
            name = str(self.written)
            self.posts.append(Mention(source=PLACE, external_id=name, text=name, published_at=at, captured_at=at))

    def delete(self, number: int) -> None:
        self.posts = [one for one in self.posts if one.external_id != str(number)]

    def ask(self, token: str) -> Page:
        visible = list(reversed(self.posts))[: self.shown]
        older = [one for one in visible if not token or int(one.external_id) < int(token)]
        page, rest = older[:SIZE], older[SIZE:]
        following = page[-1].external_id if page and rest else ""
        return Page(mentions=page, ids=[one.external_id for one in page], following=following)


class Reader:
    def __init__(self, service: Service, bounds: Bounds = BOUNDS) -> None:
        self.service, self.bounds = service, bounds
        self.cursor = None
        self.stored: dict[str, Mention] = {}
        self.gaps = []

    def turn(self, now, *, crash: bool = False):
        trail = recall(self.cursor, "x", now)
        poll = turn_page(trail, self.service.ask(trail.page), source=PLACE, now=now, bounds=self.bounds)
        assert len(poll.cursor) <= 16_384
        if not crash:
            self.cursor = poll.cursor
            self.stored |= {one.external_id: one for one in poll.mentions}
            self.gaps += poll.gaps
        return poll

    def poll(self, now):
        for _ in range(200):
            poll = self.turn(now)
            if not poll.more:
                return poll
        raise AssertionError("the walk has no end")


def test_the_first_walk_reads_the_history_and_marks_it():
    service = Service()
    service.write(35, NOW - MINUTE)
    reader = Reader(service)
    poll = reader.poll(NOW)
    assert len(reader.stored) == 35
    assert all(one.history for one in reader.stored.values())
    assert poll.read_until == NOW


def test_a_later_walk_stops_at_what_is_known():
    service = Service()
    service.write(100, NOW - MINUTE)
    reader = Reader(service)
    reader.poll(NOW)
    service.write(3, NOW + MINUTE)
    poll = reader.turn(NOW + 2 * MINUTE)
    assert not poll.more
    assert [one.external_id for one in poll.mentions[:3]] == ["103", "102", "101"]
    assert not reader.stored["103"].history


def test_a_burst_larger_than_a_page_is_read_whole():
    service = Service()
    service.write(20, NOW - MINUTE)
    reader = Reader(service)
    reader.poll(NOW)
    service.write(237, NOW + MINUTE)
    reader.poll(NOW + 2 * MINUTE)
    assert len(reader.stored) == 257
    assert not reader.gaps


def test_a_walk_that_reaches_its_limit_declares_what_it_missed():
    service = Service()
    service.write(20, NOW - MINUTE)
    reader = Reader(service, Bounds(history=timedelta(days=30), pages=3))
    reader.poll(NOW)
    service.write(100, NOW + MINUTE)
    poll = reader.poll(NOW + 2 * MINUTE)
    (gap,) = reader.gaps
    assert gap.until == NOW + MINUTE
    assert "3 pages" in poll.degraded
    service.write(1, NOW + 3 * MINUTE)
    assert not reader.turn(NOW + 4 * MINUTE).more


def test_a_full_window_without_a_known_mention_is_a_gap():
    service = Service(shown=SIZE)
    service.write(8, NOW - MINUTE)
    reader = Reader(service, Bounds(history=timedelta(days=30), window=SIZE))
    reader.poll(NOW)
    service.write(9, NOW + MINUTE)
    reader.poll(NOW + 2 * MINUTE)
    assert not reader.gaps
    service.write(30, NOW + 3 * MINUTE)
    reader.poll(NOW + 4 * MINUTE)
    assert len(reader.gaps) == 1


def test_the_deletion_of_every_anchor_does_not_read_the_whole_list_again():
    service = Service()
    service.write(5 * ANCHORS, NOW - timedelta(hours=5))
    reader = Reader(service)
    reader.poll(NOW)
    for number in range(4 * ANCHORS, 5 * ANCHORS + 1):
        service.delete(number)
    service.write(1, NOW + MINUTE)
    turns = 1
    while reader.turn(NOW + 2 * MINUTE).more:
        turns += 1
    assert turns <= 2
    assert str(service.written) in reader.stored


def test_what_is_released_late_is_found_by_the_next_sweep_and_not_before():
    service = Service()
    service.write(30, NOW - MINUTE)
    reader = Reader(service, Bounds(history=timedelta(days=30), sweep_every=timedelta(hours=1)))
    reader.poll(NOW)
    late = service.posts.pop(10)
    del reader.stored[late.external_id]
    reader.poll(NOW + MINUTE)
    service.posts.insert(10, late)
    reader.poll(NOW + 2 * MINUTE)
    assert late.external_id not in reader.stored
    reader.poll(NOW + 61 * MINUTE)
    assert late.external_id in reader.stored
    assert not reader.turn(NOW + 62 * MINUTE).more


def test_another_place_begins_anew():
    service = Service()
    service.write(3, NOW)
    cursor = turn_page(recall(None, "a", NOW), service.ask(""), source=PLACE, now=NOW, bounds=BOUNDS).cursor
    assert recall(cursor, "a", NOW).anchors == ("3", "2", "1")
    assert recall(cursor, "b", NOW).anchors == ()
    assert recall("{broken", "a", NOW).anchors == ()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 40)),
        st.tuples(st.just("delete"), st.integers(1, 300)),
        st.tuples(st.just("turn"), st.booleans()),
    ),
    max_size=40,
)


@settings(max_examples=200)
@given(STEPS)
def test_whatever_is_written_deleted_or_cut_off_is_read_or_declared(steps):
    service, now = Service(), NOW
    service.write(15, now - MINUTE)
    reader = Reader(service, Bounds(history=timedelta(days=30), pages=6))
    for act, value in steps:
        now += MINUTE
        if act == "write":
            service.write(value, now)
        elif act == "delete":
            service.delete(value)
        else:
            reader.turn(now, crash=value)
    reader.poll(now + MINUTE)
    reader.poll(now + 2 * MINUTE)
    for one in service.posts:
        declared = any(gap.since <= one.published_at <= gap.until for gap in reader.gaps)
        assert one.external_id in reader.stored or declared


def test_what_is_released_before_days_without_an_answer_is_found_by_the_sweep_after_them():
    service = Service()
    service.write(30, NOW - timedelta(hours=3))
    reader = Reader(service, Bounds(history=timedelta(days=30), sweep_every=timedelta(hours=1)))
    held = service.posts.pop(5)
    reader.poll(NOW)
    assert held.external_id not in reader.stored
    service.posts.insert(5, held)
    later = NOW + timedelta(days=2)
    service.write(20, later)
    reader.poll(later + MINUTE)
    assert held.external_id in reader.stored
