"""Draw charts of records as matplotlib figures.

Figures are built as objects: pyplot keeps a process-wide list of open figures, which leaks in long-lived workers and
wants a display. A chart is returned; where it is stored is the caller's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DARK_FROM_SHARE = 0.5


def draw_confusion(counts: Sequence[Sequence[int]], label_names: Sequence[str]) -> Figure:
    """Draw a confusion matrix: truth downwards, prediction across, each cell with its count."""
    from matplotlib.figure import Figure

    size = len(label_names)
    if len(counts) != size or any(len(row) != size for row in counts):
        message = f"a confusion matrix of {size} labels needs {size} rows of {size} counts"
        raise ValueError(message)

    figure = Figure(figsize=(1.6 + size, 1.2 + size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues", vmin=0)
    axes.set_xticks(range(size), label_names, rotation=30, ha="right")
    axes.set_yticks(range(size), label_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    largest = max(max(row) for row in counts) or 1
    for row, cells in enumerate(counts):
        for column, count in enumerate(cells):
            colour = "white" if count / largest > DARK_FROM_SHARE else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    return figure
