"""What a brand's labels teach: known answers, nothing without labels, and no harm from biased ones."""

import numpy as np
import pytest

from brandmelder.classify import adapt
from brandmelder.classify.adapt import Calibration, Example


def drawn(count, *, a=1.0, b=0.0, feature=0.0, seed=3, is_random=True):
    """Draw labels from sigmoid(a·z + b + feature·[slot 7]); slots are unit vectors."""
    rng = np.random.default_rng(seed)
    out = []
    for index in range(count):
        z = float(rng.normal(0, 2))
        has = bool(rng.random() < 0.5)
        chance = 1 / (1 + np.exp(-(a * z + b + feature * has)))
        slots = (7,) if has else (8,)
        out.append(
            Example(
                score=z, slots=slots, values=(1.0,), is_negative=bool(rng.random() < chance), is_random=is_random,
                group=index,
            )
        )  # fmt: skip
    return out


def test_a_known_calibration_is_found_again():
    ones = drawn(4000, a=0.6, b=-1.0)
    scores = np.array([one.score for one in ones])
    labels = np.array([one.is_negative for one in ones], float)
    found = adapt.fit_calibration(scores, labels)
    assert found.a == pytest.approx(0.6, abs=0.06)
    assert found.b == pytest.approx(-1.0, abs=0.1)


def test_without_labels_the_base_stays():
    assert adapt.learn([]) is None
    assert adapt.fit_calibration(np.zeros(0), np.zeros(0)) == Calibration(1.0, 0.0)


def test_a_judge_that_is_right_is_left_alone_or_nearly():
    found = adapt.learn(drawn(400))
    assert found is None or found.loss_after < found.loss_before


def test_a_word_the_base_misjudges_is_learnt():
    found = adapt.learn(drawn(400, feature=3.0, b=-1.5))
    assert found is not None
    weights = dict(zip(found.slots, found.values, strict=True))
    assert weights[7] > weights[8]
    assert found.loss_after < found.loss_before


def test_few_labels_calibrate_only():
    found = adapt.learn(drawn(40, a=0.3, b=-2.0, feature=2.0))
    assert found is None or found.slots == ()


def test_labels_picked_by_alerts_alone_teach_nothing():
    assert adapt.learn(drawn(300, b=3.0, is_random=False)) is None


def test_labels_picked_by_alerts_cannot_move_the_calibration():
    random = drawn(200, seed=5)
    picked = [one for one in drawn(300, b=3.0, seed=6, is_random=False) if one.score > 1]
    found = adapt.learn([*random, *picked])
    if found is not None:
        scores = np.array([one.score for one in random])
        delta = dict(zip(found.slots, found.values, strict=True))
        inner = found.inner.a * scores + found.inner.b + np.array([delta.get(one.slots[0], 0.0) for one in random])
        chance = 1 / (1 + np.exp(-(found.calibration.a * inner + found.calibration.b)))
        truth = np.mean([one.is_negative for one in random])
        assert chance.mean() == pytest.approx(truth, abs=0.06)


def test_copies_weigh_as_one():
    one = drawn(60, b=-1.0)
    again = [*one, *[Example(score=2.0, slots=(9,), values=(1.0,), is_negative=True, weight=1 / 40, group=99)] * 40]
    few, many = adapt.fit_delta(one), adapt.fit_delta(again)
    assert abs(many.calibration.b - few.calibration.b) < 0.15


def test_learning_twice_gives_the_same():
    assert adapt.learn(drawn(200, feature=2.0)) == adapt.learn(drawn(200, feature=2.0))


@pytest.mark.parametrize("sureness", [2.3, 6.0, 12.0])
def test_a_model_that_is_far_surer_than_right_is_calibrated_nevertheless(sureness):
    labels = np.arange(200) % 4 == 0
    fitted = adapt.fit_calibration(np.full(200, sureness), labels.astype(float))
    assert 1 / (1 + np.exp(-(fitted.a * sureness + fitted.b))) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("sureness", [0.5, 6.0, 12.0])
def test_a_correction_of_a_model_that_is_far_surer_than_right_does_not_run_off(sureness):
    ones = [
        Example(
            score=sureness * (1 if at % 2 else -1), slots=(at % 5,), values=(1.0,), is_negative=at % 4 == 0, group=at
        )
        for at in range(200)
    ]
    found = adapt.fit_delta(ones)
    chances = 1 / (1 + np.exp(-np.clip(found.score(ones), -35, 35)))
    assert abs(found.calibration.a) < 2
    assert chances.mean() == pytest.approx(0.25, abs=0.03)
