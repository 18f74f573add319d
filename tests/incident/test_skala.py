"""The Shitstorm-Skala: both columns, each level with the inputs that decided."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmelder.incident.skala import Community, Media, Skala, community, media

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (Community(), 0),
        (Community(critics=1), 1),
        (Community(critics=2, repeat_critics=1), 2),
        (Community(critics=6, channels=1), 2),
        (Community(critics=29, channels=1, lasted=HOUR), 2),
        (Community(critics=29, channels=3, lasted=HOUR), 3),
        (Community(critics=29, channels=1, echo=0.2, lasted=HOUR), 3),
        (Community(critics=29, channels=3, lasted=HOUR / 6), 2),
        (Community(critics=80, channels=3, channels_watched=5, echo=0.3, lasted=HOUR), 4),
        (Community(critics=80, channels=1, channels_watched=1, echo=0.3, lasted=HOUR), 4),
        (Community(critics=300, channels=3, critics_share=0.6, insult_share=0.06, lasted=HOUR), 5),
        (Community(critics=300, channels=3, critics_share=0.6, echo=0.5, lasted=HOUR), 5),
        (Community(critics=1200, channels=4, critics_share=0.6, insult_share=0.2, lasted=HOUR), 6),
    ],
)
def test_the_community_column_after_the_words_of_the_scale(seen, level):
    assert community(seen).level == level


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (Media(), 0),
        (Media(articles=1, outlets=1), 3),
        (Media(articles=9, outlets=6), 4),
        (Media(articles=30, outlets=12, following=5, lasted=8 * HOUR), 5),
        (Media(articles=30, outlets=12, following=5, lasted=HOUR), 4),
        (Media(articles=60, outlets=31), 6),
    ],
)
def test_the_media_column_begins_with_the_first_article(seen, level):
    assert media(seen).level == level


def test_a_level_never_stands_without_the_inputs_that_decided():
    assert community(Community(critics=29, channels=3, lasted=HOUR)) == Skala(
        level=3, inputs=(("critics", 29.0), ("channels", 3.0), ("echo", 0.0))
    )
    assert media(Media(articles=2, outlets=2)) == Skala(level=3, inputs=(("articles", 2.0),))
    assert community(Community()) == Skala(level=0, inputs=())


_seen = st.builds(
    Community,
    critics=st.integers(0, 2000),
    channels=st.integers(0, 6),
    critics_share=st.floats(0, 1),
    echo=st.floats(0, 1),
    insult_share=st.floats(0, 1),
    lasted=st.integers(0, 300).map(lambda minutes: timedelta(minutes=minutes)),
)


@given(_seen, st.integers(1, 500))
def test_more_critics_never_lower_the_level(seen, more):
    grown = Community(
        critics=seen.critics + more,
        channels=seen.channels,
        critics_share=seen.critics_share,
        echo=seen.echo,
        insult_share=seen.insult_share,
        lasted=seen.lasted,
    )
    assert 0 <= community(seen).level <= community(grown).level <= 6
