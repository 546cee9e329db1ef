"""Draw the curves of an evaluation as matplotlib figures, built as objects like those of `charts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from airfoil.steps.curves import BinnedMeans, Histogram, RocCurve

_SIZE_INCHES = (5.2, 4.6)
_GUESSING = {"color": "grey", "linestyle": "--", "linewidth": 1}


def draw_roc(curves: Sequence[RocCurve]) -> Figure:
    """Draw how many rows of each class are found for how many false ones; guessing is the dashed line."""
    figure, axes = _square("share of other rows taken for the class", "share of the class found")
    for curve in curves:
        if curve.auc is not None:
            name = f"{curve.label} (area {curve.auc:.3f})"
            axes.plot(curve.false_positive_rates, curve.true_positive_rates, label=name)
    _legend(axes)
    return figure


def draw_calibration(curves: Sequence[BinnedMeans]) -> Figure:
    """Draw how often each class was so against how probable it was said to be; the dashed line is perfect."""
    figure, axes = _square("predicted probability", "share of rows of the class")
    for curve in curves:
        name = f"{curve.label} (off by {curve.error:.3f})"
        axes.plot(curve.predicted, curve.observed, marker="o", markersize=4, label=name)
    _legend(axes)
    return figure


def draw_amounts(curve: BinnedMeans) -> Figure:
    """Draw true amounts against predicted ones, averaged in bins; the dashed line is perfect."""
    figure, axes = _axes("predicted", "true")
    low, high = min((*curve.predicted, *curve.observed)), max((*curve.predicted, *curve.observed))
    axes.plot([low, high], [low, high], **_GUESSING)
    axes.plot(curve.predicted, curve.observed, marker="o", markersize=4)
    return figure


def draw_residuals(histogram: Histogram) -> Figure:
    """Draw how many rows missed the truth by how much."""
    figure, axes = _axes("truth minus prediction", "rows")
    edges = histogram.edges
    if len(histogram.counts) == 1:  # all the same: a bar needs a width to be seen
        edges = (edges[0] - 0.5, edges[-1] + 0.5)
    axes.stairs(histogram.counts, edges, fill=True)
    axes.axvline(0, **_GUESSING)
    return figure


def _square(across: str, upwards: str) -> tuple[Figure, Any]:
    figure, axes = _axes(across, upwards)
    axes.plot([0, 1], [0, 1], **_GUESSING)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    return figure, axes


def _axes(across: str, upwards: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(across)
    axes.set_ylabel(upwards)
    return figure, axes


def _legend(axes: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="lower right", fontsize="small")
