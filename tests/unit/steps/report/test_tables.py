"""Tables: rows in the page, rows that wait, keys to sort by, and nothing that gets out of its element."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html import unescape

import pytest

from airfoil.markup import Markup
from airfoil.records import LeftOutColumn
from airfoil.steps.report import tables
from airfoil.steps.report.tables import Cell, Column, Row

pytestmark = pytest.mark.unit
COLUMNS = (Column("Name"), Column("Size", is_number=True), Column("Shape", is_sorted=False))


def rows(count):
    return [
        Row((Cell(f"n{one}", f"n{one}"), Cell(str(one), one), Cell("")), more=Markup("<p>x"))
        for one in range(count)
    ]


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_few_rows_stand_in_the_page():
    built = tables.sortable("t", "All", COLUMNS, rows(3))
    assert built.count("<tbody") == 3
    assert "<script" not in built
    assert [json.loads(one) for one in re.findall(r"data-keys='([^']*)'", built)] == [
        ["n0", 0, None],
        ["n1", 1, None],
        ["n2", 2, None],
    ]


def test_rows_beyond_the_first_wait():
    built = tables.sortable("t", "All", COLUMNS, rows(tables.SHOWN_ROWS + 50))
    shown, _, waiting = built.partition('<script type="application/zlib" id="t-rest">')
    assert shown.count("<tbody") == tables.SHOWN_ROWS
    rest = unpacked(waiting.removesuffix("</script>"))
    assert len(rest) == 50
    assert rest[0][0] == [f"n{tables.SHOWN_ROWS}", tables.SHOWN_ROWS, None]
    assert rest[0][1].startswith("<tbody data-level=")
    assert f'data-total="{tables.SHOWN_ROWS + 50}"' in built


def test_what_can_be_sorted_says_how():
    head = tables.sortable("t", "All", COLUMNS, []).partition("</thead>")[0]
    assert re.findall(r'data-sort="(\w+)"', head) == ["text", "number"]


def test_texts_stay_inside_their_elements():
    nasty = "</script><script>alert(1)</script>' onclick='x"
    row = Row((Cell(nasty, nasty), Cell("", 1), Cell("")))
    built = tables.sortable("t", "All", COLUMNS, [row] * (tables.SHOWN_ROWS + 1))
    assert built.count("<script") == 1
    assert "onclick='x" not in built.replace("&#x27;", "'").split("data-keys='")[0]
    (keys, *_) = re.findall(r"data-keys='([^']*)'", built)
    assert json.loads(unescape(keys))[0] == nasty


def test_an_open_row_is_open():
    row = Row((Cell("a", "a"), Cell("", 1), Cell("")), more=Markup("<p>why</p>"), is_open=True)
    built = tables.sortable("t", "All", COLUMNS, [row])
    assert "<details open><summary>a</summary></details>" in built
    assert '<tr class="more"><td colspan="3"><p>why</p></td></tr>' in built


def test_a_plain_table_escapes_its_titles():
    built = tables.plain(("<b>", "x"), [("<i>", Markup("<u>y</u>"))])
    assert "<b>" not in built
    assert "&lt;i&gt;" in built
    assert "<u>y</u>" in built


def test_what_was_left_out_is_counted_and_listed():
    assert tables.left_out((), "not compared") is None
    many = [LeftOutColumn(name=f"c{one}", reason="nested") for one in range(tables.MOST_LEFT_OUT + 5)]
    built = tables.left_out(many, "not compared")
    assert "205 columns were not compared" in built
    assert "And 5 more." in built
    assert "1 column was not compared" in tables.left_out(many[:1], "not compared")


def test_what_is_packed_comes_back_and_has_no_markup():
    nasty = ["</script>", "<!--<script>", "&", "\u2028", "ü"] * 50
    text = tables.packed(nasty)
    assert unpacked(text) == nasty
    assert not set(text) & set("<>&'\"")
    assert len(text) < 200
