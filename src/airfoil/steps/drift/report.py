"""What measuring and judging drift return: numbers and counts of both tables by column, and a verdict with its limits.

Records, JSON in and out, with all that a plot needs. Must not compute.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from airfoil.records import Histogram, LeftOutColumn, Record


class CategoryCount(Record):
    """How often a value came in both tables."""

    value: str
    reference: int = Field(ge=0)
    current: int = Field(ge=0)


class ColumnSummary(Record):
    """One column of one table; numbers are those of finite values, and None where there are none."""

    rows: int = Field(ge=0)
    missing: int = Field(ge=0)
    infinite: int = Field(default=0, ge=0)
    least: FiniteFloat | None = None
    largest: FiniteFloat | None = None
    mean: FiniteFloat | None = None
    deviation: FiniteFloat | None = None
    different: int | None = None
    """How many different values, for categories."""

    @property
    def missing_share(self) -> float:
        """Of all rows."""
        return self.missing / self.rows if self.rows else 0.0


class ColumnDrift(Record):
    """What a column's distribution in one table differs by from that in another. Whether it is too much is not said."""

    name: str
    kind: Literal["number", "time", "category"]
    test: Literal["kolmogorov_smirnov", "chi_square"]
    reference: ColumnSummary
    current: ColumnSummary
    statistic: FiniteFloat | None = None
    """None, as all that follows, when one of the tables has no value here."""
    p_value: float | None = Field(default=None, ge=0, le=1)
    """With many rows 0 for any difference at all: look at the effect."""
    p_adjusted: float | None = Field(default=None, ge=0, le=1)
    """Corrected for the number of columns."""
    effect: float | None = Field(default=None, ge=0, le=1)
    """Largest gap of the cumulative distributions for numbers, Cramér's V for categories: no size of table in it."""
    detectable: float | None = Field(default=None, ge=0, le=1)
    """The effect from which on the p-value is below 0.05 with so many rows."""
    gap_at: FiniteFloat | None = None
    """Where the distributions are farthest apart."""
    stability_index: FiniteFloat | None = None
    jensen_shannon: FiniteFloat | None = None
    wasserstein: FiniteFloat | None = None
    """In the column's own unit."""
    histogram: Histogram | None = None
    groups: Histogram | None = None
    """About ten groups of the reference of the same size, which the stability index compares."""
    categories: tuple[CategoryCount, ...] = ()
    """The most frequent ones; the others together as `others`."""
    others: CategoryCount | None = None
    note: str = ""


class DriftReport(Record):
    """How far a table is from a reference, column by column."""

    reference: str
    current: str
    reference_rows: int = Field(ge=0)
    current_rows: int = Field(ge=0)
    correction: Literal["benjamini-hochberg", "holm", "none"]
    columns: tuple[ColumnDrift, ...] = ()
    left_out: tuple[LeftOutColumn, ...] = ()
    note: str = ""


class DriftLimits(Record):
    """From where on a difference is drift: it must be no chance, and large enough to matter."""

    p_value: float = Field(default=0.05, gt=0, le=1)
    """Adjusted p-values below this are no chance."""
    effect: float = Field(default=0.1, ge=0, le=1)
    """0 lets the p-value decide alone, which in large tables means: always."""
    missing_change: float = Field(default=0.1, ge=0, le=1)
    """By how much the share of missing values may change."""
    drifted_share: float = Field(default=0.0, ge=0, le=1)
    """The share of columns that may drift."""


class ColumnDriftVerdict(Record):
    """Whether one column has drifted, and why."""

    name: str
    drifted: bool
    reason: str


class DriftVerdict(Record):
    """Whether a table has drifted, by which limits, and why; no comparison is no pass."""

    passed: bool
    outcome: Literal["stable", "drifted", "not_measured"]
    reason: str
    limits: DriftLimits
    columns: tuple[ColumnDriftVerdict, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """The names of the columns that have drifted."""
        return tuple(one.name for one in self.columns if one.drifted)
