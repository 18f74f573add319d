"""Read the labelled texts: the corpora from a directory the caller names, our own posts from `posts/`."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import numpy as np

LABELS = ("negative", "neutral", "positive")
POSTS = Path(__file__).parent / "posts"
CHECK = Path(__file__).parent / "check"
OPENERS = {
    "de": ("@{nordbahn|acme|stadtwerke|nordnetz|landbank} ", "Hallo, ", "Guten Tag, ", "Liebes Team, ", "RT @jan: ",
           "Heute: ", "Zur Info: ", "Nochmal: ", "Update: ", "Hallo @{acme|nordbank}, "),
    "en": ("@{acme|northbank|cityrail} ", "Hi, ", "Hello, ", "Dear team, ", "RT @ann: ", "Today: ", "Update: "),
}  # fmt: skip
CLOSERS = (
    (
        "",
        " 😡",
        " 😤",
        " 🙄",
        " #fail",
        " :(",
        " @{acme|nordbank}",
        " #{acme|nordbahn|nordnetz}",
        " !!",
        " http://t.co/q",
    ),
    ("", "", " http://t.co/q", " #{acme|nordbahn|nordnetz}", " @{acme|nordbank}", " via @{blatt|news}"),
    ("", " 😊", " 👍", " :)", " #{acme|nordbahn}", " @{acme|nordbank}", " !", " ❤"),
)


def read_corpus(directory, name, labels=LABELS):
    """Return texts and labels (indices into `labels`) of one file; other labels are left out."""
    with gzip.open(Path(directory) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["label"] in labels]
    return [row["text"] for row in rows], np.array([labels.index(row["label"]) for row in rows])


def drawn(text, rng):
    """Replace every {one|two} by one of its choices."""
    return re.sub(r"\{([^}]*)\}", lambda match: rng.choice(match[1].split("|")), text)


def joined(post, alike, neutral, copy, rng):
    """Return the post alone, with one other, or as part of a long text (three to six posts, mostly neutral)."""
    if copy % 3 == 0:
        return post
    others = 1 if copy % 3 == 1 else rng.randint(2, 5)
    bodies = [post] + [
        rng.choice(alike if rng.random() < (0.6 if others == 1 else 0.3) else neutral) for _ in range(others)
    ]
    rng.shuffle(bodies)
    return " ".join(bodies)


def marked(path):
    """Yield (text, label) of the lines `- text`, `o text`, `+ text`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line[:2] in ("- ", "o ", "+ "):
            yield line[2:], "-o+".index(line[0])


def read_turns(language):
    """Return the classes of turns of speech, in order, each with its posts and labels."""
    out, current = {}, None
    for line in (CHECK / f"turns.{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# --- "):
            current = out.setdefault(line[6:], ([], []))
        elif line[:2] in ("- ", "o ", "+ ") and current is not None:
            current[0].append(line[2:])
            current[1].append("-o+".index(line[0]))
    return {name: (texts, np.array(labels)) for name, (texts, labels) in out.items()}


def read_check(language, half=None):
    """Return our own check posts and labels: all, or half of them (0: settings may look at them, 1: nobody)."""
    posts = list(marked(CHECK / f"{language}.txt"))
    if half is not None:
        posts = posts[half::2]
    return [text for text, _ in posts], np.array([label for _, label in posts])


def read_posts(language, copies, seed=7):
    """Return our own posts: each as it stands, with a frame, and joined with another one."""
    rng = random.Random(seed)
    by_label = {0: [], 1: [], 2: []}
    for text, label in marked(POSTS / f"{language}.txt"):
        by_label[label].append(text)
    out = {}
    for label, posts in by_label.items():
        for post in posts:
            out[drawn(post, rng)] = label
            for copy in range(copies):
                body = joined(post, posts, by_label[1], copy, rng)
                if rng.random() < 0.5:
                    body = rng.choice(OPENERS[language]) + body
                out[drawn(body + rng.choice(CLOSERS[label]), rng)] = label
    return list(out), np.array(list(out.values()))
