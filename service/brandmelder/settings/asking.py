"""What sources with a search of their own are asked for: what the monitors that read them want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brandmelder.capture.names import widened
from brandmelder.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from brandmelder.capture.query import Query
    from brandmelder.model import SourceId
    from brandmelder.options import SourceOptions
    from brandmelder.settings import Settings


def asking(settings: Settings) -> dict[SourceId, SourceOptions]:
    """Return the options of every source with what is asked of it, where that follows from the monitors' queries.

    Raises ConfigurationError for a source that cannot be asked for what they want.
    """
    found: dict[SourceId, SourceOptions] = {}
    for ident, options in settings.sources.items():
        try:
            found[ident] = options.asking([query.tree for query in queries_of(settings, ident)])
        except ValueError as error:
            file, _, line = settings.where("sources", ident).rpartition(":")
            raise ConfigurationError([Problem(file, int(line), 1, f"sources: {ident}: {error}")]) from error
    return found


def queries_of(settings: Settings, source: SourceId) -> list[Query]:
    """Return the queries of the monitors that read a source."""
    return [
        widened(monitor.query, aliases=monitor.aliases, exclusions=monitor.exclusions)
        for monitor in settings.monitors.values()
        if source in monitor.sources
    ]
