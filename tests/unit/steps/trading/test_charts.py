"""Equity and drawdown pictures, as figure objects."""

import io

import numpy as np
import pytest

from airfoil.steps.trading.charts import draw_drawdown, draw_equity

pytestmark = pytest.mark.unit

DAYS = np.datetime64("2024-01-01") + np.arange(4)


def test_every_curve_is_drawn_and_named():
    axes = draw_equity(DAYS, {"chosen": [1, 1.1, 1.2, 1.1], "held": [1, 0.9, 1, 1.3]}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["chosen", "held"]
    assert axes.lines[0].get_ydata().tolist() == [1, 1.1, 1.2, 1.1]
    assert axes.get_yscale() == "log"


def test_ruin_is_drawn_on_a_plain_scale():
    assert draw_equity(DAYS, {"ruined": [1, 0.5, 0, 0]}).axes[0].get_yscale() == "linear"


def test_losses_hang_below_zero_in_percent():
    axes = draw_drawdown(DAYS, {"chosen": [0, 0.1, 0.25, 0]}).axes[0]
    assert list(axes.lines[0].get_ydata()) == [0, -10, -25, 0]
    assert axes.get_ylim()[1] == 0


@pytest.mark.parametrize("draw", [draw_equity, draw_drawdown])
def test_the_figure_can_be_saved(draw):
    picture = io.BytesIO()
    draw(DAYS, {"one": np.array([1, 1, 1, 1])}).savefig(picture, format="png")
    assert picture.getvalue().startswith(b"\x89PNG")
