"""What is wrong with a configuration, in words: where, what was found, what would be right; never a secret."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from brandmelder.errors import Problem
from brandmelder.options import Secret
from brandmelder.settings.docstrings import docstrings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from brandmelder.settings.marks import Marked, Path, Place

Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 40
Outside = tuple[tuple[Secret, str], ...]
"""Values that came from outside a file, and what is shown in the place of each."""
_CERTAIN = 4
"""A hidden value at least this long is hidden everywhere, a shorter one only at its own place."""
_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp|gh[a-z]|glpat|sk)[-_][\w-]{4,}")
_ALTERNATIVES = re.compile(r"\^\(([\w|-]+)\)\$")
_FORMS = {
    r"^[A-Z]{2,4}$": "two to four capital letters, as in NF",
    r"^https://\S+$": "an address that begins with https://",
    r"^https?://\S+$": "an address that begins with https:// or http://",
}
_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
}
_BEGIN = "write a key and its value on each line, as in brand: Nordfunk; brandmelder init writes a file to start from"
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_LENGTHS = {
    "too_short": "holds too little: at least {min_length} is needed",
    "too_long": "holds too much: at most {max_length} are taken",
    "string_too_short": "is too short: at least {min_length} character",
    "string_too_long": "is too long: at most {max_length} characters",
}


class Notes:
    """Collects problems and warnings with their places, and keeps foreign values out of them."""

    def __init__(self, marked: Marked, file: str) -> None:
        self.marked = marked
        self._file = file
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._hidden: list[tuple[str, str, Path]] = []
        self._spoiled: set[Path] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, in the order of the file."""
        return tuple(sorted(self._problems, key=lambda problem: (problem.line, problem.column)))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What works and is probably not meant, in the order of the file."""
        return tuple(sorted(self._warnings, key=lambda problem: (problem.line, problem.column)))

    def wrong(self, path: Path, text: str, hint: str = "", *, on_key: bool = False, place: Place | None = None) -> None:
        """Note a problem at the value under `path`, at its key, or at a given place."""
        if not self.is_spoiled(path):
            self._note(self._problems, path, text, hint, place or self._place(path, on_key=on_key))

    def warn(self, path: Path, text: str, hint: str = "", *, on_key: bool = False) -> None:
        """Note something that works and is probably not meant."""
        self._note(self._warnings, path, text, hint, self._place(path, on_key=on_key))

    def spoil(self, path: Path, text: str, hint: str, place: Place | None = None) -> None:
        """Note a problem that says enough about the value under `path`: what follows from it is left out."""
        self.wrong(path, text, hint, place=place)
        self.mute(path)

    def mute(self, path: Path) -> None:
        """Take no further problems of the value under `path`: enough has been said."""
        self._spoiled.add(path)

    def is_spoiled(self, path: Path) -> bool:
        """Say whether the value under `path` is already known to be unusable."""
        return path in self._spoiled

    def hide(self, value: str, shown: str, path: Path) -> None:
        """Never print `value`; `shown` stands for it."""
        for written in {value, repr(value)[1:-1]} - {""}:
            self._hidden.append((written, shown, path))
        self._hidden.sort(key=lambda entry: -len(entry[0]))

    @property
    def outside(self) -> Outside:
        """Return what is never printed and long enough to be known again, with what stands for it; long ones first."""
        return tuple((Secret(value), shown) for value, shown, _ in self._hidden if len(value) >= _CERTAIN)

    def accept(self, model: type[Model], block: Any, path: Path) -> Model | None:
        """Return `block` as a `model`, or note everything that keeps it from being one and return None."""
        try:
            return model.model_validate(block)
        except ValidationError as error:
            seen: set[tuple[Path, bool]] = set()
            for detail in error.errors(include_url=False):
                here, is_about_keys = self._resolve(block, detail, path), _is_about_keys(detail)
                if (here, False) not in seen or is_about_keys:
                    seen.add((here, is_about_keys))
                    self._refused(detail, model, here, len(path))
            return None

    def unknown(self, path: Path, name: str, known: Iterable[str], *, kind: str, on_key: bool = False) -> None:
        """Note a name that leads nowhere, with the nearest one that does."""
        plural = "people" if kind == "person" else f"{kind}s"
        self.wrong(path, f'unknown {kind} "{name}"', nearest(name, known, plural=plural), on_key=on_key)

    def found(self, value: Any, path: Path) -> str:
        """Describe what stands there, without secrets."""
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (int, float)):
            return f"the number {self._redacted(str(value), path)}"
        if isinstance(value, str):
            shown = self._redacted(value, path)
            return f'the text "{shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"}"'
        return "a list" if isinstance(value, list) else "a block of keys"

    # ---------------------------------------------------------------- inside

    def _place(self, path: Path, *, on_key: bool) -> Place:
        return self.marked.key(path) if on_key else self.marked.at(path)

    def _note(self, notes: list[Problem], path: Path, text: str, hint: str, place: Place) -> None:
        problem = Problem(self._file, *place, self._redacted(text, path), self._redacted(hint, path))
        if str(problem) not in map(str, notes):
            notes.append(problem)

    def _redacted(self, text: str, path: Path) -> str:
        for value, shown, where in self._hidden:
            if len(value) >= _CERTAIN or path[: len(where)] == where:
                text = text.replace(value, shown)
        return _TOKEN.sub("…", text)

    @staticmethod
    def _resolve(block: Any, detail: ErrorDetails, path: Path) -> Path:
        """Follow pydantic's location as far as the block goes: unions add steps of their own."""
        steps = detail["loc"]
        for at, step in enumerate(steps):
            last = at == len(steps) - 1
            if isinstance(block, dict) and (step in block or (last and detail["type"] == "missing")):
                block, path = block.get(step), (*path, step)
            elif isinstance(block, list) and isinstance(step, int) and step < len(block):
                block, path = block[step], (*path, step)
        return path

    def _refused(self, detail: ErrorDetails, model: type[BaseModel], path: Path, depth: int) -> None:
        kind, name = detail["type"], str(path[-1]) if path else ""
        if kind == "missing":
            self.wrong(path[:-1], f'the key "{name}" is missing', _purpose(model, name), on_key=True)
        elif kind == "extra_forbidden":
            known = _keys(model, path[depth:-1])
            self.unknown(path, name, known, kind="key", on_key=True)
        else:
            text, hint = self._sentence(detail, path)
            self.wrong(path, f"{dotted(path)}: {text}" if path else text, hint or ("" if path else _BEGIN))

    def _sentence(self, detail: ErrorDetails, path: Path) -> tuple[str, str]:
        kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
        if kind == "value_error":
            text, _, hint = str(context["error"]).partition("; ")
            return text, hint
        if kind in _LENGTHS:
            return _LENGTHS[kind].format(**context), ""
        expected, hint = _expected(kind, value, context)
        found = self.found(value, path)
        if expected:
            return f"expected {expected}, found {found}", hint
        said = detail["msg"]
        return f"{said[:1].lower()}{said[1:]}, found {found}", ""


def dotted(path: Path) -> str:
    """Write a path as people say it: `sources.blog.every`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def nearest(name: str, known: Iterable[str], plural: str) -> str:
    """Return a hint that names the closest known name, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1) or difflib.get_close_matches(name.lower(), names, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"there are the {plural} {', '.join(names)}" if names else f"there are no {plural}"


def inner_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models an annotation mentions, such as B in `tuple[B, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from inner_models(inner)


def _is_about_keys(detail: ErrorDetails) -> bool:
    return detail["type"] in ("missing", "extra_forbidden")


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    fields: Mapping[str, Any] = model.model_fields
    for step in path:
        field = next((field for name, field in fields.items() if step in (name, field.alias)), None)
        inner = next(inner_models(field.annotation), None) if field is not None else None
        fields = fields if inner is None else inner.model_fields
    return [field.alias or name for name, field in fields.items()]


def _purpose(model: type[BaseModel], name: str) -> str:
    field = next((field for field, told in model.model_fields.items() if name in (field, told.alias)), name)
    return docstrings(model).get(field, "").replace("\n", " ").partition(". ")[0].removesuffix(".")


def _expected(kind: str, value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return what would be right and, where one can tell, how to write it."""
    if kind in _EXPECTED:
        return _EXPECTED[kind], _remedy(kind, value)
    if kind in ("literal_error", "enum"):
        return str(context["expected"]).replace("'", '"'), ""
    if kind in _BOUNDS:
        bound, words = context[_BOUNDS[kind][0]], _BOUNDS[kind][1]
        return f"{words} {bound}", ""
    if kind != "string_pattern_mismatch":
        return "", ""
    alternatives = _ALTERNATIVES.fullmatch(context["pattern"])
    if alternatives is None:
        return _FORMS.get(context["pattern"], f"a text of the form {context['pattern']}"), ""
    near = difflib.get_close_matches(str(value), alternatives[1].split("|"), n=1)
    return f"one of {alternatives[1].replace('|', ', ')}", f'did you mean "{near[0]}"?' if near else ""


def _remedy(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, (int, float)):
        return f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind == "string_type" and value is None:
        return "what stands behind a # is a comment; put a text that holds one in quotes"
    if kind in ("tuple_type", "list_type") and isinstance(value, (str, int)):
        return "write it in brackets: [one, two]"
    return ""
