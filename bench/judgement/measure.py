"""One table, same splits, same run: `python bench/judgement/measure.py CORPORA`. Needs the group `judgement`.

Peers that are not installed are left out and named. Speeds are texts per CPU second of one thread.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from corpora import read_check, read_corpus, read_turns
from scores import macro_f1, two_f1
from train import built, train

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = {
    "SB10k test": "sb10k.test",
    "PotTS test": "potts.test",
    "GermEval 2017 dev": "evaluation_only/germeval2017_dev",
}
SPEED_TEXTS = ("SB10k test", "PotTS test")
"""100 characters on average, as long as the texts the targets were set with."""
SINGLE_TEXTS = 400
SURE_INSULT = 0.7
"""From which level an insult is counted as one."""
ANCHORS = (
    "published (other splits): german-sentiment-bert macro-F1 SB10k .603, PotTS .651; GermEval 2017 .514, trained on it"
)


class Judge(NamedTuple):
    """A peer: texts to (P(negative) or a score that ranks like it, guesses 0/1/2, unsure)."""

    name: str
    judge: Callable
    modules: str


def average_precision(truth, scores):
    """Return the mean precision at each positive, ties broken by order."""
    order = np.argsort(-scores, kind="stable")
    hits = truth[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def calibration_error(truth, chances, bins=10):
    """Return the expected calibration error over bins of equal width."""
    places = np.minimum((chances * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(chances[places == b].mean() - truth[places == b].mean()) * (places == b).mean()
            for b in range(bins)
            if (places == b).any()
        )
    )


def negative_f1(labels, guesses):
    """Return the F1 of negative."""
    hits = int(((guesses == 0) & (labels == 0)).sum())
    return 2 * hits / max(1, int((guesses == 0).sum() + (labels == 0).sum()))


def ours(model=None, title="brandmelder linear", language="de"):
    """A model through one head, without language routing; by default the shipped one."""
    from brandmelder.classify import linear

    model = model or linear.load()
    head = model.heads[language]

    def judge(texts):
        scores = head.score(texts)
        chance = linear.sigmoid(linear.calibrated_logits(head, scores))
        return chance, np.array(head.labels(scores)), np.abs(chance - 0.5) < head.unsure_band

    return Judge(
        title, judge, "brandmelder.classify.linear;brandmelder.classify.linear.load().heads['de'].score(['a'])"
    )


def ours_whole():
    """The plug-in as the service calls it: language, verdicts, topics, reasons."""
    return _plugin("linear", "LinearClassifier", "brandmelder linear, whole verdicts")


def lexicon():
    """The classifier without training."""
    return _plugin("lexicon", "LexiconClassifier", "brandmelder lexicon")


def _plugin(module, name, title):
    import importlib
    from datetime import UTC, datetime

    from brandmelder.model import Mention

    classifier = getattr(importlib.import_module(f"brandmelder.classify.{module}"), name)("Acme")
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def judge(texts):
        found = classifier.classify(
            [
                Mention(source="a", external_id=str(i), text=text, published_at=moment, captured_at=moment)
                for i, text in enumerate(texts)
            ]
        )
        order = ("negative", "neutral", "positive")
        return (
            np.array([verdict.p_negative for verdict in found]),
            np.array([order.index(verdict.label.value) for verdict in found]),
            np.array([verdict.unsure for verdict in found]),
        )

    return Judge(title, judge, f"brandmelder.classify.{module};brandmelder.classify.{module}.{name}('Acme')")


def vader():
    """VADER (English rules and words), thresholds of its authors."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()

    def judge(texts):
        compound = np.array([analyser.polarity_scores(text)["compound"] for text in texts])
        return (1 - compound) / 2, np.where(compound <= -0.05, 0, np.where(compound >= 0.05, 2, 1)), None

    return Judge("VADER", judge, "vaderSentiment.vaderSentiment")


def textblob():
    """textblob-de, threshold 0."""
    from textblob_de import TextBlobDE

    def judge(texts):
        polarity = np.array([TextBlobDE(text).sentiment.polarity for text in texts])
        return (1 - polarity) / 2, np.where(polarity < 0, 0, np.where(polarity > 0, 2, 1)), None

    return Judge("textblob-de", judge, "textblob_de")


def tfidf(corpora, *, without=""):
    """Scikit-learn: TF-IDF of words (1-2) and characters (2-5), logistic regression with C chosen on dev."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union

    names = [name for name in ("sb10k", "potts") if name != without]
    train = [read_corpus(corpora, f"{name}.train") for name in names]
    dev = [read_corpus(corpora, f"{name}.dev") for name in names]
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True),
    )
    design = union.fit_transform([text for texts, _ in train for text in texts])
    labels = np.concatenate([y for _, y in train])
    models = [LogisticRegression(C=c, max_iter=400).fit(design, labels) for c in (2.0, 6.0)]
    best = max(models, key=lambda m: np.mean([macro_f1(y, m.predict(union.transform(t))) for t, y in dev]))

    def judge(texts):
        chances = best.predict_proba(union.transform(texts))
        return chances[:, 0], chances.argmax(axis=1), None

    title = "TF-IDF + logistic regression" + (f", no {without}" if without else "")
    return Judge(title, judge, "sklearn.linear_model,sklearn.feature_extraction.text")


def speed(judge, texts, batch, limit=4.0):
    """Return texts per CPU second in batches of `batch`: the best of three runs."""
    judge(texts[:batch])
    best = 0.0
    for _ in range(3):
        done, begin = 0, time.process_time()
        while done < len(texts) and time.process_time() - begin < limit:
            judge(texts[done : done + batch])
            done += batch
        best = max(best, min(done, len(texts)) / max(1e-9, time.process_time() - begin))
    return best


def cost(modules):
    """Return CPU seconds and resident megabytes of importing and loading, beyond an empty interpreter."""
    names, _, after = modules.partition(";")
    code = (
        "import time\nm=lambda:int(open('/proc/self/statm').read().split()[1])*4096/1e6\nb=m();t=time.process_time()\n"
        f"import {names}\n{after}\nprint(time.process_time()-t,m()-b)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return tuple(map(float, answer.stdout.split())) if answer.returncode == 0 else (float("nan"), float("nan"))


def row(peer, data, *, with_cost):
    """Return the cells of one peer."""
    cells = [f"{peer.name:<36}"]
    for texts, labels in data.values():
        chance, guesses, unsure = peer.judge(texts)
        kept = f"{1 - unsure.mean():.2f}" if unsure is not None else "  - "
        cells.append(
            f"{macro_f1(labels, guesses):.3f} {negative_f1(labels, guesses):.3f} "
            f"{average_precision(labels == 0, chance):.3f} {calibration_error(labels == 0, chance):.3f} {kept}"
        )
    if not with_cost:
        return " | ".join(cells)
    texts = [text for title in SPEED_TEXTS for text in data[title][0]]
    seconds, megabytes = cost(peer.modules)
    cells.append(
        f"{speed(peer.judge, texts, 250):>8,.0f} {speed(peer.judge, texts[:SINGLE_TEXTS], 1):>7,.0f}"
        f" {seconds:>5.2f} {megabytes:>5.0f}"
    )
    return " | ".join(cells)


def table(title, data, peers, *, with_cost=False):
    """Print one table, a row per peer; return what is not installed."""
    print("\n" + title)
    print(" | ".join([" " * 36, *(f"{name[:28]:<28}" for name in data), "cost" if with_cost else ""]))
    cost_names = "batch/s single/s import-s  MB" if with_cost else ""
    print(" | ".join([" " * 36, *["F1    neg   AP    ECE   kept"] * len(data), cost_names]))
    found, missing = present(peers)
    for peer in found:
        print(row(peer, data, with_cost=with_cost), flush=True)
    return missing


def present(peers):
    """Return the peers that are installed, and what is missing for the others."""
    found, missing = [], []
    for build in peers:
        try:
            found.append(build())
        except ImportError as error:
            missing.append(str(error))
    return found, missing


def turns(language, peers):
    """Print which share of each class of turns of speech gets its label, by peer."""
    data = read_turns(language)
    print(f"\nTurns of speech ({language}), share with the right label; nobody tuned on them")
    print("columns:", "; ".join(f"{name} ({len(labels)})" for name, (_, labels) in data.items()))
    for peer in present(peers)[0]:
        right = [(peer.judge(texts)[1] == labels) for texts, labels in data.values()]
        print(f"{peer.name:<36}", *(f"{one.mean():.2f}" for one in right), f" all {np.concatenate(right).mean():.2f}")


def means(data, language):
    """Print the mean P(negative) of our model by gold label."""
    judge = ours(language=language).judge
    for title, (texts, labels) in data.items():
        chance = judge(texts)[0]
        shares = " ".join(f"{chance[labels == label].mean():.2f}" for label in range(3))
        print(f"mean P(negative) of negative, neutral, positive texts: {shares}  {title}")


def insults(corpora):
    """Print how well the insult level finds offence: GermEval 2018, the task's own test part."""
    from brandmelder.classify import linear

    model = linear.load()
    texts, labels = read_corpus(corpora, "germeval2018.test", ("other", "offensive"))
    chance = linear.sigmoid(model.heads["de"].score(texts).logits[:, 2])
    sure = chance > SURE_INSULT
    score = two_f1(labels, chance > model.insult_threshold)
    print(
        f"\nInsult level, GermEval 2018 test ({len(texts)}): macro-F1 {score:.3f}"
        f" at {model.insult_threshold:.2f}, AP {average_precision(labels == 1, chance):.3f},"
        f" above {SURE_INSULT}: precision {labels[sure].mean():.2f}, recall {labels[sure].sum() / labels.sum():.2f}"
    )


def left_out(corpora, name):
    """Return builders of our model and of the TF-IDF peer, both fitted without this corpus."""
    return (
        lambda: ours(built(train(corpora, name)), f"brandmelder linear, no {name}"),
        lambda: tfidf(corpora, without=name),
    )


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpora")
    parser.add_argument("--quick", action="store_true", help="Without the fits that leave a corpus out.")
    options = parser.parse_args()
    data = {title: read_corpus(options.corpora, name) for title, name in TESTS.items()}
    data["own check posts"] = read_check("de")
    missing = table(
        "German", data, [ours, ours_whole, lexicon, vader, textblob, lambda: tfidf(options.corpora)], with_cost=True
    )
    means(data, "de")
    if not options.quick:
        peers = [build for name in ("sb10k", "potts") for build in left_out(options.corpora, name)]
        table("German, fitted without one of the corpora (read the column of that corpus)", data, peers)
    english = {"own check posts, half that nobody tuned on": read_check("en", 1)}
    table("English", english, [lambda: ours(language="en"), ours_whole, lexicon, vader])
    means(english, "en")
    turns("de", [ours, ours_whole, lexicon, vader])
    turns("en", [lambda: ours(language="en"), ours_whole, lexicon, vader])
    insults(options.corpora)
    print(ANCHORS)
    print("not installed:", "; ".join(missing) or "none")
    print("GermEval 2017: Wojatzki et al. 2017, CC BY-NC 4.0, measured only")


if __name__ == "__main__":
    main()
