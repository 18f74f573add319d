"""The picture keeps the rules of the design: read back from the SVG, where each bar, line and word stands."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Evidence, Hole, Occasion, Picture, SourceId
from brandmelder.notify.chart import CHAT, Blind, Chart, Look, Mark, svg
from brandmelder.notify.chart_ink import DARK, LIGHT
from brandmelder.notify.chart_scale import axis_height, cut_to, grid_lines, width_of
from brandmelder.notify.picture import chart_of
from brandmelder.notify.story import Story
from brandmelder.notify.voice import Voice, words_of
from notify.stories import ALARM, BERLIN, EVIDENCE, FACEBOOK_BLIND, MINUTE, changed, context

UNTIL = datetime(2026, 12, 15, 20, 20, tzinfo=UTC)
"""21:20 in Berlin."""
TWENTY = 20 * MINUTE
COUNTS = (1, 2, 1, 2, 1, 3, 2, 1, 2, 1, 3, 2, 9, 21, 36, 41)
USUAL = ((1, 4),) * 12 + ((2, 6),) * 4
SVG = "{http://www.w3.org/2000/svg}"


def chart(**more):
    known = {
        "voice": Voice(words_of("de"), BERLIN, UNTIL),
        "until": UNTIL,
        "width": TWENTY,
        "counts": COUNTS,
        "usual": USUAL,
    }
    return Chart(**known | more)


class Read:
    """An SVG, read back."""

    def __init__(self, text):
        self.root = ET.fromstring(text)  # our own picture

    def all(self, tag):
        return [{**one.attrib, "text": "".join(one.itertext())} for one in self.root.iter(f"{SVG}{tag}")]

    def rects(self, fill):
        return [
            tuple(float(one[name]) for name in ("x", "y", "width", "height"))
            for one in self.all("rect")
            if one["fill"] == fill
        ]

    def words(self):
        return [one["text"] for one in self.all("text")]

    def word(self, text):
        return next(one for one in self.all("text") if one["text"] == text)


def drawn(look=CHAT, **more):
    return Read(svg(chart(**more), look))


# ------------------------------------------------------------------- the axis


@pytest.mark.parametrize(
    ("counts", "usual", "height"),
    [((0, 2), ((0, 0),) * 2, 5), ((41,), ((1, 4),), 43.05), ((3,), ((0, 10),), 15), ((1, -1), (), 5)],
)
def test_the_axis_is_never_so_low_that_two_posts_look_like_a_storm(counts, usual, height):
    assert axis_height(counts, usual) == pytest.approx(height)


@given(st.floats(5, 1e6))
def test_there_are_one_or_two_lines_at_round_values_below_the_top(height):
    lines = grid_lines(height)
    assert 1 <= len(lines) <= 2
    assert all(line <= height and re.fullmatch(r"[1-9]0*", str(line)) for line in lines)


def test_bars_stand_on_zero_and_their_heights_are_proportional():
    bars = sorted(drawn().rects(LIGHT.neg))
    assert [height / bars[0][3] for _, _, _, height in bars] == pytest.approx([1, 21 / 9, 4, 41 / 9], rel=0.01)
    assert len({round(y + height, 1) for _, y, _, height in bars}) == 1
    slot = (CHAT.width - 2 * CHAT.margin) / len(COUNTS)
    assert bars[0][2] == pytest.approx(0.74 * slot, abs=0.02)


# ------------------------------------------------------------------- the bars


def test_a_bar_beyond_the_edge_is_in_the_accent_as_a_whole_and_one_on_the_edge_is_not():
    read = drawn(counts=(4, 5, 4, 0), usual=((1, 4),) * 4)
    assert len(read.rects(LIGHT.neg)) == 1
    assert len(read.rects(LIGHT.bar)) == 2


def test_what_was_not_seen_is_hatched_over_the_full_height_and_has_no_bar():
    read = drawn(counts=(4, -1, 4), usual=((1, 4),) * 3)
    (hatched,) = read.rects("url(#unseen)")
    assert hatched[2] == pytest.approx((CHAT.width - 2 * CHAT.margin) / 3)
    assert hatched[3] > 2 * max(bar[3] for bar in read.rects(LIGHT.bar)) * 0.5
    assert len(read.rects(LIGHT.bar)) == 2


def test_the_running_bar_is_an_outline_and_hatched_only_beyond_the_edge():
    within = drawn(counts=(1, 3), usual=((1, 4),) * 2, is_running=True)
    beyond = drawn(counts=(1, 9), usual=((1, 4),) * 2, is_running=True)
    assert within.rects("url(#counting)") == []
    assert len(beyond.rects("url(#counting)")) == 1
    framed = [one for one in beyond.all("rect") if one.get("stroke") == LIGHT.neg]
    assert len(framed) == 1


def test_bars_too_thin_to_be_seen_become_a_stepped_line_that_leaves_gaps_open():
    look = Look(width=200, height=150, size=12)
    read = drawn(look, counts=(3,) * 30 + (-1,) + (9,) * 30, usual=((1, 4),) * 61)
    assert read.rects(LIGHT.bar) == read.rects(LIGHT.neg) == []
    steps = [one for one in read.all("path") if one.get("stroke") in {LIGHT.bar, LIGHT.neg}]
    assert len(steps) == 60
    assert len(read.rects("url(#unseen)")) == 1


# ------------------------------------------------------------ band and labels


def test_the_band_is_stepped_and_named_above_its_edge_at_the_left():
    read = drawn()
    fill = next(one for one in read.all("path") if one["fill"] == LIGHT.band)
    edge = next(one for one in read.all("path") if one.get("stroke") == LIGHT.band_edge)
    assert fill["d"].count("L") == 2 * len(edge["d"].split(" L")) - 1
    heights = [float(point.split()[1]) for point in edge["d"][1:].split(" L")]
    assert len(set(heights)) == 2
    label = read.word("üblich 1–4")
    assert float(label["x"]) == CHAT.margin
    assert heights[0] - float(label["y"]) == pytest.approx(0.5 * CHAT.size, abs=0.1)


def test_where_bars_stand_at_the_left_the_usual_is_named_over_the_widest_quiet_stretch():
    counts = (9, 9, 9, 1, 9, 1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 9)
    label = drawn(counts=counts).word("üblich 1–4")
    assert float(label["x"]) == pytest.approx(CHAT.margin + 5 * 42, abs=0.1)


def test_while_learning_there_is_no_band_no_accent_and_that_is_said():
    read = drawn(usual=(), learning="lernt, 3 Tage")
    assert not [one for one in read.all("path") if one["fill"] == LIGHT.band]
    assert read.rects(LIGHT.neg) == []
    assert "lernt, 3 Tage" in read.words()


def test_only_bars_beyond_the_usual_are_named():
    assert {"9", "21", "36", "41"} <= set(drawn().words())
    assert "3" not in drawn().words()


def test_where_there_is_no_room_only_the_peak_and_the_newest_are_named():
    counts = (*COUNTS[:12], 9000, 21_000, 36_000, 12_000)
    assert {"9.000", "21.000", "36.000", "12.000"} & set(drawn(counts=counts).words()) == {"36.000"}
    apart = (*COUNTS[:8], 9000, 41_000, 36_000, 9000, 9000, 9000, 9000, 8000)
    assert {"9.000", "41.000", "36.000", "8.000"} & set(drawn(counts=apart).words()) == {"41.000", "8.000"}


def test_a_line_of_the_grid_that_meets_a_label_is_left_out():
    counts = (*COUNTS[:12], 9, 21, 28, 46)
    free = drawn(counts=counts).words()
    assert "20" in free
    assert "40" in free
    marked = drawn(counts=counts, marks=(Mark(at=UNTIL - 82 * MINUTE, label="19:58 TV-Spot"), alert())).words()
    assert "20" in marked
    assert "40" not in marked


def test_every_label_has_a_halo_of_the_ground():
    for palette in (LIGHT, DARK):
        labels = [one for one in drawn(replace(CHAT, palette=palette)).all("text") if "xml:space" not in one]
        assert labels
        assert all(one["stroke"] == palette.bg and one["paint-order"] == "stroke" for one in labels)


# --------------------------------------------------------- markers and coverage


def alert(minutes=39):
    return Mark(at=UNTIL - minutes * MINUTE, label="20:41 Alarm", is_alert=True)


def test_the_newest_mark_stands_highest_and_only_events_are_dashed():
    read = drawn(marks=(Mark(at=UNTIL - 82 * MINUTE, label="19:58 TV-Spot"), alert()))
    event, alarm = read.word("19:58 TV-Spot"), read.word("20:41 Alarm")
    assert float(event["y"]) - float(alarm["y"]) == pytest.approx(1.55 * CHAT.size, abs=0.1)
    assert (event["font-weight"], alarm["font-weight"]) == ("400", "700")
    lines = [one for one in read.all("line") if one["x1"] == one["x2"] != "0" and float(one["y1"]) < 200]
    assert sorted("stroke-dasharray" in one for one in lines) == [False, True]
    assert all(float(label["x"]) < float(line["x1"]) for label, line in ((alarm, lines[1]), (event, lines[0])))


def test_a_label_without_room_at_the_left_stands_at_the_right_of_its_line():
    read = drawn(marks=(Mark(at=UNTIL - 310 * MINUTE, label="16:10 Newsletter"),))
    assert read.word("16:10 Newsletter")["text-anchor"] == "start"


def test_more_than_three_events_are_counted_and_not_named():
    marks = tuple(Mark(at=UNTIL - minutes * MINUTE, label=f"{minutes}") for minutes in (100, 150, 200, 250))
    assert "4 Ereignisse" in drawn(marks=marks).words()
    assert not {"100", "150", "200", "250"} & set(drawn(marks=marks).words())
    assert "4 Ereignisse" not in drawn(marks=marks[:3]).words()


def test_bars_give_way_where_they_would_reach_into_a_label():
    low = drawn(marks=(alert(),))
    high = drawn(counts=(*COUNTS[:12], 41, 41, 41, 41), marks=(alert(),))
    tops = [min(y for _, y, _, _ in read.rects(LIGHT.neg)) for read in (low, high)]
    assert tops[1] > tops[0] + CHAT.size
    label = float(high.word("20:41 Alarm")["y"])
    values = [one for one in high.all("text") if one["text"] == "41"]
    assert all(float(one["y"]) - 0.78 * CHAT.size > label for one in values)


def test_what_could_not_be_read_is_hatched_below_the_hours_from_when_to_when():
    blind = Blind(label="ohne Facebook", since=UNTIL - 80 * MINUTE, until=UNTIL - 40 * MINUTE)
    read, without = drawn(blind=(blind,)), drawn()
    (strip,) = read.rects("url(#unseen)")
    assert strip[0] == pytest.approx(CHAT.margin + 12 * 42)
    assert strip[2] == pytest.approx(2 * 42)
    assert strip[1] > float(read.word("20")["y"])
    bases = [max(y + height for _, y, _, height in one.rects(LIGHT.neg)) for one in (read, without)]
    assert bases[1] - bases[0] == pytest.approx(1.35 * CHAT.size, abs=0.1)


# -------------------------------------------------------------------- the hours


def names_of_hours(**more):
    read = drawn(**more)
    lowest = max(float(one["y"]) for one in read.all("text"))
    return [one["text"] for one in read.all("text") if float(one["y"]) == lowest]


@pytest.mark.parametrize(
    ("width", "count", "names"),
    [
        (20, 18, ["16 Uhr", "17", "18", "19", "20", "21"]),
        (5, 24, ["19:30", "20:00", "20:30", "21:00"]),
        (60, 24, ["0 Uhr", "3", "6", "9", "12", "15", "18", "21"]),
        (360, 28, ["Mi", "Do", "Fr", "Sa", "So", "Mo", "Di"]),
    ],
)
def test_hours_are_named_as_close_as_they_fit(width, count, names):
    assert names_of_hours(width=width * MINUTE, counts=(1,) * count, usual=()) == names


@pytest.mark.parametrize("quarters", range(96))
def test_no_hour_stands_on_its_neighbour_wherever_the_picture_ends(quarters):
    until = UNTIL + quarters * 15 * MINUTE
    look = Look(width=684, height=236, size=12)
    read = drawn(look, until=until, counts=(1,) * 22, usual=((0, 3),) * 22)
    hours = [
        one
        for one in read.all("text")
        if re.fullmatch(r"\d\d?(:\d\d| Uhr)?", one["text"]) and one["text-anchor"] == "middle"
    ]
    base = max(float(one["y"]) for one in hours)
    spans = sorted(
        (float(one["x"]) - width_of(one["text"], 12) / 2, float(one["x"]) + width_of(one["text"], 12) / 2)
        for one in hours
        if float(one["y"]) == base
    )
    assert all(right + 3 < left for (_, right), (left, _) in pairwise(spans))


def test_english_hours_need_no_word():
    english = Voice(words_of("en"), BERLIN, UNTIL)
    assert names_of_hours(voice=english, counts=(1,) * 18, usual=())[0] == "16:00"


def test_the_hours_are_right_across_the_end_of_summer_time():
    until = datetime(2026, 10, 25, 3, 0, tzinfo=UTC)
    assert names_of_hours(until=until, counts=(1,) * 18, usual=()) == ["23 Uhr", "0", "1", "2", "2", "3", "4"]


# --------------------------------------------------------------- the head, words


def test_a_long_name_is_written_smaller_and_then_cut_and_the_number_always_stays():
    title = ((": ", False), ("39.800 negative", True), (" in 60 min, üblich 260–450", False))
    read = drawn(name="Norddeutsche Funkgesellschaft AG & Co.", title=title)
    head = read.all("text")[0]
    assert float(head["font-size"]) == 23
    assert head["text"].endswith("…: 39.800 negative in 60 min, üblich 260–450")
    assert width_of(head["text"], 23, bold=True) <= CHAT.width - 2 * CHAT.margin
    assert float(drawn(name="Nordfunk", title=title).all("text")[0]["font-size"]) > 23


def test_nothing_in_the_chat_picture_is_smaller_than_its_labels():
    sizes = {float(one["font-size"]) for one in drawn(marks=(alert(),)).all("text")}
    assert min(sizes) == 23


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(-1, 10**7), min_size=1, max_size=60),
    st.text(max_size=60),
    st.lists(st.integers(0, 10**6), min_size=60, max_size=60),
    st.booleans(),
)
def test_any_counts_and_any_words_give_a_picture_within_its_frame(counts, words, edges, has_band):
    marks = (Mark(at=UNTIL, label=words), Mark(at=UNTIL - 10 * timedelta(days=1), label=words, is_alert=True))
    usual = tuple((edge // 2, edge) for edge in edges[: len(counts)]) if has_band else ()
    picture = chart(
        counts=tuple(counts), usual=usual, marks=marks, name=words, title=((": 3", True),), note=words, alt=words
    )
    read = Read(svg(picture))
    for x, y, width, height in read.rects(LIGHT.neg) + read.rects(LIGHT.bar):
        assert 0 <= x <= x + width <= CHAT.width
        assert 0 <= y <= y + height <= CHAT.height


def test_words_are_cut_to_the_room_they_have():
    assert cut_to("Warteschleife", 60, 12) == "Wartesch…"
    assert cut_to("Warteschleife", 1, 12) == ""


def test_a_chart_without_bars_is_refused():
    with pytest.raises(ValueError, match="at least one bar"):
        svg(chart(counts=(), usual=()))


# ----------------------------------------------------------- from a story to it


def story(language="de", sight=EVIDENCE.sight, **more):
    picture = Picture(**{"until": UNTIL, "width": TWENTY, "counts": COUNTS, "usual": USUAL} | more)
    incident = changed(observed=98, usual_low=4, usual_high=12, until=UNTIL)
    return Story(incident, replace(EVIDENCE, picture=picture, sight=sight), context(language, at=UNTIL + 2 * MINUTE))


SPOT = Occasion(at=UNTIL - 82 * MINUTE, name="TV-Spot")


def test_the_head_of_the_picture_says_what_the_alert_says():
    told = chart_of(story(sight=FACEBOOK_BLIND))
    assert told.name + "".join(text for text, _ in told.title) == "Nordfunk: 98 negative in 60 min, üblich 4–12"
    assert [text for text, is_accent in told.title if is_accent] == ["98 negative"]
    assert told.note == "je 20 min, Stand 21:22, ohne Facebook seit 20:12"
    english = chart_of(story("en", sight=FACEBOOK_BLIND))
    assert english.name + "".join(text for text, _ in english.title) == "Nordfunk: 98 negative in 60 min, usual 4–12"
    assert english.note == "per 20 min, as of 21:22, without Facebook since 20:12"


def test_the_words_for_those_who_do_not_see_it_hold_number_usual_course_and_event():
    assert chart_of(story(events=(SPOT,))).alt == (
        "Nordfunk: 98 negative Erwähnungen in 60 Minuten, üblich 4–12; steigt: 21 → 36 → 41 je 20 min; 19:58 TV-Spot."
    )


def test_alert_and_events_are_marked_and_holes_are_named():
    holes = tuple(
        Hole(source=SourceId(name), since=UNTIL - 60 * MINUTE, until=UNTIL) for name in ("facebook", "mastodon")
    )
    told = chart_of(story(events=(SPOT,), holes=holes[:1]))
    assert [mark.label for mark in told.marks] == ["19:58 TV-Spot", "20:41 Alarm"]
    assert [one.label for one in told.blind] == ["ohne Facebook"]
    assert {one.label for one in chart_of(story(holes=holes)).blind} == {"ohne 2 Quellen"}


def test_an_alert_before_the_picture_or_of_this_minute_is_at_most_at_its_edge():
    fresh = replace(story(), incident=replace(story().incident, opened_at=UNTIL + MINUTE))
    assert [mark.at for mark in chart_of(fresh).marks] == [UNTIL]
    old = replace(story(), incident=replace(story().incident, opened_at=ALARM - timedelta(days=1)))
    assert chart_of(old).marks == ()


def test_bars_that_are_older_than_the_number_say_until_when():
    later = replace(story().incident, spike=replace(story().incident.spike, until=UNTIL + 5 * MINUTE))
    assert chart_of(replace(story(), incident=later)).note == "je 20 min, Stand 21:20"
    assert chart_of(story()).note == "je 20 min, Stand 21:22"


def test_what_still_counts_is_drawn_as_such():
    running = replace(story().incident, spike=replace(story().incident.spike, is_open_bin=True))
    early = replace(story().context, now=UNTIL - 3 * MINUTE)
    assert chart_of(replace(story(), incident=running, context=early)).is_running
    assert not chart_of(replace(story(), context=early)).is_running
    assert not chart_of(replace(story(), incident=running)).is_running


def test_without_a_kept_picture_there_is_no_chart():
    assert chart_of(Story(changed(), Evidence(), context())) is None
