"""Draw what a model of trips is worth: predicted against true minutes, errors by hour and place, coefficients.

Figures are built as objects, as in `airfoil.steps.charts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airfoil.steps.taxi.trips import MOST_MINUTES
from airfoil.steps.taxi.zones import ZONE_GROUPS, group_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from airfoil.steps.taxi.evaluation import GroupError, TripEvaluation
    from airfoil.steps.taxi.zone_regression import ZoneRegression

_WIDE, _SQUARE = (8.0, 3.6), (5.6, 4.8)
_QUIET: dict[str, Any] = {"color": "grey", "linestyle": "--", "linewidth": 1}
_COLOURS = ("#3b6ea5", "#c9783b")


def draw_predictions(evaluation: TripEvaluation) -> Figure:
    """Draw how many trips of so many minutes were predicted so long; on the dashed line both are the same."""
    import numpy as np
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SQUARE, layout="constrained")
    axes = figure.subplots()
    counts = np.array(evaluation.counts, dtype=float)
    counts[counts == 0] = np.nan
    most = max(2, *map(max, evaluation.counts))  # a scale needs two ends
    whole = (0, MOST_MINUTES, 0, MOST_MINUTES)
    drawn = axes.imshow(counts, origin="lower", extent=whole, cmap="Blues", norm=LogNorm(1, most))
    axes.plot([0, MOST_MINUTES], [0, MOST_MINUTES], **_QUIET)
    axes.set_xlabel("predicted minutes")
    axes.set_ylabel("true minutes")
    axes.set_title(f"{evaluation.trips:,} trips, RMSE {evaluation.rmse:.3f} minutes", fontsize="medium")
    figure.colorbar(drawn, ax=axes, label="trips")
    return figure


def draw_hours(evaluation: TripEvaluation) -> Figure:
    """Draw the error by the hour at which trips began."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_WIDE, layout="constrained")
    axes = figure.subplots()
    hours = [int(one.name) for one in evaluation.by_hour]
    axes.bar(hours, [one.rmse for one in evaluation.by_hour], color=_COLOURS[0], label="RMSE")
    axes.plot(hours, [one.bias for one in evaluation.by_hour], color=_COLOURS[1], marker="o", label="bias")
    axes.axhline(0, **_QUIET)
    axes.set_xticks(range(0, 24, 3))
    axes.set_xlabel("hour at which the trip began")
    axes.set_ylabel("minutes")
    axes.legend(fontsize="small")
    return figure


def draw_zone_groups(evaluation: TripEvaluation) -> Figure:
    """Draw the error by the group of zones in which trips began and ended."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_WIDE, layout="constrained")
    sides: Sequence[tuple[str, Sequence[GroupError]]] = (
        ("picked up", evaluation.by_pickup),
        ("dropped off", evaluation.by_dropoff),
    )
    for axes, (title, groups), colour in zip(
        figure.subplots(1, 2, sharex=True), sides, _COLOURS, strict=True
    ):
        names = [f"{one.name} ({one.trips:,})" for one in groups]
        axes.barh(names, [one.rmse for one in groups], color=colour)
        axes.invert_yaxis()
        axes.set_xlabel("RMSE in minutes")
        axes.set_title(title, fontsize="medium")
    return figure


def draw_coefficients(model: ZoneRegression) -> Figure:
    """Draw what each zone adds to a trip, zones of a group in one row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_WIDE, layout="constrained")
    axes = figure.subplots()
    sides = (
        ("picked up", model.pickup_zones, model.pickup_minutes, -0.15),
        ("dropped off", model.dropoff_zones, model.dropoff_minutes, 0.15),
    )
    for (label, zones, minutes, offset), colour in zip(sides, _COLOURS, strict=True):
        axes.scatter(minutes, group_numbers(zones) + offset, s=12, alpha=0.6, color=colour, label=label)
    axes.set_yticks(range(len(ZONE_GROUPS)), ZONE_GROUPS)
    axes.invert_yaxis()
    axes.axvline(0, **_QUIET)
    axes.set_xlabel("minutes that a zone adds")
    axes.set_title(
        f"{model.constant:.2f} minutes, and {model.minutes_per_mile:.3f} for each mile", fontsize="medium"
    )
    axes.legend(loc="lower right", fontsize="small")
    return figure
