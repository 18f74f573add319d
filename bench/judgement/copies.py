"""How well and how fast near-copies are found: `python bench/judgement/copies.py CORPORA`."""

from __future__ import annotations

import random
import resource
import sys
import time

from corpora import read_corpus

from brandmelder.classify import duplicates


def grams(text):
    return {text[i : i + 4] for i in range(len(text) - 3)}


def mutated(text, rng):
    """Cut, change or add words, or mistype, a few times."""
    words = text.split()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(words))
        kind = rng.randrange(4)
        if kind == 0 and len(words) > 6:
            words = words[:-2]
        elif kind == 1:
            words[at] = rng.choice(("wirklich", "heute", "leider", "ganz", "neu"))
        elif kind == 2:
            words.insert(at, rng.choice(("ja", "mal", "so", "echt")))
        else:
            words[at] = words[at][::-1]
    return " ".join(words)


def main():
    texts, _ = read_corpus(sys.argv[1], "sb10k.train")
    plain = sorted({duplicates.stripped(text) for text in texts})
    plain = [text for text in plain if len(text.split()) >= 8]
    rng = random.Random(3)
    pairs = [(text, mutated(text, rng)) for text in rng.sample(plain, 2000)]
    near = [(a, b) for a, b in pairs if len(grams(a) & grams(b)) / len(grams(a) | grams(b)) >= 0.6]
    apart = [tuple(rng.sample(plain, 2)) for _ in range(4000)]
    found = sum(_joined(a, b) for a, b in near)
    false = sum(_joined(a, b) for a, b in apart)
    print(f"recall at Jaccard >= .6: {found / len(near):.4f} of {len(near)}")
    print(f"false pairs: {false / len(apart):.5f} of {len(apart)}")
    copies = duplicates.Copies()
    begin = time.process_time()
    for start in range(0, len(texts), 250):
        copies.add([""] * len(texts[start : start + 250]), texts[start : start + 250])
    print(f"{len(texts) / (time.process_time() - begin):,.0f} texts per CPU second, {len(copies)} clusters")
    begin = time.process_time()
    duplicates.signatures(plain)
    print(f"signatures alone {len(plain) / (time.process_time() - begin):,.0f}")
    copies, before = duplicates.Copies(limit=20_000), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in range(0, 200_000, 500):
        numbers = range(start, start + 500)
        block = [f"{plain[i % len(plain)]} {i} {i * 7919 % 100_003} nr {i * 104_729 % 1_000_003}" for i in numbers]
        copies.add([""] * 500, block)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"200,000 posts, limit 20,000: {len(copies)} clusters, {(after - before) / 1024:.0f} MB more")


def _joined(a, b):
    copies = duplicates.Copies()
    one, two = copies.add(["a", "b"], [a, b])
    return one.cluster == two.cluster


if __name__ == "__main__":
    main()
