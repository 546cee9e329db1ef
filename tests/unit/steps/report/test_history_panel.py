"""The strip of earlier verdicts."""

from __future__ import annotations

import re

import pytest
from tests import data_reports

from airfoil.steps.report import history_panel

pytestmark = pytest.mark.unit


def test_the_oldest_stands_left_and_this_report_last():
    now = data_reports.dirty().verdict()
    shown = history_panel.strip(now, data_reports.history(30))
    levels = re.findall(r'<li [^>]*data-level="(\w+)"', shown)
    assert len(levels) == 31
    assert [place for place, level in enumerate(levels) if level == "bad"] == [12, 24, 25, 30]
    assert shown.count('class="now"') == 1
    assert "30 earlier reports since 2026-11-14 16:00 UTC: 3 failed." in shown


def test_without_earlier_ones_there_is_none():
    now = data_reports.fine().verdict()
    assert history_panel.strip(now, []) is None
    assert history_panel.strip(now, [now]) is None


def test_what_was_said_is_escaped():
    now = data_reports.fine().verdict()
    before = data_reports.history(1)[0].model_copy(update={"reason": '"><script>alert(1)</script>'})
    assert "<script" not in history_panel.strip(now, [before])
