"""Who speaks in the demo, and what they say: invented people, and some five hundred posts written for this story."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from random import Random

LANGUAGES = ("de", "en")


class Post(Struct, frozen=True):
    """A text with the language it is written in."""

    text: str
    language: str


def written(chapter: str, mood: str) -> tuple[Post, ...]:
    """Return the posts as they were written, slots unfilled, German first."""
    return tuple(
        Post(text, language) for language in LANGUAGES for text in _BOOKS[language].get(chapter, {}).get(mood, ())
    )


def chapters() -> dict[str, tuple[str, ...]]:
    """Return the moods of every chapter."""
    return {
        chapter: tuple(dict.fromkeys(mood for book in _BOOKS.values() for mood in book.get(chapter, {})))
        for chapter in _BOOKS["de"]
    }


def _book(language: str) -> dict[str, dict[str, list[str]]]:
    text = files("brandmelder.demo").joinpath(f"posts_{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


_BOOKS = {language: _book(language) for language in LANGUAGES}


class Voices:
    """Draws posts and people by chance; no post comes twice before its pile is used up."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._piles: dict[tuple[str, ...], list[Post]] = {}
        self._strangers: set[str] = set()
        self._regulars = [self._name() for _ in range(60)]

    def say(self, chapter: str, *moods: str, language: str | None = None) -> Post:
        """Return one of the posts of `moods`, its slots filled."""
        key = (chapter, *moods, language or "")
        pile = self._piles.setdefault(key, [])
        if not pile:
            pile += [post for mood in moods for post in written(chapter, mood) if language in {None, post.language}]
            self._chance.shuffle(pile)
        post = pile.pop()
        return Post(self._filled(post.text), post.language)

    def greeted(self, post: Post) -> Post:
        """Put an opening or a closing around a post, as people do, or leave it."""
        part = self._chance.choice(("opening", "closing", "", ""))
        if not part:
            return post
        words = self.say("quiet", part, language=post.language).text
        return Post(words + post.text if part == "opening" else post.text + words, post.language)

    def copied(self) -> Post:
        """Return one of the texts that are passed around, slightly changed."""
        seed = self._chance.choice(written("storm", "copied"))
        change = self._chance.choice(_CHANGES)
        return Post(change.format(seed.text), seed.language)

    def regular(self) -> str:
        """Return the name of somebody who writes now and then."""
        return self._chance.choice(self._regulars)

    def stranger(self) -> str:
        """Return a name nobody had before."""
        while (name := self._name()) in self._strangers or name in self._regulars:
            pass
        self._strangers.add(name)
        return name

    def _name(self) -> str:
        people = _BOOKS["de"]["people"]
        first, handle = self._chance.choice(people["first"]), self._chance.choice(people["handle"])
        initial, number = self._chance.choice("ABDEFGHJKLMNPRSTW"), self._chance.randint(1, 99)
        return self._chance.choice(
            (f"{first} {initial}.", f"{first} {initial}.", f"{first}{number}", handle, f"{handle}{number}")
        )

    def _filled(self, text: str) -> str:
        people, chance = _BOOKS["de"]["people"], self._chance
        return text.format(
            ort=chance.choice(people["town"]),
            first=chance.choice(people["first"]),
            tage=chance.randint(4, 26),
            mbit=chance.choice((50, 100, 175, 250, 500, 1000)),
            stunden=chance.randint(2, 5),
            euro=chance.randint(19, 240),
        )


_CHANGES = (
    "{}",
    "{}",
    "{} 😡",
    "{}!!",
    "Gerade gelesen: {}",
    "{} #nordfunk",
    "👉 {}",
    "{}\n\n(kopiert)",
    "Bitte lesen! {}",
)
