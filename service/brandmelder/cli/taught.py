"""The file that carries what a brand's labels taught from one machine to another, and how it is read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from brandmelder.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brandmelder.classify.adapt import Correction


class Taught(msgspec.Struct):
    """What a brand's labels taught, by language, and for which model."""

    model: str
    corrections: dict[str, Any]


def write_taught(file: Path, corrections: Mapping[str, Correction]) -> None:
    """Write corrections for the model of this version."""
    from brandmelder.classify import linear

    content = Taught(model=linear.load().version, corrections=msgspec.to_builtins(dict(corrections)))
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))


def read_taught(file: Path) -> dict[str, Correction]:
    """Return what `write_taught` wrote. Raises InputError if it cannot be read or is for another model."""
    from brandmelder.classify import adapt, linear

    try:
        content = msgspec.json.decode(file.read_bytes(), type=Taught)
        corrections = msgspec.convert(content.corrections, dict[str, adapt.Correction])
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(file, None, f"cannot be read: {error}; write it with `brandmelder label`") from error
    if content.model != linear.load().version:
        raise InputError(file, None, "was learnt for another model; run `brandmelder label` again")
    return corrections
