"""How much a mention counts: copies once and a logarithm, an author twice an hour, whatever the batch or a restart."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.classify.weigh import AN_HOUR, SHORT, TRACE, Weigher, worth
from brandmelder.model import Label, Mention, MentionId, SourceId, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
POST = "Seit heute früh kein Netz in der ganzen Stadt und die Hotline ist auch nicht zu erreichen"
NEGATIVE = Verdict(
    p_negative=0.8,
    p_neutral=0.2,
    p_positive=0.0,
    label=Label.NEGATIVE,
    unsure=False,
    language="de",
    classifier="t",
    model_version="1",
)


def post(number, text, *, author="", at=NOON, source="forum", weight=1.0, label=Label.NEGATIVE):
    mention = Mention(
        source=SourceId(source), external_id=str(number), text=text, author=author, published_at=at, captured_at=at
    )
    return MentionId(number), mention, replace(NEGATIVE, weight=weight, label=label)


def words(number):
    rng = random.Random(number)
    return " ".join("".join(rng.choices("abcdefghijklmnoprstuvwz", k=7)) for _ in range(12))


def test_many_copies_count_once_and_a_logarithm():
    weights = Weigher().weigh([post(n, f"RT @user{n}: {POST} https://t.co/{n}", author=f"a{n}") for n in range(1000)])
    assert sum(weights) == pytest.approx(1 + math.log(1000))
    assert weights[0] == 1
    assert weights == sorted(weights, reverse=True)


def test_what_many_people_say_in_their_own_words_counts_in_full():
    assert sum(Weigher().weigh([post(n, words(n), author=f"a{n}") for n in range(200)])) == 200


def test_a_few_equal_words_of_many_people_count_in_full_for_a_while():
    weights = Weigher().weigh([post(n, "kein Netz!", author=f"a{n}") for n in range(100)])
    assert weights[:SHORT] == [1] * SHORT
    assert sum(weights) == pytest.approx(SHORT * (1 + math.log(100 / SHORT)))


def test_an_author_counts_twice_an_hour():
    weigher = Weigher()
    first = weigher.weigh([post(n, words(n), author="troll") for n in range(500)])
    assert sum(first) == pytest.approx(AN_HOUR)
    assert min(first) == TRACE
    later = weigher.weigh([post(n, words(n), author="troll", at=NOON + timedelta(hours=1)) for n in range(500, 503)])
    assert later[:2] == [1, 1]


def test_praise_does_not_use_up_what_an_author_may_complain():
    found = [post(n, words(n), author="anna", label=Label.POSITIVE) for n in range(3)]
    found.append(post(9, words(9), author="anna"))
    assert Weigher().weigh(found)[-1] == 1


def test_the_same_name_at_another_source_is_somebody_else():
    found = [post(n, words(n), author="anna", source=f"s{n}") for n in range(6)]
    assert Weigher().weigh(found) == [1] * 6


def test_mentions_without_an_author_and_editorial_desks_are_not_held_to_an_hour():
    nameless = [post(n, words(n)) for n in range(5)]
    desk = [post(n, words(n), author="Redaktion", source="press") for n in range(5, 10)]
    assert Weigher(news=[SourceId("press")]).weigh(nameless + desk) == [1] * 10


def test_own_posts_and_spam_stay_out_and_turn_nothing_into_a_copy():
    weigher = Weigher()
    assert weigher.weigh([post(1, POST, author="us", weight=0.0)]) == [0]
    assert weigher.weigh([post(2, POST, author="anna")]) == [1]


def test_a_flood_of_one_account_does_not_turn_the_words_of_others_into_copies():
    weigher = Weigher()
    weigher.weigh([post(n, POST, author="troll") for n in range(5000)])
    (weight,) = weigher.weigh([post(9000, POST, author="anna")])
    assert weight > 0.2


def test_a_text_that_comes_again_after_a_day_is_new_again():
    weigher = Weigher()
    weigher.weigh([post(n, POST, author=f"a{n}") for n in range(50)])
    assert weigher.weigh([post(99, POST, author="anna", at=NOON + timedelta(hours=25))]) == [1]


def test_old_dates_on_every_other_copy_make_none_of_them_new():
    days = [timedelta(days=-3 * (n % 2)) for n in range(1000)]
    weights = Weigher().weigh([post(n, POST, author=f"a{n}", at=NOON + days[n]) for n in range(1000)])
    assert sum(weights) == pytest.approx(1 + math.log(1000))


@given(st.integers(1, 10_000), st.sampled_from([1, SHORT]))
def test_a_copy_is_worth_less_than_the_one_before_and_never_nothing(number, in_full):
    assert 0 < worth(number + 1, in_full) <= worth(number, in_full) <= 1


def flood(count, seed):
    rng = random.Random(seed)
    return [
        post(
            n,
            rng.choice([POST, words(rng.randrange(20)), "kein Netz", words(1000 + n)]),
            author=rng.choice(["", "a", "b", f"c{n}"]),
            at=NOON + timedelta(seconds=rng.randrange(200_000)),
            label=rng.choice([Label.NEGATIVE, Label.NEUTRAL]),
        )
        for n in range(count)
    ]


@given(st.integers(0, 1000), st.lists(st.integers(1, 30), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_batches_and_restarts_make_no_difference(seed, sizes):
    found = flood(120, seed)
    whole = Weigher().weigh(found)
    weigher, kept, hours, weights, begin = Weigher(), {}, {}, [], 0
    while begin < len(found):
        size = sizes[begin % len(sizes)]
        weights += weigher.weigh(found[begin : begin + size])
        begin += size
        changes = weigher.changes()
        kept |= {one.number: one for one in changes.clusters}
        hours |= {one.key: one for one in changes.hours}
        for number in changes.forgotten_clusters:
            kept.pop(number, None)
        weigher = Weigher(clusters=kept.values(), hours=hours.values())
    assert weights == whole


def test_nothing_that_is_kept_holds_a_word_or_a_name():
    weigher = Weigher()
    weigher.weigh([post(7, POST, author="anna")])
    changes = weigher.changes()
    assert "anna" not in repr(changes)
    assert "Hotline" not in repr(changes)
    assert [one.first for one in changes.clusters] == ["7"]
