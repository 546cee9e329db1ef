"""The shipped nightly materialization under `dag.test()`: green as it is shipped, and how a broken one ends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from tests.integration.dag_scenes import play
from tests.integration.feature_shop import ROOT, FeatureShop
from tests.sizes import FULL, full_only

from airfoil.clients.feature_store.store import FeatureStore

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.filterwarnings("default")]
DAG = "feast_feature_materialization"


@pytest.fixture
def home(migrated_airflow: AirflowHome, tmp_path: Path) -> AirflowHome:
    return migrated_airflow.copied_to(tmp_path / "home")


def played(home, shop, change=None):
    """Run the DAG, its file as it is shipped or with `change` in it, and no patience for a second try."""
    dags = shop.root / "dags"
    dags.mkdir(exist_ok=True)
    text = (ROOT / "dags" / f"{DAG}.py").read_text(encoding="utf-8").replace('"retries": 2', '"retries": 0')
    (dags / f"{DAG}.py").write_text(text if change is None else change(text), encoding="utf-8")
    return play(home, dags / f"{DAG}.py", **shop.connection)


@full_only
def test_the_shipped_nights_are_green(migrated_airflow, tmp_path):
    shop = FeatureShop(tmp_path / "shöp 1")
    for night in (1, 2) if FULL else (1,):
        scene = played(migrated_airflow.copied_to(tmp_path / f"home {night}"), shop)
        assert scene.runs[DAG]["state"] == "success", scene.log[-3000:]
        assert {state for state, _ in scene.tasks(DAG).values()} == {"success"}
        assert {"materialize[0]", "materialize[1]", "check_online[0]", "check_online[1]"} <= set(
            scene.tasks(DAG)
        )
        view = FeatureStore(shop.features).view("customer_visits")
        assert len(view.materialization_intervals) == night
    assert dt.datetime.now(dt.UTC) - view.most_recent_end_time < dt.timedelta(minutes=10)


@full_only
def test_a_view_that_is_gone_ends_before_anything_is_written(home, tmp_path):
    shop = FeatureShop(tmp_path / "shöp 1")
    scene = played(home, shop, lambda text: text.replace('"customer_visits"]', '"customer_clicks"]'))
    assert scene.runs[DAG]["state"] == "failed"
    tasks = scene.tasks(DAG)
    assert tasks["validate_features"][0] == "failed"
    assert "There is no feature view 'customer_clicks'" in scene.log
    assert {tasks[name][0] for name in tasks if name.startswith(("materialize", "check"))} == {
        "upstream_failed"
    }
    assert FeatureStore(shop.features).watermark("customer_spending") is None


@full_only
def test_a_column_that_is_gone_ends_before_anything_is_written(home, tmp_path):
    shop = FeatureShop(tmp_path / "shöp 1")
    change = 'spending_rows(plan, dag_run.run_after).drop_columns(["spent_30d"])'
    scene = played(home, shop, lambda text: text.replace("spending_rows(plan, dag_run.run_after)", change))
    assert scene.tasks(DAG)["validate_features"] == ("failed", 1)
    assert "has no column 'spent_30d'" in scene.log
    assert "spent_30d" not in pq.read_schema(shop.tables.root / "customer_spending.parquet").names


@full_only
def test_an_online_store_that_is_away_is_told_by_name(home, tmp_path):
    from tests.integration.servers import free_port

    port = free_port()
    online = {"type": "redis", "connection_string": f"127.0.0.1:{port}"}
    scene = played(home, FeatureShop(tmp_path / "shöp 1", online_store=online))
    assert scene.tasks(DAG)["validate_features"][0] == "failed"
    assert "The online store (redis) does not answer for 'customer_spending'" in scene.log
