"""The work area: where it lies, one folder for each DAG run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from airfoil.errors import ConfigurationError
from airfoil.provider.work_area import data_folder, run_folder, shared_folder, work_area_of

pytestmark = pytest.mark.unit


def context(**fields):
    values = {"dag_id": "shop", "run_id": "manual__1", "task_id": "train", "map_index": -1} | fields
    return {"ti": SimpleNamespace(**values)}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "w"))
    return tmp_path / "w"


def test_each_run_has_a_folder_and_each_task_one_inside(root):
    assert work_area_of(context()).root == root / "shop" / "manual__1" / "train"
    assert work_area_of(context(map_index=3)).root == root / "shop" / "manual__1" / "train" / "3"
    assert work_area_of(context(map_index=None)).root == work_area_of(context()).root
    assert run_folder("shop", "manual__1") == root / "shop" / "manual__1"
    assert not root.exists(), "nothing is made before something is written"


def test_what_one_task_writes_another_reads(root):
    ref = work_area_of(context()).write("train", pa.table({"x": [1, 2]}))
    other = work_area_of(context(task_id="score"))
    assert other.read(ref).to_pydict() == {"x": [1, 2]}
    assert other.open(ref).count_rows() == 2
    assert (other.path("note.txt").parent).is_dir()
    assert "score" in repr(other)


def test_without_a_setting_it_lies_in_airflows_home(monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", "")
    monkeypatch.setenv("AIRFLOW_HOME", "/srv/airflow")
    assert run_folder("a", "b") == Path("/srv/airflow/work/a/b")


def test_an_object_store_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", "s3://lake/work")
    with pytest.raises(ConfigurationError, match="s3://lake/work"):
        work_area_of(context())


def test_a_text_is_written_beside_the_tables(root):
    ref = work_area_of(context()).write_text("verdict.json", "{}")
    assert ref.uri == (root / "shop/manual__1/train/verdict.json").as_uri()


def test_what_outlives_a_run_lies_beside_the_runs(root):
    assert shared_folder("alerts") == root / ".alerts"
    assert data_folder("processed") == root / "data" / "processed"
