"""What a configuration says of a model of its own; what is wrong with the model's files is told at the key's place."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

from brandmelder.model import Label
from brandmelder.options import Duration, Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brandmelder.settings.marks import Path as KeyPath
    from brandmelder.settings.wording import Notes

_KEY: Final = ("transformer",)
_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION: Final = re.compile(r"[0-9a-f]{40}")
_MAX_BYTES: Final = 1_048_576
_EXPORT: Final = "write ONNX beside it: optimum-cli export onnx --model {0} --task text-classification {0}"
_MEANINGS: Final = "negative, neutral or positive"


def _some_time(timeout: timedelta) -> timedelta:
    if timeout < timedelta(seconds=1):
        raise ValueError("leaves no time; write 1s or more")
    return timeout


class TransformerBlock(Options):
    """A model of your own, with `classifier: transformer`."""

    path: Annotated[str, Field(min_length=1)]
    """A directory with `model.onnx`, `tokenizer.json` and `config.json`, relative to this file; or the name of a model
    whose files already lie in this machine's Hugging Face cache. Nothing is downloaded."""
    labels: dict[str, Label] = Field(default_factory=dict)
    """What the labels of the model mean, `negative`, `neutral` or `positive`, where their names do not say so."""
    timeout: Annotated[Duration, AfterValidator(_some_time)] = timedelta(seconds=10)
    """How long a batch of up to 1,000 mentions may take; the default judge judges what is left then."""


class TransformerSettings(Options):
    """The same, everything resolved; `labels` in the order of the model's outputs."""

    model: Path
    tokenizer: Path
    labels: tuple[Label, ...]
    timeout: timedelta


def transformer_in(
    written: Any, *, folder: Path, environment: Mapping[str, str], notes: Notes
) -> TransformerSettings | None:
    """Return the model the block under `transformer` names; everything wrong with it goes to the notes."""
    block = notes.accept(TransformerBlock, written, _KEY)
    place = _directory(block.path, folder, environment) if block is not None else None
    if block is None:
        return None
    here = (*_KEY, "path")
    if place is None:
        hint = "name a directory with model.onnx, tokenizer.json and config.json; nothing is downloaded"
        notes.wrong(here, f"transformer.path: there is no directory {folder / block.path}", hint)
        return None
    model = next((file for file in (place / "model.onnx", place / "onnx/model.onnx") if file.is_file()), None)
    for missing in [] if model else ["model.onnx"]:
        notes.wrong(here, f"transformer.path: {place} holds no {missing}", _remedy(place))
    tokenizer = place / "tokenizer.json"
    if not tokenizer.is_file():
        notes.wrong(here, f"transformer.path: {place} holds no tokenizer.json", "save the fast tokenizer beside it")
    names = _names(place / "config.json", here, notes)
    labels = _meanings(names, block.labels, notes) if names is not None else None
    if model is None or labels is None:
        return None
    return TransformerSettings(model=model, tokenizer=tokenizer, labels=labels, timeout=block.timeout)


def _remedy(place: Path) -> str:
    """Return how a directory without an ONNX file gets one; hubs mostly give safetensors (decision 0038)."""
    if (place / "model.safetensors").is_file():
        return f"model.safetensors is not read; {_EXPORT.format(place.as_posix())}"
    return "export the model to ONNX"


def _directory(path: str, folder: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the directory a path or a name of the hub means; a name only if the hub's cache on this machine has it."""
    if (folder / path).is_dir():
        return folder / path
    if not _HUB_NAME.fullmatch(path):
        return None
    home = environment.get("HF_HOME") or Path(environment.get("HOME", "/"), ".cache/huggingface")
    cache = Path(environment.get("HF_HUB_CACHE") or Path(home, "hub")) / f"models--{path.replace('/', '--')}"
    try:
        revision = (cache / "refs/main").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    place = cache / "snapshots" / revision
    return place if _REVISION.fullmatch(revision) and place.is_dir() else None


def _names(file: Path, here: KeyPath, notes: Notes) -> list[str] | None:
    """Return the model's names of its outputs, in their order."""
    try:
        with file.open("rb") as opened:
            named = json.loads(opened.read(_MAX_BYTES))["id2label"]
        found = [str(named[str(at)]) for at in range(len(named))]
    except OSError as error:
        notes.wrong(here, f"transformer.path: {file} cannot be read: {error.strerror}", "it comes with the model")
    except (ValueError, KeyError, TypeError, RecursionError):
        notes.wrong(here, f"transformer.path: {file} holds no id2label", 'as in {"id2label": {"0": "negative", …}}')
    else:
        return found
    return None


def _meanings(names: list[str], given: Mapping[str, Label], notes: Notes) -> tuple[Label, ...] | None:
    here = (*_KEY, "labels")
    meant = {name: Label(name.lower()) for name in names if name.lower() in set(Label)} | dict(given)
    for name in given:
        if name not in names:
            notes.unknown((*here, name), name, names, kind="label", on_key=True)
    unclear = [name for name in names if name not in meant]
    for name in unclear:
        notes.wrong(here, f'the model\'s label "{name}" has no meaning', f"write {name}: {_MEANINGS}", on_key=True)
    if unclear or not names:
        return None
    labels = tuple(meant[name] for name in names)
    if Label.NEGATIVE not in labels:
        notes.wrong(here, "none of the model's labels is negative", "say under labels which one is", on_key=True)
    return labels
