"""The trading DAG: its task bodies on small prices, and the whole of it in an Airflow, twice."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.dag_scenes import play
from tests.integration.mlflow_servers import mlflow_server

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_files import save_model
from airfoil.clients.model_loading import load_model, read_model
from airfoil.clients.model_registry import versions
from airfoil.clients.testing import fake_mlflow_run, fake_work
from airfoil.errors import AirfoilError, TableError
from airfoil.steps.trading.generated_prices import GeneratedMarket, generate_prices
from airfoil.steps.trading.model import MomentumModel, example_prices
from airfoil.steps.trading.momentum import MomentumParameters, positions

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FILE = Path(__file__).parents[2] / "dags" / "trading_strategy_train.py"
SMALL = {
    "symbols": 4,
    "first_day": "2023-01-02",
    "lookback_days": [10, 42],
    "skip_days": [0],
    "threshold": [0.0, 0.05],
    "rebalance_days": [1, 14],
    "train_days": 250,
    "test_days": 60,
}
FREE_TO_PASS = {"least_sharpe_ratio": -100}
DAG_RUN = SimpleNamespace(logical_date=None, run_after=dt.datetime(2026, 1, 3, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def file():
    """What the DAG file holds, and the parameters a run of it gets without any of its own."""
    found = runpy.run_path(str(FILE))
    dag = found["trading_strategy_train"]()
    return SimpleNamespace(**found, params={**dag.params.dump(), **SMALL})


def bodies(file, tmp_path, **given):
    """All task bodies, one after the other, as Airflow would call them."""
    params = {**file.params, **given}
    work, run = fake_work(tmp_path), fake_mlflow_run()
    prices = file.load_prices.function(work, run, params, DAG_RUN)
    parts = []
    for number, part in enumerate(file.split_grid.function(params)):
        own = fake_work(tmp_path / str(number))
        parts.append(file.sweep.function(part, prices, own, fake_mlflow_run(), params))
    chosen = fake_mlflow_run()
    return chosen, file.select.function(parts, prices, work, chosen, params)


def test_the_run_of_the_best_holds_parameters_evidence_charts_and_the_whole_grid(file, tmp_path):
    run, found = bodies(file, tmp_path)
    assert run.params["strategy"] == "momentum"
    assert int(run.params["lookback_days"]) in {10, 42}
    assert {"sharpe_ratio", "max_drawdown", "turnover_per_year", "profit", "held_profit"} <= set(run.metrics)
    assert run.metrics["sharpe_ratio"] == found["scores"]["sharpe_ratio"]
    assert {"equity.png", "drawdown.png", "walk_forward.json", "grid.csv"} <= set(run.files)
    rows = list(csv.DictReader(io.StringIO(run.files["grid.csv"].decode())))
    assert len(rows) == 8
    steps = json.loads(run.files["walk_forward.json"])
    assert steps[-1]["last_day"] == "2026-01-02"
    kept = run.models["momentum"].estimator
    assert isinstance(kept, MomentumModel)
    assert str(kept.lookback_days) == run.params["lookback_days"]


def test_parts_are_about_two_for_each_core(file):
    assert len(file.split_grid.function(file.params)) == min(2 * (os.cpu_count() or 1), 8, file.MOST_PARTS)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_prices_of_ones_own_are_read(kind, file, tmp_path):
    market = GeneratedMarket(symbols=3, first_day=dt.date(2023, 1, 2), last_day=dt.date(2025, 12, 31))
    table = generate_prices(market).to_arrow().rename_columns(["Date", "symbol", "Adj Close"])
    location = tmp_path / f"prices.{kind}"
    if kind == "csv":
        table.to_pandas().to_csv(location, index=False)
    else:
        pq.write_table(table, location)
    run, _ = bodies(file, tmp_path, prices=str(location), close_column="adj close")
    assert json.loads(run.files["walk_forward.json"])[-1]["last_day"] == "2025-12-31"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows.append(rows[5]), "have GEN1 on 2023-01-09 more than once"),
        (lambda rows: rows[5].update(close=None), "GEN1 has no price on 2023-01-09"),
        (lambda rows: [row.update(close=row["close"] / 2) for row in rows[400:]], "as after a split of 2 for 1"),
        (lambda rows: rows.__delitem__(slice(200, None)), "cover 200 days, and the longest window needs 368"),
    ],
    ids=["twice", "missing", "split", "short"],
)  # fmt: skip
def test_prices_that_cannot_be_traded_on_are_refused_in_a_sentence(change, sentence, file, tmp_path):
    market = GeneratedMarket(symbols=1, first_day=dt.date(2023, 1, 2), last_day=dt.date(2025, 12, 31))
    rows = generate_prices(market).to_arrow().to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "prices.parquet")
    with pytest.raises(TableError, match=sentence):
        bodies(file, tmp_path, prices=str(tmp_path / "prices.parquet"))


def test_a_source_that_is_not_there_is_told_in_a_sentence(file, tmp_path):
    with pytest.raises(AirfoilError, match="nowhere"):
        bodies(file, tmp_path, prices=str(tmp_path / "nowhere.csv"))


def test_a_saved_model_is_read_again_and_says_the_same(tmp_path):
    parameters = MomentumParameters(lookback_days=20, rebalance_days=7, threshold=0.02, long_only=False)
    prices = generate_prices(
        GeneratedMarket(symbols=3, first_day=dt.date(2024, 1, 1), last_day=dt.date(2024, 6, 30))
    )
    frame = example_prices(prices, 3 * len(prices.days))
    folder = tmp_path / "model"
    save_model(MomentumModel.of(parameters), folder, example=frame.head(3), packages=["airfoil"])
    again = read_model(folder, "momentum")
    assert again.estimator == MomentumModel.of(parameters)
    assert (again.predict(frame) == positions(prices, parameters).ravel()).all()
    assert "airfoil==" in (folder / "requirements.txt").read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as running:
        yield MlflowServer(running.uri)


@pytest.fixture(scope="module")
def home(migrated_airflow, tmp_path_factory):
    return migrated_airflow.copied_to(tmp_path_factory.mktemp("trading") / "home")


def test_the_dag_registers_once_and_refuses_what_is_no_better(home, server, tmp_path):
    """The second run finds the same parameters on the same prices, which are no gain."""
    copy = tmp_path / "dags" / FILE.name
    copy.parent.mkdir()
    shutil.copyfile(FILE, copy)
    conf = {**SMALL, **FREE_TO_PASS}
    reached = json.dumps({"conn_type": "mlflow", "host": server.uri})

    first = play(home, copy, conf=conf, AIRFLOW_CONN_MLFLOW_DEFAULT=reached)
    assert first.runs["trading_strategy_train"]["state"] == "success", first.log[-3000:]
    assert {state for state, _ in first.tasks("trading_strategy_train").values()} == {"success"}

    second = play(home, copy, conf=conf, AIRFLOW_CONN_MLFLOW_DEFAULT=reached)
    states = {name: state for name, (state, _) in second.tasks("trading_strategy_train").items()}
    assert (states["gate"], states["register"], states["promote"]) == ("success", "skipped", "skipped")

    with MlflowHttp(server) as http:
        assert [one.version for one in http.do(versions("momentum"))] == [1]
        (entry,) = http.do(Ledger(Claims()).entries("momentum", "champion"))
        assert entry.to_version == 1
        loaded = load_model(http, "models:/momentum@champion")
        market = GeneratedMarket(symbols=2, first_day=dt.date(2024, 1, 1), last_day=dt.date(2024, 12, 31))
        assert loaded.predict(example_prices(generate_prices(market), 400)).shape == (400,)
        home_of_runs = http.get(f"{API}/experiments/get-by-name", experiment_name="trading_models")
        assert home_of_runs["experiment"]["experiment_id"]
