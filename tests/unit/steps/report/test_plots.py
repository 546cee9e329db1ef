"""Drawings: shapes from counts, marks where they belong, and nothing drawn of nothing."""

from __future__ import annotations

import re

import pytest

from airfoil.records import Histogram
from airfoil.steps.drift.report import CategoryCount
from airfoil.steps.report import plots

pytestmark = pytest.mark.unit


def test_the_highest_bar_of_both_tables_fills_the_height():
    drawn = plots.small([1, 1], [3, 1], "d0")
    assert 'viewBox="0 0 2 100"' in drawn
    assert 'd="M0 100V4h1V68h1V100z"' in drawn
    assert 'd="M0 100V36h2V100"' in drawn


def test_tables_of_different_sizes_are_compared_by_shares():
    one = plots.small([10, 10], [1000, 1000], "d0")
    assert 'd="M0 100V4h2V100z"' in one
    assert 'd="M0 100V4h2V100"' in one


def test_bars_of_categories_stand_apart():
    assert 'd="M0.12 100V4h.76V100zM1.12 100V52h.76V100z"' in plots.small([2, 2], [2, 1], "d0", apart=True)


@pytest.mark.parametrize(("reference", "current"), [([], []), ([0, 0], [0, 0]), ([0], [5])])
def test_nothing_is_drawn_of_nothing(reference, current):
    drawn = plots.small(reference, current, "d0")
    assert drawn.count("reference") == int(bool(sum(reference)))
    assert "nan" not in drawn


def test_a_mark_stands_where_its_value_is():
    histogram = Histogram(edges=(0, 10, 20, 30, 40), reference=(1, 1, 1, 1), current=(0, 0, 0, 9))
    drawn = plots.large(histogram, "d3", mark=15, marked="Here.")
    assert 'x1="1.50"' in drawn
    assert 'href="#d3"' in drawn
    assert "Here." in drawn
    assert "current: most from 30 to 40" in drawn
    assert 'class="mark"' not in plots.large(histogram, "d3", mark=99, marked="Here.")
    assert "Here." not in plots.large(histogram, "d3", mark=99, marked="Here.")


def test_wide_outer_bars_say_what_they_hold():
    histogram = Histogram(edges=(-900, 0, 1, 2, 5000), reference=(1, 5, 5, 1), current=(1, 5, 5, 1))
    drawn = plots.large(histogram, "d0")
    assert "The outermost bars hold all values down to -900 and up to 5,000." in drawn
    assert re.findall(r"<text[^>]*>([^<]*)", drawn) == ["0", "1", "2"]


def test_one_bin_and_none():
    single = Histogram(edges=(42, 42), reference=(7,), current=(7,))
    assert re.findall(r"<text[^>]*>([^<]*)", plots.large(single, "d0", mark=42)) == ["42", "42"]
    assert "No values" in plots.large(Histogram(edges=(), reference=(), current=()), "d0")


def test_many_categories_become_few_and_lose_none():
    counts = [CategoryCount(value=f"v{place}", reference=place, current=1) for place in range(30)]
    others = CategoryCount(value="70 others", reference=100, current=70)
    found = plots.few(counts, others)
    assert len(found) == plots.MOST_CATEGORIES + 1
    assert found[-1].value == "88 others"
    assert sum(one.current for one in found) == 100
    assert plots.few(counts[:3], None) == counts[:3]


def test_categories_are_escaped():
    drawn = plots.categories([CategoryCount(value="<script>", reference=1, current=3)])
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


@pytest.mark.parametrize(("share", "limit"), [(0.0, 0.0), (1.0, 0.1), (0.01, 1.0)])
def test_a_gauge_shows_share_and_limit(share, limit):
    widths = [float(one) for one in re.findall(r'width="([\d.]+)"', plots.gauge(share, limit))]
    assert all(0 <= one <= 100 for one in widths)
