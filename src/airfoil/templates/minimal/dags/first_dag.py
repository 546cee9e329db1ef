"""Smooth a week of sales with the code of src/NAME/features.py, and say which day stood out.

Change a parameter when you trigger it: `airfoil run first_dag --param window=2`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag, get_current_context, task


@dag(
    dag_id="first_dag",
    description="Smooth a week of sales and name the day that stood out",
    doc_md=__doc__,
    # Next edit 2: "@daily" runs it every night; tests/test_dags.py says what it should be.
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"window": Param(3, type="integer", minimum=1, maximum=7)},
    default_args={"owner": "{{name}}"},
    tags=["{{name}}"],
)
def first_dag() -> None:
    """Wire three tasks: what they return is handed on, so keep it small."""

    @task
    def read_sales() -> list[float]:
        """Give the sales of a week."""
        # Next edit 3: read your own data. A library it needs: `airfoil add PACKAGE`, then import it here.
        return [120.0, 132.0, 101.0, 134.0, 390.0, 230.0, 210.0]

    @task
    def smooth(sales: list[float]) -> list[float]:
        """Smooth them with the project's own code."""
        from NAME.features import moving_average

        return moving_average(sales, get_current_context()["params"]["window"])

    @task
    def report(sales: list[float], smoothed: list[float]) -> int:
        """Say which day was furthest from its average."""
        distances = [abs(value - average) for value, average in zip(sales, smoothed, strict=True)]
        day = distances.index(max(distances)) + 1
        print(f"Day {day} stood out: {sales[day - 1]:.0f} sales, {smoothed[day - 1]:.0f} on average.")
        return day

    sales = read_sales()
    report(sales, smooth(sales))


first_dag()
