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


def test_texts_without_a_word_are_copies_only_if_their_signs_are_equal():
    assert clusters("😡", "👍", "@nordfunk 😡", "👍 👍", "?!", "👍👍") == [0, 1, 0, 2, 3, 2]


def test_a_handle_makes_no_difference_wherever_it_stands():
    assert clusters("danke @anna dafür", "danke @ben dafür", "@ben danke dafür", "danke dafür") == [0, 0, 0, 0]


def test_links_and_handles_alone_stay_copies_of_one_another():
    assert clusters("https://a.example/1", "@anna https://a.example/2", "@ben", "rt @ben: https://b.example") == [
        0,
        0,
        0,
        0,
    ]


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


def one_by_one(posts, limit):
    """Which cluster each post joins, with every proposed cluster compared by itself: the rule in its plainest words."""
    signatures, bands, exact, order, placed = {}, {}, {}, [], []
    for number, post in enumerate(posts):
        prepared = duplicates.prepare([post])[0]
        found = exact.get(prepared.exact)
        if found is None and prepared.signed is not None:
            near = {one for band in prepared.signed.bands for one in bands.get(band, [])}
            best, most = None, duplicates.ALIKE * duplicates.VALUES
            for one in sorted(near)[-duplicates.PROPOSED :]:
                equal = int((signatures[one] == prepared.signed.values).sum())
                if equal >= most:
                    best, most = one, equal + 1
            found = best
        if found is None:
            found = number
            exact[prepared.exact] = found
            if prepared.signed is not None:
                signatures[found] = prepared.signed.values
                for band in dict.fromkeys(prepared.signed.bands):
                    bands[band] = [*bands.get(band, []), found][-duplicates.PROPOSED :]
        order = [*(one for one in order if one != found), found]
        placed.append(found)
        for gone in order[:-limit]:
            exact = {key: one for key, one in exact.items() if one != gone}
            bands = {band: [one for one in held if one != gone] for band, held in bands.items()}
        order = order[-limit:]
    return placed


@given(st.randoms(use_true_random=False), st.sampled_from([3, 20, 70]))
@settings(deadline=None, max_examples=30)
def test_comparing_many_clusters_at_once_finds_what_comparing_one_by_one_finds(rng, limit):
    begin = "Seit heute früh ist bei uns schon wieder das Netz weg und niemand sagt warum"
    words = ["Kiel", "Husum", "Plön", "Ulm", "Jena", "gestern", "heute", "immer", "nie", "Router", "Kabel", "Vertrag"]
    posts = [f"{begin} {' '.join(rng.choices(words, k=rng.randint(2, 14)))}" for _ in range(120)]
    copies = Copies(limit=limit)
    names = [one.first for one in copies.add([str(number) for number in range(len(posts))], posts)]
    assert names == [str(one) for one in one_by_one(posts, limit)]


def test_what_was_restored_is_compared_like_what_was_never_away():
    rng = random.Random(4)
    posts = [f"{POST} {' '.join(str(rng.randrange(40)) for _ in range(20))}" for _ in range(200)]
    stayed, left = Copies(limit=60), Copies(limit=60)
    stayed.add(posts, posts)
    left.add(posts[:100], posts[:100])
    back = Copies(limit=60)
    back.restore(reversed(left.changes()[0]))
    assert clusters(*posts[100:], copies=back) == clusters(*posts[100:], copies=left)
