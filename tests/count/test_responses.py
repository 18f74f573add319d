"""Who was answered, and how fast."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from brandmelder.count.responses import Responses, Utterance, coverage
from brandmelder.model import SourceId

EVENING = datetime(2026, 12, 15, 20, 0, tzinfo=UTC)
BLOG = SourceId("blog")


def said(ident, *, minute=0, below=None, source=BLOG):
    return Utterance(source=source, external_id=ident, at=EVENING + timedelta(minutes=minute), parent_id=below)


def test_without_mentions_nobody_was_asked():
    assert coverage([], [said("own")]) == Responses()


def test_a_direct_reply_is_an_answer():
    found = coverage([said("a"), said("b", minute=3)], [said("own", minute=10, below="a")])
    assert found == Responses(
        asked=2,
        answered=1,
        oldest_unanswered=EVENING + timedelta(minutes=3),
        first=EVENING + timedelta(minutes=10),
        median=timedelta(minutes=10),
    )


def test_an_answer_further_down_the_thread_counts_for_everybody_above():
    negatives = [said("a"), said("b", minute=2, below="a")]
    found = coverage(negatives, [said("own", minute=6, below="b")])
    assert (found.answered, found.median) == (2, timedelta(minutes=5))


def test_a_thread_is_followed_through_mentions_that_are_not_negative_if_their_parents_are_given():
    own = [said("own", minute=6, below="neutral")]
    assert coverage([said("a")], own).answered == 0
    assert coverage([said("a")], own, parents={(BLOG, "neutral"): "a"}).answered == 1


def test_a_second_answer_to_the_first_is_followed_through_our_own_post():
    own = [said("own 1", minute=5, below="thanks"), said("own 2", minute=9, below="own 1")]
    assert coverage([said("thanks", minute=8)], own).first == EVENING + timedelta(minutes=9)


def test_the_first_of_several_answers_counts():
    own = [said("own 2", minute=30, below="a"), said("own 1", minute=12, below="a")]
    assert coverage([said("a")], own).median == timedelta(minutes=12)


def test_a_reply_from_another_source_with_the_same_id_is_no_answer():
    assert coverage([said("1")], [said("2", minute=1, below="1", source=SourceId("press"))]).answered == 0


def test_an_own_post_beside_a_mention_is_no_answer():
    assert coverage([said("a", below="post")], [said("own", minute=5, below="post")]).answered == 0


def test_an_answer_from_before_the_question_is_none():
    assert coverage([said("a", minute=5)], [said("own", below="a")]).answered == 0


def test_a_ring_of_parents_ends():
    parents = {(BLOG, "x"): "y", (BLOG, "y"): "x"}
    assert coverage([said("a")], [said("own", minute=1, below="x")], parents=parents).answered == 0


_posts = st.lists(
    st.builds(
        said,
        st.integers(0, 12).map(str),
        minute=st.integers(0, 90),
        below=st.none() | st.integers(0, 12).map(str),
    ),
    max_size=12,
)


@given(_posts, _posts)
def test_no_more_are_answered_than_asked_and_only_a_full_coverage_leaves_nobody_waiting(negatives, own):
    found = coverage(negatives, own)
    assert 0 <= found.answered <= found.asked
    assert (found.oldest_unanswered is None) == (found.answered == found.asked)
    assert (found.median is None) == (found.first is None) == (found.answered == 0)
    assert found.median is None or found.median >= timedelta(0)
