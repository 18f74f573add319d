"""Files of names beside a query: one name of the brand, or one thing it is mistaken for, on each line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from brandmelder.capture.query import Query, parse
from brandmelder.capture.tree import And, Everything, Node, Or, anchors_of, negate
from brandmelder.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES_BYTES: Final = 1_048_576
"""How large a file of names may be."""

_ASKS = re.compile(r'["„“”«»()]|(?:^|\s)(?:AND|OR|NOT|NEAR/\d+)(?:\s|$)|\w:\S|\s[-–]\w')
"""What makes a line a query; any other line is a name, whatever blanks it holds."""


def read_names(text: str) -> Iterator[tuple[int, str | QueryError]]:
    """Yield for each line that says something its number and the query it means, or why it means none.

    A line of several words is the phrase of them; `# ` begins a comment, `#tag` is a tag.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        name = line.strip()
        if not name or name == "#" or name.startswith(("# ", "##")):
            continue
        name = name.partition(" # ")[0].rstrip()
        query = f'"{name}"' if " " in name and not _ASKS.search(name) else name
        try:
            parse(query)
        except QueryError as error:
            yield number, error
        else:
            yield number, query


def widened(query: str, *, aliases: Iterable[str] = (), exclusions: Iterable[str] = ()) -> Query:
    """Return `query` or one of the aliases, and none of the exclusions. Raises QueryError as `parse` does."""
    read = parse(query)
    forbidden = [negate(_tree(name)) for name in exclusions]
    if isinstance(read.tree, Everything):
        return Query(query, And(tuple(forbidden)) if forbidden else read.tree, ())
    wanted: Node = Or((read.tree, *(_tree(name) for name in aliases)))
    tree = And((wanted, *forbidden))
    return Query(query, tree, anchors_of(tree) if read.anchors else ())


def _tree(name: str) -> Node:
    tree = parse(name).tree
    if isinstance(tree, Everything):
        raise QueryError("a * for everything is no name", name, 1)
    return tree
