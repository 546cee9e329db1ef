"""Part a table by time, so that a model is measured on what came after everything it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd


def split_by_time(
    frame: pd.DataFrame, timestamp: str, *, later_share: float = 0.25
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the earlier rows and the later ones; rows of one moment stay together, so the share is about that."""
    if not 0 < later_share < 1:
        raise ConfigurationError(
            f"A share of {later_share:g} leaves one side empty", "Give one between 0 and 1, such as 0.25."
        )
    moments = frame[timestamp]
    if moments.isna().any():
        raise ConfigurationError(
            f"{int(moments.isna().sum())} rows have no {timestamp}",
            "Leave them out, or find out when they were.",
        )
    if moments.nunique() < 2:  # noqa: PLR2004 - one on each side
        raise ConfigurationError(
            f"All {len(frame)} rows have the same {timestamp}, so none is later than another",
            "Take rows of several moments, or part them at random.",
        )
    border = moments.sort_values().iloc[-max(1, round(later_share * len(frame)))]
    is_later = moments >= border if border > moments.min() else moments > border
    return frame[~is_later], frame[is_later]
