"""Fits the head of the word-list classifier and says how good it is.

    python bench/fit_lexicon.py [--data ../shared/data/sentiment] [--evaluate]

Trained on the train parts of SB10k and PotTS (without `mixed`), each text weighted so that the classes have the
shares of `lexicon.BASE`. Newton's method with a small ridge: one answer, no seed. Prints the rows for
lexicon.COEFFICIENTS, the figures of those that stand there on dev and on our own customer posts, and the speed.
`--evaluate` adds the test parts and the evaluation-only file (GermEval 2017 dev, CC BY-NC 4.0: Wojatzki et al. 2017),
from which nothing is learnt.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from brandmelder.classify.language import identify_words
from brandmelder.classify.lexicon import BASE, COEFFICIENTS, LexiconClassifier, measure
from brandmelder.classify.tone import weigh
from brandmelder.classify.words import Dictionary, fold, tokenise
from brandmelder.model import Mention, SourceId

ROOT = Path(__file__).parents[1]
LABELS = ("negative", "neutral", "positive")
RIDGE = 1.0
TRAIN = ("sb10k.train", "potts.train")
DEV = ("sb10k.dev", "potts.dev")
TEST = ("sb10k.test", "potts.test", "evaluation_only/germeval2017_dev")
NOON = datetime(2026, 1, 1, tzinfo=UTC)


def read(folder: Path, name: str) -> list[tuple[str, str]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        posts = map(json.loads, lines)
        return [(post["label"], post["text"]) for post in posts if post["label"] in LABELS]


def design(posts: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Features with a column of ones, (texts, 9), and classes, (texts,)."""
    dictionaries = {"de": Dictionary(("de",)), "en": Dictionary(("en",)), "und": Dictionary(("de", "en"))}
    rows = []
    for _, text in posts:
        tokens = tokenise(fold(text))
        language = identify_words(token for token in tokens if token[0].isalpha())
        rows.append([*measure(weigh(tokens, dictionaries[language]), tokens), 1.0])
    return np.array(rows), np.array([LABELS.index(label) for label, _ in posts])


def probabilities(rows: np.ndarray, design_: np.ndarray) -> np.ndarray:
    scores = np.column_stack([design_ @ rows[0], np.zeros(len(design_)), design_ @ rows[1]])
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Multinomial logistic regression against neutral, (2, 9), by Newton's method."""
    weights = (np.array(BASE) / (np.bincount(y, minlength=3) / len(y)))[y]
    truth, size = np.eye(3)[y], x.shape[1]
    ridge = RIDGE * np.tile(np.r_[np.ones(size - 1), 0.0], 2)
    beta = np.zeros(2 * size)
    for _ in range(50):
        p = probabilities(beta.reshape(2, size), x)
        slope = np.concatenate([x.T @ (weights * (p[:, c] - truth[:, c])) for c in (0, 2)]) + ridge * beta
        bend = np.block(
            [[(x * (weights * p[:, a] * ((a == b) - p[:, b]))[:, None]).T @ x for b in (0, 2)] for a in (0, 2)]
        )
        step = np.linalg.solve(bend + np.diag(ridge), slope)
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    return beta.reshape(2, size)


def average_precision(is_negative: np.ndarray, score: np.ndarray) -> float:
    hits = is_negative[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def calibration_error(is_negative: np.ndarray, score: np.ndarray, weights: np.ndarray) -> float:
    """Expected calibration error of P(negative), ten bins, at the shares of BASE."""
    bins = np.minimum((score * 10).astype(int), 9)
    parts = [(weights[bins == b], is_negative[bins == b], score[bins == b]) for b in np.unique(bins)]
    return float(sum(abs((w * t).sum() - (w * s).sum()) for w, t, s in parts) / weights.sum())


def figures(rows: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[str]:
    p = probabilities(rows, x)
    said = p.argmax(axis=1)
    ordered = np.sort(p, axis=1)
    f1 = [2 * ((said == c) & (y == c)).sum() / max(1, (said == c).sum() + (y == c).sum()) for c in range(3)]
    weights = (np.array(BASE) / np.maximum(np.bincount(y, minlength=3) / len(y), 1e-9))[y]
    values = [
        np.mean(f1),
        (said == y).mean(),
        f1[0],
        average_precision(y == 0, p[:, 0]),
        (y == 0).mean(),
        calibration_error(y == 0, p[:, 0], weights),
        (said[y == 0] == 0).mean(),
        (said[y == 1] == 0).mean(),
        p[y == 0, 0].mean(),
        p[y == 1, 0].mean(),
        (ordered[:, 2] - ordered[:, 1] < 0.2).mean(),
    ]
    return [f"{value:.3f}" for value in values]


def speed(texts: list[str]) -> float:
    """Texts per CPU second of whole verdicts, best of three, with a warm dictionary."""
    classifier = LexiconClassifier("Nordfunk")
    mentions = [
        Mention(source=SourceId("s"), external_id="", text=text, published_at=NOON, captured_at=NOON) for text in texts
    ]
    classifier.classify(mentions)
    best = float("inf")
    for _ in range(3):
        before = time.process_time()
        classifier.classify(mentions)
        best = min(best, time.process_time() - before)
    return len(mentions) / best


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "sentiment")
    arguments.add_argument("--evaluate", action="store_true")
    asked = arguments.parse_args()
    console = Console(width=150)
    if not asked.data.is_dir():
        console.print(f"skipped: there is no data in {asked.data}")
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from classify.own_posts import FRESH, HELD_OUT, OTHER_TRADES, TUNING

    posts = {name: read(asked.data, name) for name in (*DEV, *(TEST if asked.evaluate else ()))}
    training = [post for name in TRAIN for post in read(asked.data, name)]
    fitted = fit(*design(training))
    console.print("COEFFICIENTS = (")
    for row in fitted:
        console.print(f"    ({', '.join(f'{value:.3f}' for value in row)}),")
    console.print(")")

    table = Table(title="the coefficients in lexicon.py; ECE at the shares of BASE")
    table.add_column("texts")
    columns = "macro-F1|accuracy|F1 neg.|AP|floor|ECE|neg. found|neutral as neg.|mean P neg.|mean P neutral|unsure"
    for column in columns.split("|"):
        table.add_column(column, justify="right")
    own = {"own: tuning": TUNING, "own: other trades": OTHER_TRADES, "own: held out": HELD_OUT, "own: fresh": FRESH}
    for name, some in {**posts, **own}.items():
        table.add_row(name, *figures(np.array(COEFFICIENTS), *design(some)))
    console.print(table)
    console.print(f"{speed([text for _, text in training]):,.0f} texts per CPU second, whole verdicts")


if __name__ == "__main__":
    main()
