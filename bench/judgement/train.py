"""Train the shipped model: `python bench/judgement/train.py CORPORA OUT.npz`. NumPy alone, fixed seeds."""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from compile_words import KINDS, TOPICS, WEIGHT_BAD, WEIGHT_GOOD, compile_list
from corpora import LABELS, read_corpus, read_posts
from optimise import Sparse, fit, softmax
from scores import best_bias, biased, macro_f1, two_f1

from brandmelder.classify import features, head, linear, wordlist
from brandmelder.classify.lexicon import BASE, LexiconClassifier
from brandmelder.model import Mention, SourceId

RIDGE, RIDGE_ENTRY, RIDGE_DENSE = 0.6, 0.35, 0.2
ENTRY_UNIT, DENSE_UNIT = 0.35, 0.5
SMOOTHING, RATIO_LIMITS = 1.0, (0.3, 2.0)
COPIES = 3
OWN_WEIGHT = 1.0
LEXICON_SHARE, UNLABELLED_WEIGHT = 0.25, 0.3
TWEETS = np.array([0.19, 0.5, 0.31])
"""Shares of negative, neutral, positive in the corpora; the lexicon classifier assumes those of customers."""
GOOD = np.array([WEIGHT_GOOD.get(kind, 0) for kind in KINDS])
BAD = np.array([WEIGHT_BAD.get(kind, 0) for kind in KINDS])
LENGTHS = 601


def shape_columns(good, bad):
    """Return what the balance of good and bad words says, as columns."""
    good, bad = np.minimum(good, head.SUM_CAP).astype(float), np.minimum(bad, head.SUM_CAP).astype(float)
    return np.stack(
        [
            np.log1p(good), np.log1p(bad), (good - bad) / (good + bad + 1), (bad > 0) & (good == 0),
            (good > 0) & (bad == 0), (good == 0) & (bad == 0), (good > 0) & (bad > 0),
        ],
        axis=-1,
    ).astype(float)  # fmt: skip


def dense_columns(counts, lengths):
    """Return the dense features of each text: amount and presence of every kind, the balance, the length."""
    capped = np.minimum(counts, head.COUNT_CAP)
    length = np.log1p(np.minimum(lengths, LENGTHS - 1))[:, None] / 3
    columns = [np.log1p(capped), 0.5 * (capped > 0), shape_columns(counts @ GOOD, counts @ BAD), length]
    return np.concatenate(columns, axis=1) * DENSE_UNIT


class Features:
    """Everything the model sees of some texts, as cells (row, column)."""

    def __init__(self, texts, words):
        self.rows = len(texts)
        cells, entries, counts, lengths, spelled = [], [], [], [], []
        base = 0
        for part in head.chunks(texts):
            batch = features.read(part)
            tokens = features.tokens(batch)
            found = words.match(batch, tokens)
            for row in range(len(part)):
                first, last = tokens.first[row], tokens.last[row]
                slots = tokens.hashes[first:last] >> np.uint32(32 - features.SLOT_BITS)
                spelled.append(slots)
                hits = found.words[first:last] + found.negated[first:last] * words.entries
                entries.append(np.concatenate([hits, found.pairs[first:last]]))
            grams = features.gram_slots(batch)
            cells.extend(
                np.concatenate([grams[:, start:end].ravel(), slots])
                for start, end, slots in zip(batch.starts, batch.ends, spelled[base:], strict=True)
            )
            counts.append(words.counts(tokens, found))
            lengths.append(tokens.last - tokens.first)
            base += len(part)
        self.cells, self.entries, self.spelled = cells, entries, spelled
        self.dense = dense_columns(np.concatenate(counts), np.concatenate(lengths))

    @staticmethod
    def counted(lists, width):
        """Return (rows, columns, counts) of the lists of columns."""
        rows = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        keys, counts = np.unique(rows * width + np.concatenate(lists).astype(np.int64), return_counts=True)
        return keys // width, keys % width, counts.astype(float)


def stacked(parts):
    """Join several Features below one another."""
    out = Features.__new__(Features)
    out.rows = sum(part.rows for part in parts)
    out.cells = [cell for part in parts for cell in part.cells]
    out.entries = [cell for part in parts for cell in part.entries]
    out.spelled = [cell for part in parts for cell in part.spelled]
    out.dense = np.concatenate([part.dense for part in parts])
    return out


def inverse_frequencies(data):
    """Return idf per slot, 0 where fewer than two texts have it, as the model file stores it."""
    _, columns, _ = Features.counted(data.cells, features.SLOTS)
    frequency = np.bincount(columns, minlength=features.SLOTS)
    idf = (np.log((1 + data.rows) / (1 + frequency)) + 1) ** 0.75
    return np.where(frequency >= 2, np.rint(16 * idf), 0) / 16


def design_of(data, entries, idf):
    """Return the sparse design matrix: used slots, entries, dense columns, constant; and the used slots."""
    blocks = []
    used = np.zeros(0, np.int64)
    if idf is not None:
        rows, columns, counts = Features.counted(data.cells, features.SLOTS)
        keep = idf[columns] > 0
        rows, columns, counts = rows[keep], columns[keep], counts[keep]
        used, columns_new = np.unique(columns, return_inverse=True)
        norm = np.sqrt(np.bincount(rows, counts * idf[columns] ** 2, data.rows))
        blocks.append((rows, columns_new, counts * idf[columns] / np.maximum(norm, 1e-9)[rows], len(used)))
    rows, columns, counts = Features.counted(data.entries, 2 * entries)
    keep = columns % entries != 0
    blocks.append((rows[keep], columns[keep], counts[keep] * ENTRY_UNIT, 2 * entries))
    rows, columns = np.nonzero(data.dense)
    blocks.append((rows, columns, data.dense[rows, columns], data.dense.shape[1]))
    blocks.append((np.arange(data.rows), np.zeros(data.rows, np.int64), np.ones(data.rows), 1))
    starts = np.cumsum([0] + [block[3] for block in blocks])
    design = Sparse(
        np.concatenate([block[0] for block in blocks]),
        np.concatenate([block[1] + start for block, start in zip(blocks, starts, strict=False)]),
        np.concatenate([block[2] for block in blocks]),
        (data.rows, int(starts[-1])),
    )
    return design, used, starts


def ridges(starts, *, has_grams):
    """Return the ridge of each column."""
    sizes = np.diff(starts)
    values = ([RIDGE] if has_grams else []) + [RIDGE_ENTRY, RIDGE_DENSE, 1e-3]
    return np.repeat(values, sizes)


def baked(dense, constant):
    """Turn weights of dense columns into tables over counts: kinds, grid of good and bad, lengths."""
    kinds = len(KINDS)
    steps = np.arange(head.COUNT_CAP + 1)
    amount, presence = dense[:kinds], dense[kinds : 2 * kinds]
    table = DENSE_UNIT * (
        np.log1p(steps)[None, :, None] * amount[:, None, :] + 0.5 * (steps > 0)[None, :, None] * presence[:, None, :]
    )
    good, bad = np.meshgrid(np.arange(head.SUM_CAP + 1), np.arange(head.SUM_CAP + 1), indexing="ij")
    grid = DENSE_UNIT * shape_columns(good, bad) @ dense[2 * kinds : -1]
    lengths = DENSE_UNIT * np.log1p(np.arange(LENGTHS))[:, None] / 3 * dense[-1] + constant
    return table, grid, lengths


def quantised(values, levels=127, dtype=np.int8):
    """Return integers and the scale that turns them back."""
    scale = float(np.abs(values).max()) / levels or 1.0
    return np.rint(values / scale).astype(dtype), np.float64(scale)


def ratios(design, targets, weights, width):
    """Return how telling each n-gram is of each class, squared: the variance its weight may have.

    The log-count ratio of Wang and Manning 2012 ("Baselines and Bigrams"), as a prior instead of a rescaling.
    """
    keep = design.columns < width
    rows, columns = design.rows[keep], design.columns[keep]
    out = np.empty((width, 3))
    for label in range(3):
        inside = weights * targets[:, label]
        outside = weights * (1 - targets[:, label])
        ones = np.bincount(columns, inside[rows], width) + SMOOTHING
        others = np.bincount(columns, outside[rows], width) + SMOOTHING
        scale = np.log((inside.sum() + SMOOTHING) / (outside.sum() + SMOOTHING))
        out[:, label] = np.clip(np.abs(np.log(ones / others) - scale), *RATIO_LIMITS) ** 2
    return out / out.mean()


def train_tone(data, targets, weights, entries, *, grams):
    """Return the weights of negative and positive against neutral, block by block."""
    idf = inverse_frequencies(data) if grams else None
    design, used, starts = design_of(data, entries, idf)
    ridge = np.repeat(ridges(starts, has_grams=grams)[:, None], 3, axis=1)
    if grams:
        ridge[: starts[1]] /= ratios(design, targets, weights, starts[1])
    solved = fit(design, targets, weights, ridge)
    solved = (solved - solved[:, 1:2])[:, [0, 2]]
    parts = np.split(solved, starts[1:-1])
    return (parts if grams else [None, *parts]), used, idf


def train_insult(data, labels, entries):
    """Return the weights of insult: words, entries, dense columns, constant."""
    words = [np.asarray(slots) for slots in data.spelled]
    rows, columns, counts = Features.counted(words, features.SLOTS)
    used, index = np.unique(columns, return_inverse=True)
    length = np.maximum([len(one) for one in words], 1)
    design, _, starts = design_of(data, entries, None)
    joined = Sparse(
        np.concatenate([rows, design.rows]),
        np.concatenate([index, design.columns + len(used)]),
        np.concatenate([3 * counts / np.sqrt(length)[rows], design.values]),
        (data.rows, len(used) + design.shape[1]),
    )
    ridge = np.concatenate([np.full(len(used), 3.0), ridges(starts, has_grams=False)])[:, None]
    solved = fit(joined, np.eye(2)[labels], np.ones(data.rows), ridge, steps=60)
    solved = solved[:, 1] - solved[:, 0]
    table = np.zeros(features.SLOTS)
    table[used] = 3 * solved[: len(used)]
    return table, np.split(solved[len(used) :], starts[1:-1])


def head_arrays(prefix, lists, parts, insult):
    """Return the arrays of one head."""
    _, entry, dense, constant = parts
    _, (entry_insult, dense_insult, constant_insult) = insult
    entry = np.concatenate([entry, entry_insult[:, None]], axis=1) * ENTRY_UNIT
    dense = np.concatenate([dense, dense_insult[:, None]], axis=1)
    constant = np.concatenate([constant[0], constant_insult])
    table, grid, lengths = baked(dense, constant)
    out = {f"{prefix}_{name}": value for name, value in lists.items()}
    for name, values, levels, dtype in (
        ("entries", entry, 127, np.int8), ("table", table, 32767, np.int16),
        ("grid", grid, 32767, np.int16), ("lengths", lengths, 32767, np.int16),
    ):  # fmt: skip
        out[f"{prefix}_{name}"], out[f"{prefix}_{name}_scale"] = quantised(values, levels, dtype)
    out[f"{prefix}_good"], out[f"{prefix}_bad"] = GOOD.astype(np.int8), BAD.astype(np.int8)
    out[f"{prefix}_defend"] = np.int64(KINDS.index("defend"))
    out[f"{prefix}_calibration"] = np.array([1.0, 0.0])
    out[f"{prefix}_unsure_band"] = np.float64(0.2)
    return out


def gram_arrays(prefix, weights, used, idf):
    """Return the n-gram table: weight·idf of negative and positive, and idf."""
    products = np.zeros((2, features.SLOTS))
    products[:, used] = weights.T * idf[used]
    integers, scale = quantised(products, head.GRAM_LEVELS)
    grams = np.stack([integers[0].astype(np.int16), integers[1].astype(np.int16), np.rint(16 * idf).astype(np.int16)])
    return {f"{prefix}_grams": grams.astype(np.uint8).view(np.int8), f"{prefix}_grams_scale": scale}


def save(path, arrays):
    """Write a compressed archive whose bytes depend on the arrays alone; return its SHA-256."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.save(buffer, np.asarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def main():
    """Train both heads, write the file, print its digest and the development figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpora")
    parser.add_argument("out")
    parser.add_argument("--own-weight", type=float, default=OWN_WEIGHT)
    parser.add_argument("--without", default="")
    options = parser.parse_args()
    arrays = train(options.corpora, options.own_weight, options.without)
    print("sha256", save(options.out, arrays), Path(options.out).stat().st_size, "bytes")


def train(corpora, own_weight=OWN_WEIGHT, without=""):
    """Return the arrays of the model file: thresholds from a fit without the development files, weights from all."""
    names = [name for name in ("sb10k", "potts") if name != without]
    settings = tuned(solved_arrays(corpora, names, ("train",), own_weight), corpora, names)
    return solved_arrays(corpora, names, ("train", "dev"), own_weight) | settings


def pooled_corpus(corpora, name, files, labels=LABELS):
    """Return texts and labels of several files of one corpus."""
    parts = [read_corpus(corpora, f"{name}.{file}", labels) for file in files]
    return [text for texts, _ in parts for text in texts], np.concatenate([y for _, y in parts])


def mixed(texts, gold, share):
    """Return targets: gold labels mixed with what the lexicon classifier says.

    Its few rules carry over to other brands better than weights learnt from tweets: they keep the many features near.
    """
    judge = LexiconClassifier("")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    found = judge.classify(
        [
            Mention(source=SourceId("train"), external_id="", text=text, published_at=moment, captured_at=moment)
            for text in texts
        ]
    )
    soft = np.array([(one.p_negative, one.p_neutral, one.p_positive) for one in found]) * TWEETS / np.array(BASE)
    soft /= soft.sum(axis=1, keepdims=True)
    return (1 - share) * gold + share * soft


def solved_arrays(corpora, names, files, own_weight):
    """Return the arrays of a model fitted to these files and our own posts, its thresholds not yet set."""
    lists = {language: compile_list(language)[0] for language in ("de", "en")}
    words = {k: wordlist.WordList({f"{k}_{n}": v for n, v in lists[k].items()}, k) for k in lists}
    german = [pooled_corpus(corpora, name, files) for name in names]
    own = {language: read_posts(language, COPIES) for language in lists}
    parts = [Features(texts, words["de"]) for texts, _ in [*german, own["de"]]]
    labels = [y for _, y in [*german, own["de"]]]
    offence_texts, offence = pooled_corpus(corpora, "germeval2018", files, ("other", "offensive"))
    offences = Features(offence_texts, words["de"])
    targets = [mixed(texts, np.eye(3)[y], LEXICON_SHARE) for texts, y in [*german, own["de"]]]
    targets.append(mixed(offence_texts, 0, 1.0))
    weights = np.repeat([1.0] * len(german) + [own_weight, UNLABELLED_WEIGHT], [len(y) for y in targets])
    data = stacked([*parts, offences])
    solved, used, idf = train_tone(data, np.concatenate(targets), weights, words["de"].entries, grams=True)
    insult = train_insult(offences, offence, words["de"].entries)
    arrays = head_arrays("de", lists["de"], solved, insult) | gram_arrays("de", solved[0], used, idf)
    arrays["de_insults"], arrays["de_insults_scale"] = quantised(insult[0])
    arrays |= english_arrays((parts[:-1], labels[:-1]), own["en"], lists, words, insult)
    pooled = np.concatenate(labels)
    arrays["prior"] = np.bincount(pooled, minlength=3) / len(pooled)
    arrays["topic_names"] = np.array(TOPICS)
    arrays["label_bias"], arrays["insult_threshold"] = np.zeros(2), np.float64(0.5)
    return arrays


def english_arrays(german, own, lists, words, insult):
    """Train the English head: kinds from the German corpora too, entries from our own posts."""
    posts = Features(own[0], words["en"])
    parts, german_labels = german
    for part in parts:
        part.entries = [np.zeros(0, np.int64)] * part.rows
    data = stacked([*parts, posts])
    labels = np.concatenate([*german_labels, own[1]])
    share = np.bincount(labels, minlength=3) / len(labels)
    weights = (1 / (3 * share))[labels] ** 0.5
    weights[-posts.rows :] *= 3
    solved, _, _ = train_tone(data, np.eye(3)[labels], weights, words["en"].entries, grams=False)
    blank = np.zeros(2 * words["en"].entries)
    return head_arrays("en", lists["en"], solved, (None, (blank, *insult[1][1:])))


def built(arrays):
    """Return the model of these arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return linear.build(buffer.getvalue())


def tuned(arrays, corpora, names):
    """Return label bias, unsure band and insult threshold, chosen on the development files."""
    settings = {}
    model = built(arrays)
    development = []
    for name in names:
        texts, labels = read_corpus(corpora, f"{name}.dev")
        development.append((model.heads["de"].score(texts).logits, labels))
    settings["label_bias"] = np.array(best_bias(development))
    chances = [linear.sigmoid(linear.negative_logits(head.Scores(z, None, None))) for z, _ in development]
    pooled = np.concatenate(chances)
    settings["de_unsure_band"] = settings["en_unsure_band"] = np.float64(np.quantile(np.abs(pooled - 0.5), 0.2))
    texts, offence = read_corpus(corpora, "germeval2018.dev", ("other", "offensive"))
    chance = softmax(np.stack([np.zeros(len(texts)), model.heads["de"].score(texts).logits[:, 2]], axis=1))[:, 1]
    steps = np.arange(0.2, 0.8, 0.02)
    scores = [two_f1(offence, chance > step) for step in steps]
    settings["insult_threshold"] = np.float64(steps[int(np.argmax(np.convolve(scores, np.ones(3) / 3, "same")))])
    for (logits, labels), name in zip(development, names, strict=True):
        print(name, "dev", round(macro_f1(labels, biased(logits, settings["label_bias"])), 4), settings["label_bias"])
    print("insult dev macro-F1", round(max(scores), 4))
    return settings


if __name__ == "__main__":
    main()
