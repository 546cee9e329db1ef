"""What looking for anomalies returns: how many rows are unlike the others, which most and why, and a verdict.

Records, JSON in and out, with all that a plot needs. Must not compute.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from airfoil.records import Histogram, LeftOutColumn, Record


class AnomalyReason(Record):
    """What a column has to do with a row's score: by how much it falls when the usual value stands there instead."""

    column: str
    value: FiniteFloat | None = None
    usual: FiniteFloat
    weight: FiniteFloat
    share_below: float = Field(ge=0, le=1)
    """Of the sample that the forest was trained on."""


class AnomalousRow(Record):
    """One of the rows with the highest scores; rows are numbered from 0 in the order of the table."""

    row: int = Field(ge=0)
    score: FiniteFloat
    reasons: tuple[AnomalyReason, ...] = ()


class AnomalyReport(Record):
    """How many rows of a table are unlike the others, or unlike a reference, and which most."""

    table: str
    reference: str = ""
    """Empty when the forest was trained on the table itself."""
    rows: int = Field(ge=0)
    trained_rows: int = Field(ge=0)
    trees: int = Field(ge=0)
    seed: int
    threshold: FiniteFloat | None = None
    """Rows with a higher score count as anomalous."""
    anomalous: int = Field(default=0, ge=0)
    columns: tuple[str, ...] = ()
    left_out: tuple[LeftOutColumn, ...] = ()
    scores: Histogram | None = None
    """Of the training sample as `reference` and of the table as `current`."""
    top: tuple[AnomalousRow, ...] = ()
    note: str = ""

    @property
    def rate(self) -> float | None:
        """The share of anomalous rows."""
        return self.anomalous / self.rows if self.rows and self.threshold is not None else None


class AnomalyLimits(Record):
    """How many rows may be anomalous."""

    rate: float = Field(default=0.1, ge=0, le=1)
    min_rows: int = Field(default=1, ge=1)


class AnomalyVerdict(Record):
    """Whether too many rows are anomalous; what could not be measured does not pass."""

    passed: bool
    outcome: Literal["usual", "anomalous", "not_measured"]
    rate: float | None = None
    limits: AnomalyLimits
    reason: str
