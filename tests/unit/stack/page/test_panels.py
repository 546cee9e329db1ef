"""The small pieces of the page: bars, dots, times and panels, as the HTML a browser gets."""

from __future__ import annotations

import pytest

from airfoil.markup import Markup
from airfoil.stack.page import panels

pytestmark = pytest.mark.unit


def test_a_bar_shows_the_share_and_says_when_it_is_over():
    within, over = str(panels.bar(50, 100, over=False)), str(panels.bar(150, 100, over=True))
    assert "50" in within
    assert within != over
    assert "150" not in over or "100" in over


@pytest.mark.parametrize("limit", [None, 0])
def test_without_a_limit_there_is_no_bar(limit):
    assert panels.bar(50, limit, over=False) is None


def test_a_state_is_a_word_beside_its_colour():
    said = str(panels.state("bad", "Down"))
    assert "Down" in said
    assert "bad" in said


def test_a_panel_escapes_its_title_and_keeps_its_content():
    said = str(panels.panel("runs", "<DAG> runs", Markup("<p>none</p>")))
    assert "&lt;DAG&gt; runs" in said
    assert "<p>none</p>" in said


def test_a_distance_to_nothing_is_empty_and_to_a_moment_is_a_time_element():
    assert "<time" not in str(panels.distance(None, 100.0))
    assert "<time" in str(panels.distance(40.0, 100.0))
    assert "1 min" in str(panels.distance(40.0, 100.0))
