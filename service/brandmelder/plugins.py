"""Entry points become classes. The built-in sources, classifiers and notifiers come the same way as everybody's."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from brandmelder.errors import PluginError

Group = Literal["sources", "classifiers", "notifiers"]


@cache
def _entries(group: Group | Literal["options"]) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=f"brandmelder.{group}")}


def names(group: Group) -> tuple[str, ...]:
    """Return the names that `type:` may take, sorted."""
    return tuple(sorted(_entries(group)))


def built_in(group: Group) -> tuple[str, ...]:
    """Return the names of the plug-ins that come with Brandmelder, sorted; for what must not depend on the machine."""
    return tuple(name for name in names(group) if _entries(group)[name].module.startswith("brandmelder."))


def load(group: Group, name: str) -> Any:
    """Return the class registered under `name`. Raises PluginError that names the nearest one."""
    entry = _entries(group).get(name)
    if entry is None:
        near = difflib.get_close_matches(name, names(group), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names(group))}"
        raise PluginError(f"unknown type {name!r}; {hint}")
    return _load(entry)


def options(group: Group, name: str) -> Any:
    """Return what a plug-in's block may hold: its class's `Options`, or None if it says nothing. Raises PluginError.

    A plug-in whose class imports a heavy client may name its `Options` once more, as `sources.NAME` or `notifiers.NAME`
    in the group `brandmelder.options`: then the configuration is read without that import.
    """
    apart = _entries("options").get(f"{group}.{name}")
    return _load(apart) if apart is not None else getattr(load(group, name), "Options", None)


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except ImportError as error:
        raise PluginError(f"type {entry.name!r} does not load: {error}; install what it needs") from error
