"""Columns that tell the target by themselves: what is only known afterwards, or the target under another name.

A suspicion, not a proof: a person decides. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CORRELATION = 0.999
PURITY = 0.999
MOST_VALUES_SHARE = 0.5


def gives_target_away(values: pd.Series[object], target: pd.Series[object], task: str) -> bool:
    """Tell whether a column alone predicts the target almost without error."""
    import pandas as pd

    known = values.notna() & target.notna()
    if known.sum() < 3:  # noqa: PLR2004 - any two points lie on a line
        return False
    column, goal = values[known], target[known]
    is_number = bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))
    if task == "regression":
        return (
            is_number
            and abs(float(column.rank().corr(goal.rank()))) >= CORRELATION
            and _is_linear(column, goal)
        )
    if is_number:
        return _is_cut(column, goal)
    if column.nunique() > MOST_VALUES_SHARE * len(column):
        return False
    counts = pd.crosstab(column.astype(str), goal.astype(str))
    return float(counts.max(axis=1).sum()) / float(counts.to_numpy().sum()) >= PURITY


def _is_linear(column: pd.Series[object], goal: pd.Series[object]) -> bool:
    return abs(float(column.corr(goal))) >= CORRELATION


def _is_cut(column: pd.Series[object], goal: pd.Series[object]) -> bool:
    """Tell whether each class has a range of numbers of its own."""
    ranges = goal.astype(str).groupby(column).nunique()
    if int(ranges.max()) > 1:
        return False
    in_order = goal.astype(str).loc[column.sort_values(kind="stable").index]
    changes = int((in_order.to_numpy()[1:] != in_order.to_numpy()[:-1]).sum())
    return changes == int(goal.nunique()) - 1
