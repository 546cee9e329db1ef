"""Features of {{name}}: plain functions, a table in and a table out.

They know nothing of Airflow, files or servers, so `pytest` checks them in no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


# Next edit 1: add a feature here, save, and run the DAG again. No restart: the next task runs the new code.
def add_ratios(wines: pd.DataFrame) -> pd.DataFrame:
    """Add how strong the colour is for the phenols in a wine; without phenols, the colour itself."""
    phenols = wines["total_phenols"]
    ratio = wines["color_intensity"] / phenols.where(phenols > 0, 1.0)
    return wines.assign(colour_per_phenol=ratio)
