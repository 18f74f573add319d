"""What a brand's labels bring: `python bench/judgement/learning.py CORPORA`. The evaluation file plays the brand."""

from __future__ import annotations

import argparse

import numpy as np
from corpora import read_corpus
from measure import average_precision, calibration_error

from brandmelder.classify import adapt, linear

SIZES = (0, 25, 50, 100, 200, 400, 1000)


def scores_of(head, found, texts, base):
    """Return the logit of negative after what was learnt."""
    if found is None:
        return base
    reading = [head.read(part) for part in linear.chunks(texts)]
    moved = np.concatenate([head.shift(one, head.table(found)) for one in reading])
    inner = found.inner.a * base + found.inner.b + moved
    return found.calibration.a * inner + found.calibration.b


def main():
    """Print mean AP, its standard error, summed P to truth and ECE by number of labels."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpora")
    parser.add_argument("--name", default="evaluation_only/germeval2017_dev")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    texts, labels = read_corpus(options.corpora, options.name)
    negative = labels == 0
    head = linear.load().heads["de"]
    base = linear.calibrated_logits(head, head.score(texts))
    vectors = [pair for part in linear.chunks(texts) for pair in head.vectors(head.read(part))]
    print("labels   AP     +-     worst  ratio  ECE    used")
    for size in options.sizes:
        rows, used = [], 0
        for draw in range(options.draws if size else 1):
            order = np.random.default_rng(draw).permutation(len(texts))
            known, rest = order[:size], order[size:]
            examples = [
                adapt.Example(
                    score=float(base[i]),
                    slots=vectors[i][0],
                    values=vectors[i][1],
                    is_negative=bool(negative[i]),
                    group=int(i),
                )
                for i in known
            ]
            found = adapt.learn(examples) if size else None
            used += found is not None and bool(found.slots)
            chance = linear.sigmoid(scores_of(head, found, [texts[i] for i in rest], base[rest]))
            truth = negative[rest]
            rows.append(
                (average_precision(truth, chance), chance.sum() / truth.sum(), calibration_error(truth, chance))
            )
        table = np.array(rows)
        error = table[:, 0].std() / np.sqrt(len(table))
        print(
            f"{size:>6}  {table[:, 0].mean():.3f}  {error:.3f}  {table[:, 0].min():.3f}  "
            f"{table[:, 1].mean():.2f}   {table[:, 2].mean():.3f}  {used}/{len(table)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
