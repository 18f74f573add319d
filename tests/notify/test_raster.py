"""The PNG: the size it states, letters without any system font, drawn beside the loop; and the way out without it."""

import struct

import pytest
import structlog.testing

from brandmelder.notify import raster
from brandmelder.notify.chart import svg
from brandmelder.notify.raster import can_draw, fonts, png
from brandmelder.notify.raster_child import rasterise
from notify.test_chart import chart

BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">{}</svg>'
WORD = "<text x='5' y='30' font-family='Roboto' font-size='30'>38 üblich</text>"


def size_of(picture):
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", picture[16:24])


async def test_the_picture_for_chat_is_drawn_at_factor_two():
    picture = await png(svg(chart()))
    assert size_of(picture) == (1440, 600)
    assert len(picture) < 200_000


def test_words_are_drawn_with_the_font_that_came_along():
    assert rasterise(BLANK.format(WORD), fonts()) != rasterise(BLANK.format(""), fonts())
    assert rasterise(BLANK.format(WORD), ()) == rasterise(BLANK.format(""), ())


async def test_what_cannot_be_drawn_is_none_and_said():
    with structlog.testing.capture_logs() as said:
        assert await png("no picture") is None
    assert [one["event"] for one in said] == ["picture.failed"]


async def test_a_picture_that_takes_too_long_is_given_up():
    assert await png(svg(chart()), deadline=0.0) is None


async def test_without_the_extra_there_is_no_picture(monkeypatch):
    fonts.cache_clear()
    monkeypatch.setattr(raster, "FACES", ("Nowhere.ttf",))
    try:
        assert not can_draw()
        assert await png(svg(chart())) is None
    finally:
        fonts.cache_clear()


@pytest.mark.parametrize("face", ["Regular", "Bold"])
def test_both_weights_come_with_the_extra(face):
    assert any(face in file for file in fonts())
