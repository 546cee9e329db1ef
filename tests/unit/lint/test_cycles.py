"""Circles of arrows, and what only looks like one."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit
TASKS = "a, b, c = T(), T(), T()\nx = T()\ny = T()\nz = T()\n"


@pytest.mark.parametrize(
    "text",
    [
        "x >> y\ny >> z\nz >> x",
        "x >> y\nx >> z\n[y, z] >> x",
        "x << y\ny << z\nz << x",
        "x.set_upstream(y)\nz >> y\ny.set_upstream(x)",
        "from airflow.sdk import chain\nx >> y\nchain(y, [z], x)",
        "x >> y\ny >> z\nx >> x",
    ],
)
def test_the_line_that_closes_the_circle_is_told(codes, text):
    assert codes(TASKS + text + "\n") == [(7, "AF302")]


@pytest.mark.parametrize(
    "text",
    [
        "x >> y >> z\nx >> z",
        "x >> [y, z]\ny >> z",
        "for t in ts:\n    t >> x\nx >> t",
        "w = T()\nw >> x\nw = T()\nx >> w",
        "def f():\n    x >> y\n    y >> x",
        "p >> q\nq >> p",
    ],
)
def test_what_is_no_circle_is_left_in_peace(codes, text):
    assert codes(TASKS + text + "\n") == []


def test_a_long_chain_on_one_line_counts_every_arrow(codes):
    assert codes(TASKS + "x >> y >> z >> x\n") == [(5, "AF302")]
