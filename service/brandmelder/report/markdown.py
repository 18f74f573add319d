"""A report as Markdown for a wiki or a ticket: our own words marked up, every other sign escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from brandmelder.notify.markdown import address, escaped
from brandmelder.report.document import Drawing, Facts, Figures, Grid, Prose, Quotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brandmelder.notify.message import QuoteText
    from brandmelder.report.document import Block, Document, Spans

_MARKUP: Final = re.compile(r"[\\`*_\[\]<>#|~&]")


def _own(text: str) -> str:
    """Return words of ours, or of staff, as CommonMark shows them: legible as they stand, too."""
    return _MARKUP.sub(lambda sign: f"\\{sign[0]}", " ".join(text.split()))


def _spans(spans: Spans) -> str:
    told = ((escaped(span.text) if span.foreign else _kept(span.text), span.bold) for span in spans)
    return "".join(f"**{text.strip()}**" if bold and text.strip() else text for text, bold in told)


def _kept(text: str) -> str:
    """Show words of ours with the blanks around them, which part them from their neighbours."""
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{' ' if lead else ''}{_own(text)}{' ' if trail and text.strip() else ''}"


def markdown(document: Document) -> str:
    """Return a report in CommonMark with the tables that GitHub, GitLab and most wikis read."""
    return "\n\n".join(_parts(document)) + "\n"


def _parts(document: Document) -> Iterator[str]:
    yield f"# {_own(document.title)}"
    yield "  \n".join(_own(line) for line in (document.kicker, document.under) if line)
    for block in document.lead:
        yield _block(block)
    for section in document.sections:
        yield f"## {_own(section.title)}"
        for block in section.blocks:
            yield _block(block)
    if document.footer:
        yield _own(document.footer)


def _block(block: Block) -> str:
    match block:
        case Prose():
            return _spans(block.spans)
        case Figures():
            return "\n".join(
                f"- **{_own(one.number)}** {_own(one.label)}" + (f", {_own(one.beside)}" if one.beside else "")
                for one in block.figures
            )
        case Facts():
            return "\n".join(
                f"- **{_own(label)}**: {_spans(spans)}" if label else f"- {_spans(spans)}"
                for label, spans in block.rows
            )
        case Grid():
            return _grid(block)
        case Drawing():
            return "\n\n".join(
                part for part in (f"`{block.spark}`" if block.spark else "", _own(block.caption)) if part
            )
        case Quotes():
            return "\n\n".join(map(_quote, block.quotes))
        case _:
            assert_never(block)


def _grid(grid: Grid) -> str:
    rule = [("---:" if place in grid.numeric else "---") for place in range(len(grid.head))]
    rows = [
        [_own(text) for text in grid.head],
        rule,
        *([_spans(spans) for spans in row] for row in grid.rows),
    ]
    return "\n".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _quote(quote: QuoteText) -> str:
    url = address(quote.url)
    label = _own(quote.label)
    return f"> {escaped(quote.text)}  \n> {f'[{label}]({url})' if url else label}"
