"""Compile the word lists to the hashes that `classify/wordlist.py` matches."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from brandmelder.classify import features, wordlist
from brandmelder.classify.words import load_words

WORDS = Path(__file__).parent / "words"
SHARED = ("signs.txt", "stance.txt")
MARKS = ("exclaim", "question", "dots", "link", "handle", "hashtag", "retweet")
LEXICON_CLASSES = {
    "incident": "incident", "insult": "insult", "defence": "defend", "sarcasm": "irony", "negator": "negator",
    "more": "very", "less": "hedge", "but": "contrast", "duty": "duty", "solved": "solved",
}  # fmt: skip
BAD = ("negative 3", "negative 2", "negative 1", "incident")
GOOD = ("positive 3", "positive 2", "positive 1")
NEGATED = ("negated good", "negated bad")
BEHIND = ("good behind", "bad behind")
"""Good and bad words behind a `but`: there stands the main point."""
KINDS = (
    *BAD, "insult", *GOOD, "smile", "heart", "joy", "laugh", "frown", "rage",
    "very", "hedge", "negator", "contrast", "irony", "ask", "defend", *MARKS, *NEGATED, "duty", "unmet", "solved",
    "mock", *BEHIND,
)  # fmt: skip
WEIGHT_BAD = {
    "negative 3": 3, "negative 2": 2, "negative 1": 1, "incident": 1, "insult": 3,
    "frown": 2, "rage": 2, "negated good": 1, "unmet": 2,
}  # fmt: skip
WEIGHT_GOOD = {
    "positive 3": 3, "positive 2": 2, "positive 1": 1, "smile": 2, "heart": 2, "joy": 2, "laugh": 2, "negated bad": 1,
}  # fmt: skip
TOPICS = (
    "outage", "delay", "delivery", "price", "billing", "service", "product", "staff", "privacy", "safety", "campaign",
    "ethics", "jobs", "contract", "branch",
)  # fmt: skip


def parse(path):
    """Yield (entry, section) of one file."""
    section = None
    for line in path.read_text(encoding="utf-8").splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("# "):
            continue
        heading = re.fullmatch(r"\[([\w ]+)\]", stripped)
        if heading:
            section = heading[1]
            continue
        for entry in stripped.split():
            yield entry, section


def lexicon_entries(language):
    """Yield (entry, section) of the lexicon classifier's list: its weights and classes in our sections."""
    for entry in load_words():
        if entry.language not in {language, ""} or "0" in entry.text:
            continue
        text = entry.text.replace(" ", "_")
        for name in entry.classes:
            if name in TOPICS:
                yield text, f"topic {name}"
            elif name == "after":
                yield text, "after"
            elif name in LEXICON_CLASSES:
                yield text, LEXICON_CLASSES[name]
            if name == "but":
                yield text, "but"
        if entry.weight and "incident" not in entry.classes:
            strength = min(3, max(1, round(abs(entry.weight))))
            yield text, f"{'negative' if entry.weight < 0 else 'positive'} {strength}"


def spellings(entry):
    """Return the entry and what it looks like without umlauts."""
    plain = entry.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return (entry,) if plain == entry else (entry, plain)


def pieces(text):
    """Return the hash and length of each token of `text`."""
    batch = features.read([text.replace("_", " ")])
    tokens = features.tokens(batch)
    return [
        (int(value), batch.units[begin : begin + length].tobytes().decode("utf-16-le", "surrogatepass"))
        for value, begin, length in zip(tokens.hashes, tokens.begins, tokens.lengths, strict=True)
    ]


def collect(sources):
    """Return the sections of every word, stem, pair and ending: four dicts of sets."""
    words, stems, pairs, endings = {}, {}, {}, {}
    for source in sources:
        for raw, section in source:
            for entry in spellings(raw):
                if entry.startswith("*") and entry[1:].isalpha():
                    if len(entry) <= wordlist.STEM_LENGTHS[0]:
                        continue
                    text = pieces(entry[1:])[0][1]
                    endings.setdefault(text[-wordlist.STEM_LENGTHS[-1] :], set()).add(section)
                    continue
                is_stem = len(entry) > 3 and entry.endswith("*") and entry[-2].isalnum()
                found = pieces(entry[:-1] if is_stem else entry)
                if len(found) == 2:
                    pairs.setdefault((found[0][1], found[1][1]), set()).add(section)
                elif len(found) == 1:
                    text = found[0][1]
                    is_long = is_stem and len(text) >= wordlist.STEM_LENGTHS[0]
                    target = stems if is_long else words
                    target.setdefault(text[: wordlist.STEM_LENGTHS[-1]] if is_long else text, set()).add(section)
    return words, stems, pairs, endings


def inherit(words, stems):
    """Let an entry without a tone take that of its longest stem, and every entry the topics of all its stems."""
    for table, is_word in ((words, True), (stems, False)):
        for text, sections in table.items():
            ends = range(min(len(text) - (not is_word), wordlist.STEM_LENGTHS[-1]), wordlist.STEM_LENGTHS[0] - 1, -1)
            parents = [stems[text[:end]] for end in ends if text[:end] in stems]
            topics = {s for parent in parents for s in parent if s.startswith("topic")}
            if not any(s in KINDS for s in sections):
                tones = next((p for p in parents if any(s in KINDS for s in p)), set())
                sections.update(s for s in tones if s in KINDS)
            sections.update(topics)


def mapped(section, *, negated):
    """Return the kind that a section counts for, or None."""
    section = "negative 3" if section == "threat" else section
    if section not in KINDS:
        return None
    if negated and section == "duty":
        return "unmet"
    if negated and section in BAD:
        return "negated bad"
    if negated and section in GOOD:
        return "negated good"
    return section


def kinds_of(sections, *, negated, is_behind):
    """Return the kinds that an entry counts for; behind a `but` its tone counts once more."""
    kinds = {kind for section in sections if (kind := mapped(section, negated=negated))}
    if is_behind and kinds & set(WEIGHT_GOOD):
        kinds.add("good behind")
    if is_behind and kinds & set(WEIGHT_BAD):
        kinds.add("bad behind")
    return kinds


def extended(language):
    """Return the collected words with what the lexicon classifier's list adds: it speaks where ours is silent."""
    names = [f"tone.{language}.txt", *SHARED, "topics.txt", *(["endings.de.txt"] if language == "de" else [])]
    ours = collect(parse(WORDS / name) for name in names)
    theirs = collect([lexicon_entries(language)])
    for mine, other in zip(ours, theirs, strict=True):
        for text, sections in other.items():
            known = mine.setdefault(text, set())
            has_tone = any(section in KINDS for section in known)
            known.update(section for section in sections if section not in KINDS or not has_tone)
    return ours


def compile_list(language):
    """Return the arrays of `WordList` for one language, unprefixed, and the texts of the entries."""
    words, stems, pairs, endings = extended(language)
    inherit(words, stems)
    entries, keys, heads, tails = [("", set())], {}, {}, {}
    shortest = wordlist.STEM_LENGTHS[0]
    for text, sections in sorted(words.items()):
        keys.setdefault(pieces(text)[0][0], len(entries))
        entries.append((text, sections))
    for text, sections in sorted(stems.items()):
        keys.setdefault(pieces(text)[0][0] ^ int(wordlist.STEM_MARK), len(entries))
        start = pieces(text[:shortest])[0][0]
        heads[start] = heads.get(start, 0) | 1 << (len(text) - shortest)
        entries.append((text + "*", sections))
    for text, sections in sorted(endings.items()):
        keys.setdefault(pieces(text)[0][0] ^ int(wordlist.ENDING_MARK), len(entries))
        end = pieces(text[-shortest:])[0][0]
        tails[end] = tails.get(end, 0) | 1 << (len(text) - shortest)
        entries.append(("*" + text, sections))
    for (one, two), sections in sorted(pairs.items()):
        hashes = np.array([pieces(one)[0][0], pieces(two)[0][0]], np.uint32)
        keys.setdefault(int(wordlist.pair_hashes(hashes)[0]), len(entries))
        entries.append((f"{one} {two}", sections))
    kinds = np.zeros((4 * len(entries), len(KINDS)), np.uint8)
    for index, (_, sections) in enumerate(entries):
        for block in range(4):
            for kind in kinds_of(sections, negated=block % 2 == 1, is_behind=block >= 2):
                kinds[index + block * len(entries), KINDS.index(kind)] = 1
    order = sorted(keys)
    topics = [sum(1 << TOPICS.index(s[6:]) for s in sections if s.startswith("topic")) for _, sections in entries]
    arrays = {
        "keys": np.array(order, np.uint32),
        "ids": np.array([keys[key] for key in order], np.uint16),
        "kinds": kinds,
        "negators": np.array(["negator" in sections for _, sections in entries], np.bool_),
        "buts": np.array(["but" in sections for _, sections in entries], np.bool_),
        "denied_later": np.array([not sections.isdisjoint({"duty", "after"}) for _, sections in entries], np.bool_),
        "topics": np.array(topics, np.uint32),
        "tails": np.array(sorted(tails), np.uint32),
        "tail_lengths": np.array([tails[end] for end in sorted(tails)], np.uint16),
        "stems": np.array(sorted(heads), np.uint32),
        "stem_lengths": np.array([heads[start] for start in sorted(heads)], np.uint16),
    }
    return arrays, [text for text, _ in entries]
