"""What a phrase of defence says of the tone: `python bench/judgement/defence.py` prints EASED of classify/attitude.py.

One number, by how much such a phrase lowers the log-odds of negative, fitted to check/defence.txt with a prior around
0; its worth is told by the log loss of posts left out one by one.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from corpora import CHECK, marked

from brandmelder.classify.attitude import SPREAD, heeded
from brandmelder.classify.linear import LinearClassifier
from brandmelder.classify.topic_words import folded
from brandmelder.model import Label, Mention, SourceId, Stance, Verdict

NOON = datetime(2026, 1, 1, tzinfo=UTC)


def fitted(scores, truth):
    """Return the shift of the log-odds that fits best: logistic regression with an offset and one constant."""
    steps = np.arange(-1.0, 4.01, 0.05)
    losses = [loss(scores - step, truth) + (step / SPREAD) ** 2 / 2 for step in steps]
    return float(steps[int(np.argmin(losses))])


def loss(scores, truth):
    """Return the summed log loss."""
    return float(np.logaddexp(0, np.where(truth, -scores, scores)).sum())


def is_defence(text):
    """Return whether a phrase of defence stands in it."""
    verdict = Verdict(
        p_negative=0.4, p_neutral=0.3, p_positive=0.3, label=Label.NEUTRAL, unsure=False, language="de", classifier="",
        model_version="",
    )  # fmt: skip
    return heeded(verdict, folded(text)).stance is Stance.DEFENDER


def main():
    """Print the shift, and the mean log loss without it and with it on posts left out."""
    posts = list(marked(CHECK / "defence.txt"))
    truth = np.array([label == 0 for _, label in posts])
    found = LinearClassifier("Nordfunk").classify(
        [
            Mention(source=SourceId("a"), external_id=str(at), text=text, published_at=NOON, captured_at=NOON)
            for at, (text, _) in enumerate(posts)
        ]
    )
    assert all(is_defence(text) for text, _ in posts), [text for text, _ in posts if not is_defence(text)]
    chances = np.clip([one.p_negative for one in found], 1e-6, 1 - 1e-6)
    scores = np.log(chances / (1 - chances))
    every = np.arange(len(posts))
    alone = [loss(scores[[at]] - fitted(scores[every != at], truth[every != at]), truth[[at]]) for at in every]
    print(f"{len(posts)} posts, {truth.sum()} of them negative: EASED {fitted(scores, truth):.2f}")
    print(f"log loss without {loss(scores, truth) / len(posts):.3f}, left out one by one {np.mean(alone):.3f}")


if __name__ == "__main__":
    main()
