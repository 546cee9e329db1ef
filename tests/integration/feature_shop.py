"""The shipped feature repository in a folder of its own, with its tables, and tasks that work on it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from airfoil.clients.object_store import FolderStore
from airfoil.steps.shop_customers import ShopPlan, spending_rows, visit_rows

ROOT = Path(__file__).parents[2]
NIGHT = dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC)
PLAN = ShopPlan(customers=300, days=12)
VIEWS = ["customer_spending", "customer_visits"]
WEEK = dt.timedelta(days=7)


class FeatureShop:
    """A project's folder with `features/` and the tables beside it."""

    def __init__(self, root: Path, *, night: dt.datetime = NIGHT, **settings: Any) -> None:
        self.root, self.features, self.night = root, root / "features", night
        shutil.copytree(ROOT / "features", self.features, ignore=shutil.ignore_patterns("__pycache__"))
        found = yaml.safe_load((self.features / "feature_store.yaml").read_text())
        (self.features / "feature_store.yaml").write_text(yaml.safe_dump(found | settings))
        self.tables = FolderStore(root / ".airfoil" / "features")

    def write_tables(self) -> None:
        self.tables.write("customer_spending", spending_rows(PLAN, self.night))
        self.tables.write("customer_visits", visit_rows(PLAN, self.night))

    @property
    def connection(self) -> dict[str, str]:
        """The environment that leads tasks here."""
        return {"AIRFLOW_CONN_FEAST_DEFAULT": json.dumps({"conn_type": "feast", "host": str(self.features)})}

    def execute(self, operator: Any, **fields: Any) -> Any:
        """Execute an operator as tonight's run would."""
        values = {"dag_id": "nightly", "run_id": "scheduled__1", "task_id": operator.task_id, "map_index": -1}
        ti = SimpleNamespace(**values | {"try_number": 1, "xcom_push": lambda **_: None} | fields)
        ti.xcom_push = lambda *_, **__: None
        events: Any = defaultdict(lambda: SimpleNamespace(extra={}, add=lambda *_, **__: None))
        context: Any = {"ti": ti, "task": operator, "outlet_events": events}
        return operator.execute(context | {"dag_run": SimpleNamespace(run_after=self.night)})
