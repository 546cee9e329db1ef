"""The page: one file, whole HTML, nothing from elsewhere, and everything escaped."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from html.parser import HTMLParser

import pytest
from tests import data_reports

from airfoil.steps.report import DatasetReport, render_page
from airfoil.steps.report.tables import SHOWN_ROWS

pytestmark = pytest.mark.unit
VOID = {"meta", "link", "br", "input"}


class Reader(HTMLParser):
    """Checks that elements nest, and notes what could reach out or run."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.scripts = 0
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.stack.append(tag)
        self.scripts += tag == "script" and ("type", "application/zlib") not in attrs
        for key, value in attrs:
            if key in {"src", "href", "action", "data", "poster", "srcset"}:
                self.addresses.append(value)
            if key.startswith("on") or key == "style":
                self.handlers.append(key)
            if key == "id":
                self.ids.append(value)

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in {"script", "style"}:
            self.words.append(data)


@pytest.mark.parametrize("make", [data_reports.fine, data_reports.dirty, data_reports.odd])
def test_a_page_is_whole_and_reaches_nowhere(make):
    text = render_page(make(), data_reports.history())
    page = Reader(text)
    outside = [one for one in page.addresses if not one.startswith("#")]
    assert outside == [one for one in [make().run_url] if one.startswith("http")]
    assert page.scripts == 1
    assert page.handlers == []
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"@import|url\(|https?://(?!127\.0\.0\.1)", text.split("<main>")[0])
    text.encode("utf-8")


def test_the_verdict_comes_first_with_what_failed():
    page = Reader(render_page(data_reports.dirty()))
    words = " ".join(page.words)
    assert "trips failed: " in words
    assert words.index("trips failed: ") < words.index("Quality checks")
    assert "6,000 rows" in words
    assert "2026-11-22 04:00 UTC" in words
    assert "data_validation_pipeline" in words


def test_names_and_values_stay_text():
    text = render_page(data_reports.odd(), data_reports.history())
    assert "<script>alert" not in text
    assert "javascript:" not in text
    assert "<b>&amp;amp;" not in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e]", text)
    assert "&lt;script&gt;alert" in text


@pytest.mark.parametrize("lone", ["\ud800", "a\udfffb", "\x00", "\ufffe"])
def test_what_utf8_cannot_write_does_not_stop_it(lone):
    report = DatasetReport(dataset="x", at=data_reports.AT, dag_run=f"run {lone}")
    assert b"<title>" in render_page(report).encode("utf-8")


def test_an_empty_report_is_a_page_too():
    page = Reader(render_page(DatasetReport(dataset="trips", at=data_reports.AT)))
    words = " ".join(page.words)
    assert "trips did not pass: nothing was checked" in words
    assert words.count("not looked at") == 3
    assert "MLflow run" not in words


def test_zero_rows_are_a_page_too():
    none = data_reports.trips().slice(0, 0)
    page = Reader(render_page(data_reports.report_of(none, none)))
    assert "trips failed" in " ".join(page.words)


def test_verdicts_without_their_reports_are_told():
    whole = data_reports.dirty()
    bare = whole.model_copy(update={"drift": None, "anomalies": None})
    assert whole.drift_verdict.reason[:30] in " ".join(Reader(render_page(bare)).words)


def test_what_could_not_be_measured_is_said_where_it_would_be():
    report = DatasetReport(
        dataset="x", at=data_reports.AT, not_measured={"quality": "The table <x> is damaged."}
    )
    words = " ".join(Reader(render_page(report)).words)
    assert words.count("The table <x> is damaged") == 2
    assert "not measured" in words


def test_the_same_report_is_the_same_page():
    assert render_page(data_reports.dirty()) == render_page(data_reports.dirty())


def test_thousands_of_columns_are_a_page_that_opens_fast():
    report = data_reports.wide(2000)
    began = time.process_time()
    text = render_page(report)
    assert time.process_time() - began < 10
    assert len(text) < 1_500_000
    page = Reader(text)
    assert text.partition('id="drift"')[2].partition("<script")[0].count("<tbody data-keys") == SHOWN_ROWS
    assert page.scripts == 1


def test_a_page_needs_no_data_library():
    code = (
        "import sys, datetime as dt\n"
        "from airfoil.steps.report import DatasetReport, render_page\n"
        "render_page(DatasetReport(dataset='x', at=dt.datetime.now(dt.UTC)))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not set(said.split()) & {"numpy", "pandas", "pyarrow", "polars", "duckdb", "matplotlib", "jinja2"}
