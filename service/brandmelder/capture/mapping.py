"""How rows of foreign JSON become the parts of a mention: JMESPath picks, types are mended, failures are counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from msgspec import Struct

from brandmelder.capture.mentions import moment_of
from brandmelder.capture.normalise import strip_html
from brandmelder.errors import ShapeChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from brandmelder.model import SourceId

_MILLISECONDS: Final = 100_000_000_000
"""Beyond this a number of seconds lies in the year 5138: it is meant in milliseconds."""
_LATEST: Final = 7_000_000_000
_DIGITS: Final = 20
_NO: Final = frozenset({"", "0", "f", "n", "no", "off", "false", "falsch", "nein", "none", "null"})
_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


class Mapped(Struct, frozen=True, kw_only=True):
    """A row, read."""

    external_id: str
    text: str = ""
    published_at: datetime | None = None
    url: str = ""
    author: str = ""
    context: str = ""
    language: str | None = None
    parent_id: str | None = None
    reach: int | None = None
    is_deleted: bool = False


class Bad(Struct, frozen=True):
    """Rows that could not be mapped: how many, and what was wrong with the first."""

    count: int = 0
    first: str = ""
    at: int = -1
    """Which of the rows the first one was, from 0."""


def check_expression(text: str) -> str:
    """Return `text` if it is a JMESPath expression. Raises ValueError with the place of what is wrong."""
    try:
        _compiled(text)
    except JMESPathError as error:
        said = " ".join(str(error).split())[:200]
        raise ValueError(f"{text!r} is no JMESPath expression: {said}") from None
    return text


@lru_cache(maxsize=1_024)
def _compiled(text: str) -> Any:
    return jmespath.compile(text)


@lru_cache(maxsize=1_024)
def _picker(text: str) -> Callable[[Any], Any]:
    """Return what picks an expression's value; of a plain path without JMESPath's detours."""
    if not _PATH.fullmatch(text):
        pick: Callable[[Any], Any] = _compiled(text).search
        return pick
    names = text.split(".")

    def walk(row: Any) -> Any:
        for name in names:
            if not isinstance(row, dict):
                return None
            row = row.get(name)
        return row

    return walk


def found_by(expression: str, body: Any) -> Any:
    """Return what an expression finds; None also where it cannot be applied."""
    try:
        return _compiled(expression).search(body)
    except (JMESPathError, RecursionError):
        return None


def read_rows(body: Any, items: str, fields: Mapping[str, str], *, source: SourceId) -> tuple[list[Mapped], Bad]:
    """Return the rows of an answer, mapped, and what could not be. Raises ShapeChanged where no rows stand."""
    try:
        rows = _compiled(items).search(body)
    except (JMESPathError, RecursionError) as error:
        raise ShapeChanged(f"items finds nothing ({type(error).__name__}); mend items").about(source) from error
    if rows is None and body in ({}, [], None):
        rows = []
    if not isinstance(rows, list):
        found = "nothing" if rows is None else f"a {type(rows).__name__}"
        raise ShapeChanged(f"items {items!r} finds {found} instead of a list; mend items").about(source)
    mapped: list[Mapped] = []
    bad = Bad()
    for at, row in enumerate(rows):
        try:
            mapped.append(_mapped(row, fields))
        except (JMESPathError, ValueError, OverflowError, RecursionError) as error:
            why = " ".join(str(error).split())[:120]
            bad = Bad(bad.count + 1, bad.first or why, at if bad.at < 0 else bad.at)
    return mapped, bad


def _mapped(row: Any, fields: Mapping[str, str]) -> Mapped:
    found = {name: _picker(expression)(row) for name, expression in fields.items()}
    ident, text = _words(found.get("external_id")), strip_html(_words(found.get("text")))
    is_deleted = _is_true(found.get("deleted"))
    if not ident:
        raise ValueError("external_id finds nothing")
    if not text and not is_deleted:
        raise ValueError("text finds nothing")
    return Mapped(
        external_id=ident[:500],
        text=text,
        published_at=_moment(found.get("published_at")),
        url=_words(found.get("url")),
        author=_words(found.get("author")),
        context=strip_html(_words(found.get("context"))),
        language=_words(found.get("language"))[:2].lower() or None,
        parent_id=_words(found.get("parent_id"))[:500] or None,
        reach=_number(found.get("reach")),
        is_deleted=is_deleted,
    )


def _words(value: Any) -> str:
    match value:
        case None | bool():
            return ""
        case str():
            return value
        case int() | float():
            return str(value)
        case list():
            return " ".join(filter(None, map(_words, value)))
        case _:
            raise ValueError(f"a {type(value).__name__} stands where words should")


def _moment(value: Any) -> datetime | None:
    match value:
        case None | "":
            return None
        case bool():
            raise ValueError("published_at finds true or false")
        case int() | float():
            seconds = value / 1000 if value > _MILLISECONDS else value
            return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST else None
        case str():
            moment = _moment(float(value)) if value.replace(".", "", 1).isdigit() else moment_of(value)
            if moment is None:
                raise ValueError(f"published_at {value[:40]!r} is no time")
            return moment
        case _:
            raise ValueError(f"published_at finds a {type(value).__name__}")


def _number(value: Any) -> int | None:
    """Return a number; in files of text numbers are words, too."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:_DIGITS])
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def _is_true(value: Any) -> bool:
    """Whether something says yes: in files of text `false` and `0` are words, and no word is empty."""
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)
