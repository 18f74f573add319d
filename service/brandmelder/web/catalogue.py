"""Our sentences in the reader's language: gettext catalogues, read as translators write them (`catalogues/de.po`).

The sentence in the code is the English one. A catalogue that lacks one would show it in English: a test forbids that.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.resources import files
from typing import Final

from msgspec import Struct

LANGUAGES: Final = ("de", "en")


class Catalogue(Struct, frozen=True, kw_only=True):
    """One language: sentences by the English ones; of those with a number the forms for one and for many."""

    language: str
    texts: dict[str, tuple[str, ...]]

    def say(self, text: str) -> str:
        """Return a sentence."""
        return self.texts.get(text, (text,))[0]

    def say_many(self, one: str, many: str, count: int) -> str:
        """Return the form of a sentence that goes with a count; German and English have two."""
        return self.texts.get(one, (one, many))[0 if count == 1 else 1]


def sentence(text: str) -> str:
    """Mark a sentence that is said later, so that the catalogues are known to need it."""
    return text


@lru_cache
def catalogue_of(language: str) -> Catalogue:
    """Return the catalogue of `de` or `en`."""
    text = (files("brandmelder.web") / "catalogues" / f"{language}.po").read_text("utf-8")
    return Catalogue(language=language, texts=parse(text))


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Read a catalogue in gettext's PO format. Raises ValueError for a line that is none of it."""
    texts: dict[str, tuple[str, ...]] = {}
    entry: dict[str, str] = {}
    field = ""
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if not line:
                _take(texts, entry)
                entry, field = {}, ""
            continue
        if not line.startswith('"'):
            field, _, line = line.partition(" ")
        entry[field] = entry.get(field, "") + _quoted(line.strip(), number)
    return texts


def _take(texts: dict[str, tuple[str, ...]], entry: dict[str, str]) -> None:
    if not entry.get("msgid"):
        return
    forms = [entry[f"msgstr[{at}]"] for at in range(len(entry)) if f"msgstr[{at}]" in entry]
    said = tuple(forms or [entry.get("msgstr", "")])
    if all(said):
        texts[entry["msgid"]] = said


def _quoted(line: str, number: int) -> str:
    try:
        value = ast.literal_eval(line)
    except (ValueError, SyntaxError):
        value = None
    if not isinstance(value, str):
        raise ValueError(f"line {number} of a catalogue holds no text in quotes: {line[:40]}")  # noqa: TRY004
    return value
