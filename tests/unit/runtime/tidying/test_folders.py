"""Data and logs of runs: what is old goes, what may yet be needed stays."""

from __future__ import annotations

import os

import pytest

from airfoil.clients.run_folders import folder_name
from airfoil.runtime.tidying.folders import clean_logs, clean_work
from airfoil.runtime.tidying.history import RunId

pytestmark = pytest.mark.unit

OLD, BEFORE, NEW = 1_000.0, 2_000.0, 3_000.0
LONG = RunId("shop", "manual__2026-01-01T00:00:00+00:00")


def write(path, changed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("12345")
    os.utime(path, (changed, changed))
    for folder in path.parents[:3]:
        os.utime(folder, (OLD, OLD))
    return path


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


def test_data_of_an_old_run_goes_with_the_folder_of_its_dag(work):
    write(work / "shop/run1/train/rows.parquet", OLD)
    assert clean_work(work, BEFORE, [], dry_run=True) == {"run folders": 1, "bytes": 5}
    assert (work / "shop/run1/train/rows.parquet").exists(), "a dry run removes nothing"
    assert clean_work(work, BEFORE, [], dry_run=False) == {"run folders": 1, "bytes": 5}
    assert not (work / "shop").exists()


def test_one_new_file_keeps_a_run(work):
    write(work / "shop/run1/train/rows.parquet", OLD)
    write(work / "shop/run1/score/rows.parquet", NEW)
    assert clean_work(work, BEFORE, [], dry_run=False)["run folders"] == 0
    assert (work / "shop/run1/train/rows.parquet").exists()


def test_a_run_that_is_not_over_keeps_its_data_however_old(work):
    folder = work / "shop" / folder_name(LONG.run_id)
    write(folder / "train/rows.parquet", OLD)
    assert clean_work(work, BEFORE, [LONG], dry_run=False)["run folders"] == 0
    assert clean_work(work, BEFORE, [], dry_run=False)["run folders"] == 1
    assert not folder.exists()


def test_versioned_results_and_what_is_shared_are_left_alone(work):
    kept = [write(work / name, OLD) for name in ("data/raw/iris/v1.csv", ".alerts/a/b/c.json")]
    assert clean_work(work, BEFORE, [], dry_run=False)["run folders"] == 0
    assert all(path.exists() for path in kept)


def test_a_tidying_that_was_killed_is_finished(work):
    write(work / "shop/.going-run1/train/rows.parquet", NEW)
    assert clean_work(work, BEFORE, [LONG], dry_run=False)["run folders"] == 1
    assert not (work / "shop").exists()


def test_a_link_is_not_followed(work, tmp_path):
    outside = write(tmp_path / "elsewhere/run/x.parquet", OLD)
    work.mkdir()
    (work / "shop").symlink_to(tmp_path / "elsewhere")
    clean_work(work, BEFORE, [], dry_run=False)
    assert outside.exists()


def test_a_work_area_that_is_not_there_is_clean(work):
    assert clean_work(work, BEFORE, [], dry_run=False) == {"run folders": 0, "bytes": 0}


def test_old_logs_go_and_young_ones_stay(tmp_path):
    old = write(tmp_path / "dag_id=shop/run_id=1/task_id=train/attempt=1.log", OLD)
    young = write(tmp_path / "dag_id=shop/run_id=2/task_id=train/attempt=1.log", NEW)
    long = write(tmp_path / f"dag_id=shop/run_id={LONG.run_id}/task_id=train/attempt=1.log", OLD)
    assert clean_logs(tmp_path, BEFORE, [LONG], dry_run=True) == {"log files": 1, "bytes": 5}
    assert old.exists()
    assert clean_logs(tmp_path, BEFORE, [LONG], dry_run=False) == {"log files": 1, "bytes": 5}
    assert not old.exists()
    assert young.exists()
    assert long.exists()
