"""Tables that can be sorted and searched in the browser, and read without any script.

The server renders every row. The first ones stand in the page; those beyond wait as finished rows, compressed, so
that thousands of columns cost a reader nothing before somebody asks for them. Must not know what a table is about.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.markup import Markup, join, tag

if TYPE_CHECKING:
    from airfoil.records import LeftOutColumn

from airfoil.steps.report import wording

SHOWN_ROWS = 100
"""In the page from the beginning."""
MOST_LEFT_OUT = 200
PACKED = "application/zlib"
Key = str | float | None


@dataclass(frozen=True)
class Column:
    """A column of a table; `key` rows are sorted by, and numbers stand to the right."""

    title: str
    is_number: bool = False
    is_sorted: bool = True
    hint: str = ""
    """What it means, for who rests on the title."""


@dataclass(frozen=True)
class Cell:
    """What stands there, and what it is sorted by; nothing where there is no value."""

    shown: str | Markup
    key: Key = None
    classes: str = ""


@dataclass(frozen=True)
class Row:
    """One row; `more` is shown below it when somebody opens it."""

    cells: tuple[Cell, ...]
    level: str = "off"
    more: Markup | None = None
    is_open: bool = False


def sortable(identity: str, caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    """Build a table of rows in their best order."""
    bodies = [_body(columns, row) for row in rows]
    keys = [[cell.key for cell in row.cells] for row in rows]
    shown = [
        Markup(body.replace("<tbody", f"<tbody data-keys='{_attribute(key)}'", 1))
        for body, key in zip(bodies[:SHOWN_ROWS], keys, strict=False)
    ]
    table = tag(
        "table",
        tag("caption", caption, class_="hidden"),
        tag("thead", tag("tr", *(_head(column) for column in columns))),
        *shown,
        id=identity,
        class_="sortable",
        data_total=len(rows),
    )
    if len(rows) <= SHOWN_ROWS:
        return table
    rest = list(zip(keys[SHOWN_ROWS:], bodies[SHOWN_ROWS:], strict=True))
    said = f"The first {SHOWN_ROWS} of {len(rows):,} rows."
    return join(
        table,
        tag("p", said, tag("noscript", " The others need JavaScript."), class_="rest muted"),
        tag("script", packed(rest), type=PACKED, id=f"{identity}-rest"),
    )


def plain(titles: Sequence[str | Markup], rows: Sequence[Sequence[str | Markup]]) -> Markup:
    """Build a small table that nobody needs to sort."""
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles)))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return tag("table", head, tag("tbody", *body), class_="plain")


def left_out(columns: Sequence[LeftOutColumn], why: str) -> Markup | None:
    """List columns that were not looked at, folded."""
    if not columns:
        return None
    rows = [(wording.name(one.name), wording.visible(one.reason)) for one in columns[:MOST_LEFT_OUT]]
    more = len(columns) - MOST_LEFT_OUT
    summary = f"{len(columns):,} {'column was' if len(columns) == 1 else 'columns were'} {why}"
    rest = tag("p", f"And {more:,} more.", class_="muted") if more > 0 else None
    return tag("details", tag("summary", summary), plain(("Column", "Reason"), rows), rest, class_="fold")


def packed(value: object) -> Markup:
    """Write JSON as base64 of zlib: finished rows repeat their elements, and shrink to a tenth."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(base64.b64encode(zlib.compress(text.encode())).decode())


def _attribute(keys: Sequence[Key]) -> str:
    """Write JSON that may stand in an attribute between single quotes."""
    text = json.dumps(keys, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#x27;")


def _head(column: Column) -> Markup:
    kind = ("number" if column.is_number else "text") if column.is_sorted else None
    classes = "num" if column.is_number else None
    return tag("th", column.title, scope="col", class_=classes, title=column.hint or None, data_sort=kind)


def _body(columns: Sequence[Column], row: Row) -> Markup:
    first, *others = row.cells
    head = first.shown
    if row.more is not None:
        head = tag("details", tag("summary", first.shown), open=row.is_open)
    cells = [tag("th", head, scope="row", class_=first.classes or None)]
    for column, cell in zip(columns[1:], others, strict=True):
        classes = f"{'num ' if column.is_number else ''}{cell.classes}".strip()
        cells.append(tag("td", cell.shown, class_=classes or None, data_label=column.title or None))
    more = None
    if row.more is not None:
        more = tag("tr", tag("td", row.more, colspan=len(columns)), class_="more")
    return tag("tbody", tag("tr", *cells), more, data_level=row.level)
