"""Draw posts from a grammar of our own; posts/grammar.en.txt explains its form."""

from __future__ import annotations

import random
import re
from pathlib import Path

POSTS = Path(__file__).parent / "posts"
RULES = ("negative", "neutral", "positive")
CLOSERS = (
    ("", "", "", " 😡", " 😤", " 🙄", " 👎", " :(", " #fail", "!!", "!", " 😠", " 🤬", " smh", " ..."),
    ("", "", "", "", "", " http://t.co/q", " #news", " via @paper", " 🤔", " 👀"),
    ("", "", "", " 😊", " 👍", " :)", " ❤️", "!", "!!", " 🎉", " 😍", " 🙏", " #love"),
)
MAX_DEPTH = 12
_CHOICE = re.compile(r"\{([^{}]*)\}")
_RULE = re.compile(r"<([a-z-]+)>")


def read_grammar(language):
    """Return the alternatives of every rule."""
    rules, current = {}, None
    for line in (POSTS / f"grammar.{language}.txt").read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[([a-z-]+)\]", line):
            current = rules.setdefault(heading[1], [])
        elif line.strip() and not line.startswith("#"):
            current.append(line)
    return rules


def expanded(text, rules, rng):
    """Replace choices from the inside out, then rules, until nothing is left."""
    for _ in range(MAX_DEPTH):
        while _CHOICE.search(text):
            text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
        if not _RULE.search(text):
            break
        text = _RULE.sub(lambda match: rng.choice(rules[match[1]]), text)
    return re.sub(r" +", " ", text).strip()


def typed(text, rng):
    """Write as people do: without capitals, umlauts or stops, in capitals, or with a slip of the finger."""
    dice = rng.random()
    if dice < 0.22:
        text = text.lower()
    elif dice < 0.25:
        text = text.upper()
    if rng.random() < 0.08:
        text = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    if rng.random() < 0.15:
        text = text.rstrip(".")
    if rng.random() < 0.08 and len(text) > 20:
        at = rng.randrange(2, len(text) - 2)
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def draw(language, count, seed):
    """Return `count` different posts of each class, and their labels 0, 1, 2."""
    rules, rng = read_grammar(language), random.Random(seed)
    out = {}
    for label, name in enumerate(RULES):
        found = {}
        for _ in range(4 * count):
            post = typed(expanded(rng.choice(rules[name]), rules, rng), rng)
            found[post + (rng.choice(CLOSERS[label]) if rng.random() < 0.5 else "")] = label
            if len(found) == count:
                break
        out |= found
    return list(out), list(out.values())
