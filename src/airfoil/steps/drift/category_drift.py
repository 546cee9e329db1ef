"""How far a column of categories is from the same column of a reference. Must not judge."""

from __future__ import annotations

from airfoil.records import LeftOutColumn
from airfoil.steps.drift import distances
from airfoil.steps.drift.categories import Tallying
from airfoil.steps.drift.number_drift import nothing_to_compare
from airfoil.steps.drift.passes import SIDES, Measurement
from airfoil.steps.drift.report import CategoryCount, ColumnDrift, ColumnSummary

_SHOWN = 30


def category_drift(name: str, most: int) -> Measurement[ColumnDrift | LeftOutColumn]:
    """Measure one column that has no more than so many different values."""
    tallying = Tallying(most)
    yield tallying
    return drift_of_categories(name, tallying)


def drift_of_categories(name: str, tallying: Tallying) -> ColumnDrift | LeftOutColumn:
    """Sum up a column whose values were counted."""
    if tallying.has_too_many:
        reason = f"has more than {tallying.most} different values: it looks like an identifier"
        return LeftOutColumn(name=name, reason=reason)
    reference, current = (
        ColumnSummary(
            rows=tallying.rows[side], missing=tallying.missing[side], different=tallying.different(side)
        )
        for side in SIDES
    )
    if not reference.different or not current.different:
        return ColumnDrift(
            name=name,
            kind="category",
            test="chi_square",
            reference=reference,
            current=current,
            note=nothing_to_compare(reference, current),
        )
    rows = tallying.table()
    counts = [row[1] for row in rows], [row[2] for row in rows]
    test = distances.chi_square(*counts)
    return ColumnDrift(
        name=name,
        kind="category",
        test="chi_square",
        reference=reference,
        current=current,
        statistic=test.statistic,
        p_value=test.p_value,
        effect=test.cramers_v,
        detectable=distances.least_detectable_v(sum(map(sum, counts)), max(1, test.degrees)),
        stability_index=distances.stability_index(*counts),
        jensen_shannon=distances.jensen_shannon(*counts),
        categories=tuple(
            CategoryCount(value=value, reference=left, current=right) for value, left, right in rows[:_SHOWN]
        ),
        others=_others(rows[_SHOWN:]),
        note=f"{test.pooled} rare values are tested together" if test.pooled else "",
    )


def _others(rows: list[tuple[str, int, int]]) -> CategoryCount | None:
    if not rows:
        return None
    return CategoryCount(
        value=f"{len(rows)} others",
        reference=sum(row[1] for row in rows),
        current=sum(row[2] for row in rows),
    )
