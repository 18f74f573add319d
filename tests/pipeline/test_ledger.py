"""What one mention counts for a monitor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from brandmelder.model import Label, MentionId, MonitorId, Verdict
from brandmelder.pipeline.judge import entry
from pipeline.world import STORM, mention

ANGRY = Verdict(
    p_negative=0.8,
    p_neutral=0.2,
    p_positive=0.0,
    label=Label.NEGATIVE,
    unsure=False,
    language="de",
    classifier="t",
    model_version="1",
)


def line(verdict, reach=100):
    return entry(MonitorId("acme"), MentionId(1), mention(1, STORM, angry=True, reach=reach), verdict)


def test_weights_multiply_every_figure():
    one = line(replace(ANGRY, weight=0.5))
    assert (one.total, one.negative, one.labelled, one.reach) == (0.5, 0.4, 0.5, 40.0)


@given(st.floats(0, 1), st.sampled_from(list(Label)), st.sampled_from([0.25, 1.0]), st.none() | st.integers(0, 10_000))
def test_a_line_counts_no_more_than_its_mention(p_negative, label, weight, reach):
    one = line(replace(ANGRY, p_negative=p_negative, label=label, weight=weight), reach)
    assert one.total == weight
    assert 0 <= one.negative <= one.total
    assert one.labelled == weight * (label is Label.NEGATIVE)
    assert one.reach == weight * p_negative * (reach or 0)
