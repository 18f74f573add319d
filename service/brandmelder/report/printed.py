"""A report as one page of HTML to print: no script, nothing from elsewhere, always light; A4 by its own print style."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, assert_never

from brandmelder.notify.chart import svg
from brandmelder.notify.chart_ink import FONTS, LIGHT
from brandmelder.notify.chart_plot import Look
from brandmelder.report.document import Drawing, Facts, Figures, Grid, Prose, Quotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brandmelder.notify.message import QuoteText
    from brandmelder.report.document import Block, Document, Figure, Section, Spans

_LOOK: Final = Look(width=684, height=236, size=12)
"""As wide as the text of an A4 page, in CSS pixels."""

_STYLE: Final = f"""
@page {{ size: A4; margin: 16mm 15mm 18mm }}
* {{ box-sizing: border-box }}
html {{ color-scheme: light; background: {LIGHT.bg}; color: {LIGHT.ink};
  -webkit-print-color-adjust: exact; print-color-adjust: exact }}
body {{ margin: 0 auto; padding: 32px 24px 48px; max-width: 732px; font: 15px/20px {FONTS.replace("'", '"')};
  font-variant-numeric: tabular-nums lining-nums; overflow-wrap: anywhere }}
h1 {{ font-size: 28px; line-height: 32px; margin: 2px 0 4px }}
h2 {{ font-size: 17px; line-height: 22px; margin: 0 0 8px; padding-top: 10px; border-top: 1.5px solid {LIGHT.ink} }}
p {{ margin: 0 0 10px }}
.kicker, .under, .beside, .by, footer, th {{ color: {LIGHT.ink2} }}
.kicker, .under {{ margin: 0 }}
.lead {{ font-size: 17px; line-height: 24px; margin: 16px 0 }}
section {{ margin-top: 24px; break-inside: auto }}
h2, figure, .figures, table, tr, blockquote {{ break-inside: avoid }}
h2 {{ break-after: avoid }}
.figures {{ display: grid; grid-auto-flow: column; justify-content: space-between; gap: 24px; margin: 20px 0 }}
.figures > div {{ max-width: 150px }}
.figures dd {{ margin: 0 }}
.number {{ font-size: 24px; line-height: 30px; font-weight: 700; letter-spacing: -.01em; white-space: nowrap }}
.loud {{ color: {LIGHT.neg} }}
.figures dt, .beside {{ font-size: 13px; line-height: 18px }}
dl.facts {{ display: grid; grid-template-columns: 148px 1fr; gap: 5px 16px; margin: 0 0 10px }}
dl.facts dt {{ color: {LIGHT.ink2} }}
dl.facts dd {{ margin: 0 }}
table {{ border-collapse: collapse; width: 100%; margin: 0 0 10px }}
th {{ text-align: left; font-weight: 400; font-size: 13px; line-height: 18px }}
th, td {{ padding: 4px 20px 4px 0; vertical-align: top; border-bottom: 1px solid {LIGHT.line} }}
th:last-child, td:last-child {{ padding-right: 0 }}
.number-cell {{ text-align: right; white-space: nowrap }}
table.narrow {{ width: auto; min-width: 340px }}
td:first-child {{ white-space: nowrap; width: 1% }}
table.narrow td:first-child {{ white-space: normal; width: auto }}
.columns table {{ min-width: 0; width: 100% }}
figure {{ margin: 0 0 10px }}
figure svg {{ display: block; width: 100%; height: auto }}
figcaption {{ font-size: 13px; line-height: 18px; color: {LIGHT.ink2}; margin-top: 6px }}
blockquote {{ margin: 0; padding: 8px 0; border-bottom: 1px solid {LIGHT.line} }}
.by {{ font-size: 13px; line-height: 18px }}
a {{ color: inherit }}
footer {{ margin-top: 32px; padding-top: 8px; border-top: 1px solid {LIGHT.line}; font-size: 13px; line-height: 18px }}
@media screen and (max-width: 620px) {{
  .figures {{ grid-auto-flow: row; grid-template-columns: 1fr 1fr; justify-content: start }}
  dl.facts {{ grid-template-columns: 1fr; gap: 0 }} dl.facts dd {{ margin-bottom: 8px }}
  td:first-child {{ white-space: normal }} th, td {{ padding-right: 10px }}
}}
@media print {{
  body {{ padding: 0; max-width: none; font-size: 10.5pt; line-height: 14pt }}
  section {{ margin-top: 12pt }}
  th, td {{ padding-top: 2.5pt; padding-bottom: 2.5pt }} blockquote {{ padding: 5pt 0 }}
  .columns {{ columns: 2; column-gap: 24px }}
  a {{ text-decoration: none }}
}}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def printed(document: Document) -> str:
    """Return a report as a page that needs nothing from anywhere."""
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(document.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(document.kicker)}, {escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{''.join(_body(document))}</body>\n</html>\n"
    )


def _body(document: Document) -> Iterator[str]:
    yield f'<header>\n<p class="kicker">{escape(document.kicker)}</p>\n<h1>{escape(document.title)}</h1>\n'
    if document.under:
        yield f'<p class="under">{escape(document.under)}</p>\n'
    yield "</header>\n<main>\n"
    for block in document.lead:
        yield f'<p class="lead">{_spans(block.spans)}</p>\n' if isinstance(block, Prose) else _block(block)
    yield from map(_section, document.sections)
    yield "</main>\n"
    if document.footer:
        yield f"<footer>{escape(document.footer)}</footer>\n"


def _section(section: Section) -> str:
    inner = "".join(map(_block, section.blocks))
    if section.is_appendix:
        inner = f'<div class="columns">{inner}</div>\n'
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{inner}</section>\n"


def _block(block: Block) -> str:
    match block:
        case Prose():
            return f"<p>{_spans(block.spans)}</p>\n"
        case Figures():
            return f'<dl class="figures">\n{"".join(map(_figure, block.figures))}</dl>\n'
        case Facts():
            rows = "".join(f"<dt>{escape(label)}</dt><dd>{_spans(spans)}</dd>\n" for label, spans in block.rows)
            return f'<dl class="facts">\n{rows}</dl>\n'
        case Grid():
            return _grid(block)
        case Drawing():
            drawn = svg(block.chart, _LOOK)
            return f"<figure>{drawn}<figcaption>{escape(block.caption)}</figcaption></figure>\n"
        case Quotes():
            return "".join(map(_quote, block.quotes))
        case _:
            assert_never(block)


def _figure(one: Figure) -> str:
    loud = " loud" if one.is_loud else ""
    # A range is not broken at its dash.
    said = escape(one.beside).replace("–", "\u2060–\u2060")
    beside = f'<dd class="beside">{said}</dd>' if one.beside else ""
    number = f'<dd class="number{loud}">{escape(one.number)}</dd>'
    return f"<div>{number}<dt>{escape(one.label)}</dt>{beside}</div>\n"


def _grid(grid: Grid) -> str:
    def cell(tag: str, place: int, inner: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        kind = ' class="number-cell"' if place in grid.numeric else ""
        return f"<{tag}{scope}{kind}>{inner}</{tag}>"

    head = "".join(cell("th", place, escape(text)) for place, text in enumerate(grid.head))
    rows = "".join(
        f"<tr>{''.join(cell('td', place, _spans(spans)) for place, spans in enumerate(row))}</tr>\n"
        for row in grid.rows
    )
    narrow = ' class="narrow"' if grid.numeric else ""
    return f"<table{narrow}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _quote(quote: QuoteText) -> str:
    source = escape(quote.label)
    if quote.url.startswith("https://"):
        source = f'<a href="{escape(quote.url)}" rel="noopener noreferrer nofollow">{source}</a>'
    return f'<blockquote>{escape(quote.text)}<br><span class="by">{source}</span></blockquote>\n'


def _spans(spans: Spans) -> str:
    return "".join(f"<b>{escape(span.text)}</b>" if span.bold else escape(span.text) for span in spans)
