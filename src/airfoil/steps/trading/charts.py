"""Draw how money grew and how far it fell, as matplotlib figures built as objects like those of `steps.charts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_SIZE_INCHES = (8.0, 4.2)


def draw_equity(days: NDArray[np.datetime64], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw what became of one unit of money, on a scale where equal ratios are equal steps."""
    figure, axes = _axes("money, start = 1")
    for name, values in curves.items():
        axes.plot(days, values, label=name, linewidth=1.2)
    axes.axhline(1, color="grey", linestyle="--", linewidth=1)
    if all(min(values) > 0 for values in curves.values()):  # after ruin there is no such scale
        _use_ratios(axes)
    axes.legend(loc="upper left", fontsize="small")
    return figure


def draw_drawdown(days: NDArray[np.datetime64], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss since the highest point so far; the deeper, the worse."""
    figure, axes = _axes("loss since the peak, percent")
    for name, values in curves.items():
        losses = [-100 * float(value) for value in values]
        (line,) = axes.plot(days, losses, label=name, linewidth=1.0)
        axes.fill_between(days, losses, 0, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set_ylim(top=0)
    axes.legend(loc="lower left", fontsize="small")
    return figure


def _use_ratios(axes: Any) -> None:
    """Put equal ratios at equal steps, with plain numbers beside them."""
    from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _axes(upwards: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_ylabel(upwards)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes
