"""Bring the features of the last seven days online every night, and check that they are there.

The sources are looked at first: a view that is gone, a column that is gone, or a table that is stale ends the run
before anything is written. The views go online side by side. Then a sample of customers is read back from the online
store and compared with the sources, value by value.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task

from airfoil import alert, apply_features, check_online, materialize, validate_features, within

VIEWS = ["customer_spending", "customer_visits"]
WINDOW = timedelta(days=7)
FRESH_WITHIN = timedelta(days=2)
SAMPLE = 500
SHOP = {"customers": 2000, "days": 120, "seed": 0}
TABLES = "../.airfoil/features"
"""Where the repository looks for its tables (features/customers.py), seen from the repository."""
SOON = timedelta(minutes=5)
"""A platform that first starts later than this after a run was due makes up for none of it."""


@dag(
    dag_id="feast_feature_materialization",
    description="Check the feature store, bring a week of features online, compare a sample",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC", run_immediately=SOON),
    catchup=False,
    max_active_runs=1,
    deadline=within(minutes=30),
    on_failure_callback=alert(),
    default_args={"owner": "airfoil", "retries": 2, "retry_delay": timedelta(seconds=30)},
    tags=["features", "feast"],
)
def feast_feature_materialization() -> None:
    """Write, register, check, bring online, compare."""

    @task
    def write_tables(dag_run: Any = None) -> None:
        """Write the tables of a shop that does not exist, up to tonight. Replace this by what writes yours."""
        from airfoil import WorkArea
        from airfoil.provider.hooks.feast import FeastHook
        from airfoil.steps.shop_customers import ShopPlan, spending_rows, visit_rows

        tables = WorkArea((FeastHook().folder / TABLES).resolve())
        plan = ShopPlan(**SHOP)
        tables.write("customer_spending", spending_rows(plan, dag_run.run_after))
        tables.write("customer_visits", visit_rows(plan, dag_run.run_after))

    checked = validate_features(VIEWS, fresh_within=FRESH_WITHIN)
    online = materialize(VIEWS, last=WINDOW)
    write_tables() >> apply_features() >> checked >> online >> check_online(VIEWS, last=WINDOW, sample=SAMPLE)


feast_feature_materialization()
