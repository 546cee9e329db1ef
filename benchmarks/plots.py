"""Draws one plot per result: a panel of bars for each plotted figure, readable on light and dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.result import OURS

_OURS_COLOUR, _PEER_COLOURS = "#2f81f7", ("#8b949e", "#b1bac4")
_TEXT_COLOUR = "#768390"  # reads on white and on black
_PANEL_WIDTH, _BAR_HEIGHT, _HEAD_HEIGHT = 8.0, 0.3, 0.45


def draw(found: dict[str, Any], path: Path) -> None:
    """Write the plot as SVG, the same bytes for the same result."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = [figure for figure in found["figures"] if figure["is_plotted"]]
    sides = found["sides"]
    style: dict[Any, Any] = {
        "svg.hashsalt": "airfoil",
        "svg.fonttype": "path",
        "font.size": 9,
        "text.color": _TEXT_COLOUR,
    }
    with mpl.rc_context(style):
        height = len(panels) * (len(sides) * _BAR_HEIGHT + _HEAD_HEIGHT)
        drawing = Figure(figsize=(_PANEL_WIDTH, height), layout="constrained")
        for panel, axes in zip(panels, drawing.subplots(len(panels), squeeze=False)[:, 0], strict=True):
            _bars(axes, panel, sides, found["line"])
        drawing.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def _bars(axes: Any, panel: dict[str, Any], sides: list[dict[str, Any]], line: dict[str, Any]) -> None:
    values = [line[side["key"]][panel["key"]] for side in sides]
    bars = axes.barh([side["label"] for side in sides], values, height=0.7, color=_colours(sides))
    unit = f" {panel['unit']}" if panel["unit"] else ""
    axes.bar_label(bars, [f"{value:,.{panel['digits']}f}{unit}" for value in values], padding=4)
    axes.set_title(panel["label"], loc="left", fontsize=10, fontweight="bold", color=_TEXT_COLOUR)
    axes.set_xlim(0, max(*values, 1e-9) * 1.2)  # room for the numbers
    axes.invert_yaxis()
    axes.set_facecolor("none")
    axes.tick_params(left=False, labelcolor=_TEXT_COLOUR)
    axes.xaxis.set_visible(False)
    for side in axes.spines.values():
        side.set_visible(False)


def _colours(sides: list[dict[str, Any]]) -> list[str]:
    peers = iter(_PEER_COLOURS * len(sides))
    return [_OURS_COLOUR if side["key"] == OURS else next(peers) for side in sides]
