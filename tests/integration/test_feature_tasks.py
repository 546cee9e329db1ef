"""Tasks that look after a feature store, on the shipped repository, with Feast itself, SQLite, Redis and Postgres."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.feature_shop import NIGHT, PLAN, VIEWS, WEEK, FeatureShop
from tests.integration.servers import Postgres, running_redis

from airfoil.clients.feature_store.store import FeatureStore
from airfoil.errors import ConfigurationError, ServiceUnreachableError
from airfoil.provider.operators.feast_apply import FeastApplyOperator
from airfoil.provider.operators.feast_materialize import FeastMaterializeOperator
from airfoil.provider.operators.feast_online_check import FeastOnlineCheckOperator
from airfoil.provider.operators.feast_validate import FeastValidateOperator
from airfoil.provider.operators.training_set import TrainingSetOperator
from airfoil.records import DataRef, MaterializedView
from airfoil.steps.feature_checks import OnlineVerdict, StoreVerdict
from airfoil.steps.shop_customers import lost_rows

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("default"),  # Feast's own code, its libraries and what it leaves open
]
VIEW = VIEWS[0]


def applied(shop: FeatureShop) -> FeatureShop:
    shop.write_tables()
    assert shop.execute(FeastApplyOperator(task_id="apply")) == VIEWS
    return shop


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """No path of the repository may depend on where a task runs."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def shop(tmp_path, monkeypatch, elsewhere) -> FeatureShop:
    found = FeatureShop(tmp_path / "shöp 1")
    monkeypatch.setenv(*next(iter(found.connection.items())))
    return applied(found)


def online(shop, view=VIEW, **given):
    operator = FeastMaterializeOperator(task_id="online", view=view, **{"last": WEEK, **given})
    return MaterializedView.from_json(shop.execute(operator))


def verdict(shop, view=VIEW, **given):
    given = {"last": WEEK, "sample": 100, "when_failed": "continue", **given}
    operator = FeastOnlineCheckOperator(task_id="check", view=view, **given)
    return OnlineVerdict.from_json(shop.execute(operator))


def test_a_night_on_sqlite(shop, tmp_path):
    validate = FeastValidateOperator(task_id="validate", fresh_within=WEEK)
    found = StoreVerdict.from_json(shop.execute(validate))
    assert [(one.view, one.rows) for one in found.views] == [(view, 300 * 12) for view in VIEWS]
    for view in VIEWS:
        assert verdict(shop, view).sample.missing == 100
        assert online(shop, view).entities == 300
        assert verdict(shop, view).reason == f"{view}: of 100 entities all are as in the source"
    assert sorted(
        path.name for path in (shop.root / ".airfoil").iterdir() if path.suffix in {".db", ".sqlite"}
    ) == [
        "feast_online.db",
        "feast_registry.sqlite",
    ]
    assert list(tmp_path.joinpath("elsewhere").iterdir()) == []


def test_what_is_wrong_online_is_counted_by_kind(shop):
    online(shop)
    store = FeatureStore(shop.features)
    table = pq.read_table(shop.tables.root / f"{VIEW}.parquet")
    newest = table.filter(pc.equal(table["event_timestamp"], pc.max(table["event_timestamp"])))
    frame = newest.filter(pc.less_equal(newest["customer_id"], 3)).to_pandas()
    frame["spent_30d"] = 4711.0
    frame.loc[frame["customer_id"] == 3, "event_timestamp"] += WEEK
    store.feast.write_to_online_store(VIEW, frame)
    late = newest.filter(pc.equal(newest["customer_id"], 4))
    hour_later = pc.add(late["event_timestamp"], pa.scalar(3_600_000_000, pa.duration("us")))
    strangers = newest.slice(0, 1).set_column(0, "customer_id", pa.array([9999]))
    pq.write_table(
        pa.concat_tables([table, late.set_column(1, "event_timestamp", hour_later), strangers]),
        shop.tables.root / f"{VIEW}.parquet",
    )
    found = verdict(shop, sample=1000)
    sample = found.sample
    counts = (sample.sampled, sample.equal, sample.different, sample.newer, sample.stale, sample.missing)
    assert counts == (301, 296, 2, 1, 1, 1)
    examples = {one.kind: one for one in sample.examples}
    assert examples["missing"].entity == "customer_id=9999"
    assert examples["stale"].entity == "customer_id=4"
    assert "spent_30d is 4711.0, the source has" in examples["different"].detail
    assert not found.passed
    assert verdict(shop, sample=1000, limits={"missing": 0.01, "stale": 0.01, "different": 0.01}).passed


def test_a_column_that_is_gone_a_wrong_type_and_a_row_of_tomorrow_fail_at_once(shop):
    path = shop.tables.root / f"{VIEW}.parquet"
    whole = pq.read_table(path)
    tomorrow = pc.add(whole["event_timestamp"], pa.scalar(2 * 86_400_000_000, pa.duration("us")))
    broken = {
        "has no column 'spent_30d'": whole.drop_columns(["spent_30d"]),
        "'orders_7d' is declared as INT64, and its column of type string": whole.set_column(
            3, "orders_7d", pa.array(["many"] * len(whole))
        ),
        "which is in the future": whole.set_column(1, "event_timestamp", tomorrow),
        "holds no rows": whole.slice(0, 0),
    }
    for message, table in broken.items():
        pq.write_table(table, path)
        with pytest.raises(AirflowFailException, match=message):
            shop.execute(FeastValidateOperator(task_id="validate", views=[VIEW]))
    path.unlink()
    with pytest.raises(AirflowFailException, match="There is no Parquet file at"):
        shop.execute(FeastValidateOperator(task_id="validate", views=[VIEW]))
    with pytest.raises(AirflowFailException, match="no feature view 'nope'"):
        shop.execute(FeastValidateOperator(task_id="validate", views=["nope"]))


def test_definitions_that_feast_refuses_are_one_sentence(shop):
    (shop.features / "broken.py").write_text("from feast import Entity\nEntity(name=7)\n")
    with pytest.raises(AirflowFailException, match="cannot be applied: "):
        shop.execute(FeastApplyOperator(task_id="apply"))


@pytest.fixture
def redis_shop(tmp_path, monkeypatch, elsewhere):
    with running_redis() as server:
        found = FeatureShop(tmp_path / "shöp 1", online_store=server.online_store())
        monkeypatch.setenv(*next(iter(found.connection.items())))
        yield applied(found), server


def test_a_night_on_redis_and_one_without_it(redis_shop):
    shop, server = redis_shop
    for view in VIEWS:
        online(shop, view)
        assert verdict(shop, view).passed
    keys = list(server.client().scan_iter())
    server.client().delete(*keys[:50])
    found = verdict(shop, sample=1000)
    assert found.sample.missing == 50
    server.process.kill()
    server.process.wait()
    for operator in (
        FeastValidateOperator(task_id="validate"),
        FeastOnlineCheckOperator(task_id="check", view=VIEW, last=WEEK),
        FeastMaterializeOperator(task_id="online", view=VIEW, last=WEEK),
    ):
        with pytest.raises(ServiceUnreachableError, match=r"127\.0\.0\.1|redis"):
            shop.execute(operator)


def test_views_side_by_side_on_a_registry_in_a_file_are_refused(tmp_path, monkeypatch, elsewhere):
    shop = FeatureShop(
        tmp_path / "shöp 1", registry={"registry_type": "file", "path": "../.airfoil/registry.pb"}
    )
    monkeypatch.setenv(*next(iter(shop.connection.items())))
    applied(shop)
    operator = FeastMaterializeOperator(task_id="online", view=VIEW, last=WEEK)
    with pytest.raises(AirflowFailException, match="would undo each other's records"):
        shop.execute(operator, map_index=0)
    turns = FeastMaterializeOperator(task_id="online", view=VIEW, last=WEEK, max_active_tis_per_dagrun=1)
    shop.execute(turns, map_index=0)
    assert FeatureStore(shop.features).watermark(VIEW) == NIGHT


@pytest.fixture(params=["sqlite", "postgres"])
def registry_shop(request, tmp_path, monkeypatch, elsewhere):
    """A shop whose registry is in SQLite, and one in Postgres."""
    settings = {}
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        path = server.new_database().replace("postgresql://", "postgresql+psycopg://")
        settings["registry"] = {"registry_type": "sql", "path": path}
    shop = FeatureShop(tmp_path / "shöp 1", **settings)
    monkeypatch.setenv(*next(iter(shop.connection.items())))
    return applied(shop)


def test_pieces_of_one_view_in_mapped_tasks_lose_no_record(registry_shop):
    """Each mapped task records its own day; all at once, older and newer ones mixed."""
    shop = registry_shop
    days = [NIGHT - (n + 1) * WEEK / 7 for n in (3, 0, 6, 2, 5, 1, 4)]
    barrier, failures = threading.Barrier(len(days)), []

    def work(index, start):
        end = start + WEEK / 7
        pieces = WEEK / 7 if index % 2 else None
        given = {"start": start, "end": end, "pieces": pieces}
        operator = FeastMaterializeOperator(task_id="online", view=VIEW, **given)
        barrier.wait()
        try:
            shop.execute(operator, map_index=index)
        except Exception as error:  # noqa: BLE001 - whatever it is fails the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(days)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = FeatureStore(shop.features)
    assert len(store.view(VIEW).materialization_intervals) == len(days)
    assert store.watermark(VIEW) == NIGHT
    assert verdict(shop, sample=1000).passed, "no older day is over a newer one"


_CHILD = """
import sys, time
from pathlib import Path
from airfoil.clients.feature_store.store import FeatureStore
from airfoil.provider.operators.feast_materialize import FeastMaterializeOperator
from tests.integration.feature_shop import FeatureShop, NIGHT, WEEK
real = FeatureStore.write
def slow(self, name, start, end):
    done = real(self, name, start, end)
    if start >= NIGHT - WEEK / 2:
        Path(sys.argv[2]).touch()
        time.sleep(600)
    return done
FeatureStore.write = slow
shop = FeatureShop.__new__(FeatureShop)
shop.night = NIGHT
shop.execute(FeastMaterializeOperator(task_id="online", view=sys.argv[1], last=WEEK, pieces=WEEK / 7))
"""


def test_a_task_that_is_killed_between_pieces_records_nothing_and_its_retry_everything(shop, tmp_path):
    mark, root = tmp_path / "some pieces are there", Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, VIEW, mark],
        cwd=root,
        env=os.environ | shop.connection | {"PYTHONPATH": str(root)},
    )
    deadline = time.monotonic() + 120
    while not mark.exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert FeatureStore(shop.features).watermark(VIEW) is None
    online(shop, pieces=WEEK / 7)
    store = FeatureStore(shop.features)
    assert store.view(VIEW).materialization_intervals == [(NIGHT - WEEK, NIGHT)]
    assert verdict(shop, sample=1000).passed


FEATURES = ["customer_spending:spent_30d", "customer_visits:visits_7d"]


def test_a_training_set_has_every_row_by_reference_by_service_and_by_feast_itself(shop, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(shop.root / "work"))
    plan = PLAN.model_copy(update={"days": 40})
    rows = lost_rows(plan, NIGHT + 2 * WEEK)
    entities = shop.tables.write("lost", rows)
    found = {}
    for name, features in (("references", FEATURES), ("service", "lost_customer_v1")):
        operator = TrainingSetOperator(task_id="set", entities=entities, features=features, name=name)
        monkeypatch.setattr("airfoil.provider.operators.training_set.now", lambda: NIGHT + 2 * WEEK)
        found[name] = DataRef.from_json(shop.execute(operator))
    tables = {name: shop.tables.read(ref) for name, ref in found.items()}
    assert tables["references"].column_names == [
        "customer_id",
        "event_timestamp",
        "lost",
        "spent_30d",
        "visits_7d",
    ]
    assert len(tables["service"].column_names) == 3 + 8
    for table in tables.values():
        assert table.select(rows.column_names).equals(rows)
        assert table["spent_30d"].equals(tables["references"]["spent_30d"])
    assert 0 < tables["references"]["spent_30d"].null_count < rows.num_rows, (
        "outside of the TTL nothing is known"
    )

    (shop.features / "on_demand.py").write_text(ON_DEMAND)
    shop.execute(FeastApplyOperator(task_id="apply"))
    (shop.features / "feature_store.yaml").write_text(
        (shop.features / "feature_store.yaml").read_text().replace("type: file", "type: duckdb")
    )
    operator = TrainingSetOperator(
        task_id="set", entities=entities, features=[*FEATURES, "per_visit:spent_per_visit"]
    )
    table = shop.tables.read(DataRef.from_json(shop.execute(operator)))
    assert "an on-demand view" in capsys.readouterr().out
    assert table.num_rows == rows.num_rows
    assert table["spent_30d"].to_pylist() == tables["references"]["spent_30d"].to_pylist()
    with pytest.raises(AirflowFailException, match="no feature view 'nope'"):
        shop.execute(TrainingSetOperator(task_id="set", entities=entities, features=["nope:x"]))


ON_DEMAND = """
import pandas as pd
from feast import Field
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64
from customers import customer_spending, customer_visits

@on_demand_feature_view(
    sources=[customer_spending, customer_visits], schema=[Field(name="spent_per_visit", dtype=Float64)], mode="pandas"
)
def per_visit(inputs: pd.DataFrame) -> pd.DataFrame:
    found = pd.DataFrame()
    found["spent_per_visit"] = inputs["spent_30d"] / inputs["visits_7d"].clip(lower=1)
    return found
"""


def test_a_view_that_only_feast_brings_online_cannot_be_written_in_pieces(shop):
    (shop.features / "checked.py").write_text(
        "from customers import *\ncustomer_spending.enable_validation = True\n"
    )
    shop.execute(FeastApplyOperator(task_id="apply"))
    with pytest.raises(AirflowFailException, match="cannot be written in pieces: Feast validates its rows"):
        online(shop, pieces=WEEK / 7)
    with pytest.raises(
        AirflowFailException, match="cannot be compared with its source: Feast validates its rows"
    ):
        verdict(shop)
    facts = StoreVerdict.from_json(shop.execute(FeastValidateOperator(task_id="validate", views=[VIEW])))
    assert "Feast validates its rows" in facts.views[0].note
    assert isinstance(ConfigurationError("x"), Exception)
