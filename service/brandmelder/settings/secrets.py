"""Where secrets and other foreign values come from: `${NAME}` or a file beside; never from the YAML text itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from brandmelder.options import Secret
from brandmelder.settings.wording import inner_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from pydantic import BaseModel

    from brandmelder.settings.marks import Path
    from brandmelder.settings.wording import Notes

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_SECRET = 16_384


def expand(value: Any, path: Path, *, environment: Mapping[str, str], notes: Notes) -> Any:
    """Return `value` with every `${NAME}` replaced; a variable that is not set is a problem at its place."""
    if isinstance(value, dict):
        return {key: expand(item, (*path, key), environment=environment, notes=notes) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, (*path, at), environment=environment, notes=notes) for at, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def replaced(match: re.Match[str]) -> str:
        name, written = match[1], match[0]
        trouble = _trouble(name, written, environment)
        if trouble is None:
            notes.hide(environment[name], written, path)
            return environment[name]
        notes.wrong(path, *trouble, place=notes.marked.inside(path, match.start()))
        failed.append(name)
        return written

    failed: list[str] = []
    expanded = _VARIABLE.sub(replaced, value)
    if failed:
        notes.mute(path)
    return expanded


def _trouble(name: str, written: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    if not _NAME.fullmatch(name):
        return f"{written} names no variable", "letters, digits and _, as in ${SLACK_BOT_TOKEN}"
    if environment.get(name):
        return None
    state = "is empty" if name in environment else "is not set"
    return f"the environment variable {name} {state}", f"export {name}=… before the start"


def take_files(model: type[BaseModel], block: dict[str, Any], path: Path, *, folder: FilePath, notes: Notes) -> None:
    """Let every secret `X` of the model come from the file that `X_file` names, relative to `folder`.

    A model that declares `X_file` itself gets the path, to read it when it likes; any other gets the secret as `X`.
    """
    known = {field.alias or name for name, field in model.model_fields.items()}
    for name in secret_names(model):
        key = f"{name}_file"
        if key not in block:
            continue
        file, here = block.pop(key), (*path, key)
        if name in block:
            notes.wrong(here, f"{name} and {key} stand both here", "keep one of them", on_key=True)
            continue
        taken = key if key in known else name
        secret = _read_secret(file, here, folder, notes)
        block[taken] = str(folder / str(file)) if key in known else secret
        if secret:
            notes.hide(secret, f"the content of {key}", (*path, taken))
        else:
            notes.mute((*path, taken))


def _read_secret(file: Any, path: Path, folder: FilePath, notes: Notes) -> str:
    if not isinstance(file, str) or not file:
        notes.wrong(path, "a path to a file is expected", "as in /run/secrets/slack_bot_token")
        return ""
    try:
        with (folder / file).open("rb") as opened:
            text = opened.read(_MAX_SECRET + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = "put the token there; a relative path counts from the configuration's folder"
        notes.wrong(path, f"{folder / file} cannot be read: {reason}", hint)
        return ""
    if not text or len(text) > _MAX_SECRET:
        state = "is too large for a secret" if text else "is empty"
        notes.wrong(path, f"{folder / file} {state}", "put the token there, and nothing else")
        return ""
    return text


def refuse_clear_text(model: type[BaseModel], block: Any, path: Path, notes: Notes) -> None:
    """Note a problem for every secret of the model that stands in the YAML text itself."""
    for here, text in _secrets(model, block, path):
        raw = notes.marked.raw(here)
        variable = _VARIABLE.fullmatch(raw) if raw is not None else None
        if raw is None or (variable and _NAME.fullmatch(variable[1])):
            continue
        name = re.sub(r"\W", "_", f"{here[-2]}_{here[-1]}" if len(here) > 1 else str(here[-1])).upper()
        notes.spoil(here, "a secret in clear text", f"write ${{{name}}} and export it, or use {here[-1]}_file")
        notes.hide(text, "…", here)


def _secrets(model: type[BaseModel], block: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(block, dict):
        return
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in block:
            continue
        here, value = (*path, key), block[key]
        if _mentions(field.annotation, Secret):
            yield from _scalars(value, here)
            continue
        for inner in inner_models(field.annotation):
            for at, item in _blocks(value, here):
                yield from _secrets(inner, item, at)


def _blocks(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, list):
        yield from (((*path, at), item) for at, item in enumerate(value))
    if isinstance(value, dict):
        yield from (((*path, key), item) for key, item in value.items())


def _scalars(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, (dict, list)):
        for here, item in _blocks(value, path):
            if here != path:
                yield from _scalars(item, here)
    elif value is not None:
        yield path, str(value)


def secret_names(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model that hold secrets."""
    return [field.alias or name for name, field in model.model_fields.items() if _mentions(field.annotation, Secret)]


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(inner, wanted) for inner in get_args(annotation))
