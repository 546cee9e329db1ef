"""What every check of a table does: open, hand over, write down, tell; and one sentence for each table that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import AirflowFailException

from airfoil.clients import table_sources
from airfoil.clients.object_store import read_text
from airfoil.errors import ConfigurationError, ServiceUnreachableError
from airfoil.provider.data_check import ERROR, DataCheckOperator, Finding
from airfoil.provider.datasets import Dataset
from airfoil.provider.lineage import Claim, Place
from airfoil.records import DataRef, DataVerdict

pytestmark = pytest.mark.unit


class Counting(DataCheckOperator):
    """Passes tables of at least `least` rows."""

    check = "quality"
    template_fields = ("data", "beside", "dataset")

    def __init__(self, *, beside=None, least=1, **kwargs):
        super().__init__(**kwargs)
        self.beside = beside
        self.least = least

    def _tables(self):
        return {"data": self.data} | ({"beside": self.beside} if self.beside else {})

    def _settings(self):
        if self.least < 0:
            raise ConfigurationError("least is negative")
        return self.least

    def _look(self, scans, settings, folder):
        rows = scans["data"].count()
        passed = rows >= settings
        names = {argument: scan.name for argument, scan in scans.items()}
        outcome = "passed" if passed else "failed"
        claims = [Claim("rows", holds=passed)]
        return Finding(passed, outcome, f"{rows} rows", rows, names, {"rows": rows}, claims)


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "w"))
    return tmp_path / "w" / "shop" / "manual__1" / "look"


@pytest.fixture
def trips(tmp_path):
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "trips.parquet")
    return str(tmp_path / "trips.parquet")


@pytest.fixture
def look(mlflow, make_context):
    """Run a check; its verdict and its context."""

    def execute(data, **given):
        context = make_context(task_id="look")
        contexts.append(context)
        return DataVerdict.from_json(Counting(task_id="look", data=data, **given).execute(context))

    contexts = execute.contexts = []
    return execute


def child(mlflow):
    return next(run for run in mlflow.runs.values() if "airfoil.data.outcome" in run["tags"])


def test_the_record_lies_in_the_work_area_and_in_the_run(look, trips, work, mlflow):
    verdict = look(trips, dataset="trips")
    assert (verdict.dataset, verdict.passed, verdict.rows) == ("trips", True, 3)
    assert verdict.record.uri == (work / "quality.json").as_uri()
    assert json.loads(read_text(verdict.record)) == {"data": "trips"}
    run = child(mlflow)
    assert verdict.run_id == run["info"]["run_id"]
    assert verdict.run_url.endswith(f"/runs/{verdict.run_id}")
    assert run["info"]["status"] == "FINISHED"
    assert {point["key"]: point["value"] for point in run["metrics"]} == {"rows": 3}
    assert [one for one in mlflow.artifacts if one.endswith("quality.json")]
    assert [row["dataset"]["name"] for row in run["datasets"]] == ["trips"]
    assert sorted(path.name for path in work.iterdir()) == ["quality.json"], (
        "copies and temporary files are gone"
    )


def test_a_table_is_called_by_its_name_the_asset_s_or_its_file_s(look, trips):
    assert look(trips).dataset == "trips.parquet"
    assert look({"location": trips, "name": "taxi"}).dataset == "taxi"
    assert look(Dataset("cabs", trips)).dataset == "cabs"
    assert look(trips, dataset=Dataset("cabs")).dataset == "cabs"


def test_datasets_are_inlets(trips):
    lake = Dataset("cabs", "s3://lake/cabs")
    assert Counting(task_id="look", data=lake).inlets == [lake]
    assert Counting(task_id="look", data=trips).inlets == []


def test_a_verdict_that_is_no_pass_fails_the_task_and_its_run_ends_well(look, trips, mlflow):
    with pytest.raises(AirflowFailException, match="3 rows"):
        look(trips, least=4)
    assert child(mlflow)["info"]["status"] == "FINISHED"
    assert look.contexts[0]["ti"].pushed["return_value"]["record"]["uri"].endswith("quality.json")


def test_lineage_is_what_was_read(trips):
    it = Counting(task_id="look", data=trips)
    assert it.get_openlineage_facets_on_complete(None) is None


def test_lineage_is_remembered_for_openlineage(look, trips, mlflow, make_context):
    it = Counting(task_id="look", data=trips, beside=trips)
    it.execute(make_context(task_id="look"))
    assert list(it._lineage.inputs) == [Place("file", trips)] * 2
    assert list(it._lineage.claims) == [Claim("rows", holds=True)]


BROKEN = {
    "empty.parquet": b"",
    "cut.parquet": None,
    "page.parquet": b"<html>not found</html>",
    "ragged.csv": b"a,b\n1,2\n1,2,3\n",
    "twice.csv": b"a,a\n1,2\n",
    "latin.csv": "a\ngrün\n".encode("latin-1"),
    "list.json": b"[1]",
}


@pytest.mark.parametrize("name", [*BROKEN, "gone.parquet"])
def test_a_table_that_cannot_be_read_is_one_sentence_and_not_tried_again(look, trips, tmp_path, name, mlflow):
    content = BROKEN.get(name, b"")
    if name != "gone.parquet":
        whole = Path(trips).read_bytes()
        (tmp_path / name).write_bytes(whole[:-20] if content is None else content)
    with pytest.raises(AirflowFailException) as failed:
        look(str(tmp_path / name), dataset="trips", when_failed="continue")
    said = str(failed.value)
    assert len(said) < 400
    assert "\n" not in said
    verdict = DataVerdict.from_json(look.contexts[0]["ti"].pushed["return_value"])
    assert (verdict.outcome, verdict.passed, verdict.reason, verdict.record) == (ERROR, False, said, None)
    (run,) = (one for one in mlflow.runs.values() if one["info"]["status"] == "FAILED")
    assert verdict.run_id == run["info"]["run_id"]


def test_settings_are_read_before_any_table_is(look, trips):
    with pytest.raises(AirflowFailException, match="least is negative"):
        look("/gone.parquet", least=-1)


def test_a_server_that_does_not_answer_is_asked_again_later(look, monkeypatch):
    def gone(*_):
        raise ServiceUnreachableError("The server of trips does not answer", "Try again later.")

    monkeypatch.setattr(table_sources, "fetch_http", gone)
    with pytest.raises(ServiceUnreachableError, match="does not answer"):
        look("https://files.example.com/trips.parquet")
    assert "return_value" not in look.contexts[0]["ti"].pushed


def test_no_login_reaches_mlflow(look, trips, monkeypatch, mlflow):
    monkeypatch.setattr(table_sources, "fetch_http", lambda *_: Path(trips))
    look("https://ana:hidden@files.example.com/trips.parquet?token=hidden")
    assert "hidden" not in json.dumps(mlflow.runs, default=str)
    assert b"hidden" not in b"".join(mlflow.artifacts.values())


def test_what_a_task_wrote_is_a_table(look, trips):
    assert look(DataRef(uri=Path(trips).as_uri(), content_hash="x").to_json()).rows == 3
