"""The drawings of an evaluation: what is in them, and that they can be stored."""

from __future__ import annotations

import io

import numpy as np
import pytest

from airfoil.steps.curves import BinnedMeans, Histogram, RocCurve
from airfoil.steps.evaluation import evaluate_classifier, evaluate_regressor
from airfoil.steps.evaluation_charts import draw_amounts, draw_calibration, draw_residuals, draw_roc

pytestmark = pytest.mark.unit


def names_in(figure):
    legend = figure.axes[0].get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def test_every_figure_of_an_evaluation_can_be_saved():
    make = np.random.default_rng(1)
    truth = make.integers(3, size=200)
    shares = make.dirichlet(np.ones(3), 200)
    classifier = evaluate_classifier(truth, shares.argmax(axis=1), shares, labels=["0", "1", "2"])
    regressor = evaluate_regressor(truth, truth + make.normal(size=200))
    figures = [
        draw_roc(classifier.roc),
        draw_calibration(classifier.calibration),
        draw_amounts(regressor.calibration),
        draw_residuals(regressor.residuals),
    ]
    for figure in figures:
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        assert picture.getvalue().startswith(b"\x89PNG")
    assert len(names_in(figures[0])) == len(names_in(figures[1])) == 3


def test_a_curve_is_named_with_what_it_amounts_to():
    curve = RocCurve(
        label="yes", auc=0.875, false_positive_rates=(0, 1), true_positive_rates=(0, 1), thresholds=(None, 0)
    )
    assert names_in(draw_roc([curve, RocCurve(label="none", auc=None)])) == ["yes (area 0.875)"]
    bins = BinnedMeans(label="yes", predicted=(0.25,), observed=(0.5,), rows=(4,))
    assert names_in(draw_calibration([bins])) == ["yes (off by 0.250)"]


def test_nothing_to_draw_is_drawn_as_nothing():
    assert names_in(draw_roc([])) == names_in(draw_calibration([])) == []


def test_residuals_that_are_all_the_same_are_one_bar_that_can_be_seen():
    axes = draw_residuals(Histogram(edges=(2.0, 2.0), counts=(5,))).axes[0]
    low, high = axes.get_xlim()
    assert low < 0
    assert high > 2
