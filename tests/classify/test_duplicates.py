"""Near-copies: found when they are, left alone when they are not, within bounded memory."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from brandmelder.classify import duplicates
from brandmelder.classify.duplicates import Copies

POST = "Seit heute früh kein Netz in der ganzen Stadt und die Hotline ist auch nicht zu erreichen"


def clusters(*texts, copies=None):
    found = (Copies() if copies is None else copies).add([str(index) for index in range(len(texts))], texts)
    return [one.cluster for one in found]


def test_retweets_links_and_handles_make_no_difference():
    assert clusters(POST, f"RT @anna: {POST}", f"{POST} https://t.co/abc", POST.upper() + "!!!") == [0, 0, 0, 0]


def test_a_changed_word_is_still_a_copy():
    assert clusters(POST, POST.replace("Stadt", "Gegend")) == [0, 0]


def test_other_posts_are_none():
    assert clusters(POST, "Das Essen gestern im Bordbistro war ganz ausgezeichnet, danke an das Team") == [0, 1]


def test_short_texts_are_copies_only_if_equal():
    assert clusters("danke schön euch", "danke schön dir", "Danke schön euch!") == [0, 1, 0]


def test_the_first_mention_and_the_number_before_are_remembered():
    found = Copies().add(["a", "b", "c"], [POST, POST, POST])
    assert [(one.first, one.earlier) for one in found] == [("a", 0), ("a", 1), ("a", 2)]


def test_memory_is_bounded_and_the_oldest_goes_first():
    copies = Copies(limit=50)
    rng = random.Random(1)
    posts = [" ".join(str(rng.random()) for _ in range(6)) for _ in range(300)]
    copies.add([""] * 300, posts)
    assert len(copies) == 50
    assert copies.add(["x"], [posts[-1]])[0].earlier == 1
    assert copies.add(["x"], [posts[0]])[0].earlier == 0
    assert len(copies._bands) <= 50 * duplicates.BANDS


@given(st.lists(st.text(max_size=80), max_size=12))
@settings(deadline=None)
def test_any_texts_in_one_batch_or_one_by_one_give_the_same(texts):
    copies = Copies()
    single = [clusters(text, copies=copies)[0] for text in texts]
    assert clusters(*texts) == single
