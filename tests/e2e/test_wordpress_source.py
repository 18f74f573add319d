"""The WordPress source against a real WordPress: every comment once, and what happens to it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from brandmelder import plugins, wiring
from brandmelder.model import Cursor, Mention, SourceId
from peers.wordpress import Comment

if TYPE_CHECKING:
    from brandmelder.capture.source import Poll, Source
    from peers.wordpress import WordPress

pytestmark = pytest.mark.e2e

BLOG = SourceId("blog")


class Reader:
    """Polls as the pipeline does, page by page, and keeps what a store would keep."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cursor: Cursor | None = None
        self.stored: dict[str, Mention] = {}
        self.times: dict[str, int] = {}

    async def read(self, now: datetime | None = None) -> list[Poll]:
        """Poll until there is no more; `now` is the machine's time unless it is given."""
        polls = []
        while True:
            poll = await self.source.poll(self.cursor, now or datetime.now(UTC))
            polls.append(poll)
            self.cursor = poll.cursor or self.cursor
            for mention in poll.mentions:
                self.stored[mention.external_id] = mention
                self.times[mention.external_id] = self.times.get(mention.external_id, 0) + 1
            for removal in poll.removals:
                self.stored.pop(removal.external_id, None)
            if not poll.more:
                return polls

    def texts(self) -> list[str]:
        return sorted(mention.text for mention in self.stored.values())


@pytest.fixture
async def reader(wordpress: WordPress):
    wordpress.forget()
    reach = wiring.outside()
    kind = plugins.load("sources", "wordpress")
    options = kind.Options(type="wordpress", url=wordpress.url, allow_private=True, own_accounts=("nordfunk",))
    yield Reader(kind(BLOG, options, reach.tools(BLOG, allow_private=True)))
    await reach.close()


def _ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def _history(
    count: int, *, step: timedelta = timedelta(hours=3), since: timedelta = timedelta(days=40)
) -> list[Comment]:
    start = _ago() - since
    return [Comment(text=f"Kommentar {n}", author=f"A{n}", date_gmt=start + n * step) for n in range(count)]


async def test_an_empty_blog_is_read(reader: Reader):
    (poll,) = await reader.read()
    assert poll.mentions == ()
    assert poll.cursor is not None
    assert not poll.degraded


async def test_the_first_contact_reads_the_history_in_pages_each_comment_once(wordpress: WordPress, reader: Reader):
    ids = wordpress.import_history(_history(900, step=timedelta(hours=1)))
    polls = await reader.read()
    assert len(polls) >= 2
    assert reader.stored.keys() == {str(each) for each in ids}
    assert set(reader.times.values()) == {1}
    assert all(mention.history for mention in reader.stored.values())
    assert all(len(poll.mentions) <= 1000 for poll in polls)
    assert polls[-1].read_until is not None
    assert polls[-1].read_until <= datetime.now(UTC)


async def test_a_mention_carries_what_the_comment_says(wordpress: WordPress, reader: Reader):
    await reader.read()
    at = _ago(seconds=-2)
    first = wordpress.comment('Seit <b>drei</b> Wochen & länger\nkein Netz <3 "toll"', "Jörg & Käthe", at)
    answer = wordpress.comment("Moin, das tut uns leid.", "Nordfunk", at + timedelta(seconds=5), parent=first)
    await reader.read()
    mention, reply = reader.stored[str(first)], reader.stored[str(answer)]
    assert mention.text == 'Seit drei Wochen & länger\nkein Netz <3 "toll"'
    assert mention.author == "Jörg & Käthe"
    assert mention.published_at == at
    assert mention.url == f"{wordpress.url}/hello-world/#comment-{first}"
    assert (mention.parent_id, mention.own, mention.history) == (None, False, False)
    assert (reply.parent_id, reply.own) == (str(first), True)


async def test_only_what_is_new_comes_after_the_first_contact(wordpress: WordPress, reader: Reader):
    wordpress.import_history(_history(120))
    await reader.read()
    new = wordpress.comment("neu", "Mia", _ago(seconds=-1))
    again = [mention for poll in await reader.read() for mention in poll.mentions]
    assert [mention.external_id for mention in again] == [str(new)]
    assert not again[0].history


async def test_a_burst_in_one_second_is_read_whole(wordpress: WordPress, reader: Reader):
    await reader.read()
    at = _ago(seconds=30)
    wordpress.import_history(Comment(text=f"Sturm {n}", author=f"B{n}", date_gmt=at) for n in range(330))
    await reader.read()
    await reader.read()
    assert len(reader.stored) == 330


async def test_a_comment_that_shares_its_second_with_the_last_one_read_is_not_lost(
    wordpress: WordPress, reader: Reader
):
    at = _ago(seconds=10)
    wordpress.comment("erster", "A", at)
    await reader.read()
    wordpress.comment("zweiter", "B", at)
    await reader.read()
    assert reader.texts() == ["erster", "zweiter"]


async def test_times_without_a_zone_are_not_mistaken_for_ours(wordpress: WordPress, reader: Reader):
    """The site's zone is Berlin: a cursor sent without `Z` would ask an hour too early or too late."""
    await reader.read()
    wordpress.comment("vor fünf Minuten", "A", _ago(minutes=5))
    await reader.read()
    wordpress.comment("eben", "B", _ago(seconds=1))
    fresh = [mention.text for poll in await reader.read() for mention in poll.mentions]
    assert "eben" in fresh
    assert reader.texts() == ["eben", "vor fünf Minuten"]
    for mention in reader.stored.values():
        assert timedelta(0) <= datetime.now(UTC) - mention.published_at < timedelta(minutes=6)


async def test_a_late_approval_within_the_overlap_comes_with_the_next_poll(wordpress: WordPress, reader: Reader):
    held = wordpress.comment("wartete kurz", "A", _ago(minutes=4), status="hold")
    wordpress.comment("kam sofort", "B", _ago(minutes=1))
    await reader.read()
    assert reader.texts() == ["kam sofort"]
    wordpress.approve(held)
    await reader.read()
    assert reader.texts() == ["kam sofort", "wartete kurz"]
    assert reader.stored[str(held)].published_at < _ago(minutes=3)


async def test_a_late_approval_of_yesterday_s_comment_is_found_by_the_sweep(wordpress: WordPress, reader: Reader):
    held = wordpress.comment("wartete lange", "A", _ago(hours=20), status="hold")
    await reader.read()
    wordpress.approve(held)
    await reader.read(datetime.now(UTC) + timedelta(hours=1, minutes=1))
    assert reader.texts() == ["wartete lange"]


async def test_an_edit_is_found_by_the_sweep_under_the_same_id(wordpress: WordPress, reader: Reader):
    comment = wordpress.comment("alt", "A", _ago(hours=5))
    await reader.read()
    wordpress.edit(comment, "neu geschrieben")
    await reader.read(datetime.now(UTC) + timedelta(hours=1, minutes=1))
    assert [mention.text for mention in reader.stored.values()] == ["neu geschrieben"]
    assert list(reader.stored) == [str(comment)]


@pytest.mark.parametrize("way", ["trash", "delete"])
async def test_a_comment_taken_away_is_told(wordpress: WordPress, reader: Reader, way: str):
    comment = wordpress.comment("bald weg", "A", _ago(hours=2))
    wordpress.comment("bleibt", "B", _ago(hours=1))
    await reader.read()
    getattr(wordpress, way)(comment)
    await reader.read(datetime.now(UTC) + timedelta(hours=1, minutes=1))
    assert reader.texts() == ["bleibt"]


async def test_a_deletion_during_the_walk_hides_no_other_comment(wordpress: WordPress, reader: Reader):
    ids = wordpress.import_history(_history(250))
    first = await reader.source.poll(None, datetime.now(UTC))
    reader.cursor = first.cursor
    reader.stored.update({mention.external_id: mention for mention in first.mentions})
    for comment in ids[10:40]:
        wordpress.delete(comment)
    await reader.read()
    kept = {str(each) for each in [*ids[:10], *ids[40:]]}
    assert kept <= reader.stored.keys()


async def test_history_beyond_eight_weeks_is_left_alone(wordpress: WordPress, reader: Reader):
    wordpress.import_history(_history(4, since=timedelta(days=80), step=timedelta(days=20)))
    await reader.read()
    assert reader.texts() == ["Kommentar 2", "Kommentar 3"]


async def test_the_extent_tells_how_many_there_are(wordpress: WordPress, reader: Reader):
    wordpress.import_history(_history(150))
    polls = await reader.read()
    extents = [poll.extent for poll in polls if poll.extent is not None]
    assert extents
    assert sum(extent.read for extent in extents) == 150
    assert all(extent.is_exact for extent in extents)
