"""A source is tidied up by age and by what is deployed; what MLflow does not tell is not removed."""

from __future__ import annotations

import json
import os
import time

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException
from tests.unit.provider.registry_tasks import registry

from airfoil.clients.kept_versions import OldVersions
from airfoil.errors import ServiceUnreachableError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.kept_sources import tidy_source
from airfoil.provider.work_area import data_folder

__all__ = ["registry"]
pytestmark = pytest.mark.unit
DAY = 86_400.0


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))


def version(number):
    return f"202611{number:02}T053000Z-{number:012x}"


def have(number, run_id=None):
    """Have a version that is some days old, and the copy of a model that a run made of it."""
    raw = data_folder("raw") / "iris" / f"{version(number)}.csv"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.touch()
    made = [raw]
    if run_id:
        made.append(data_folder("model") / "iris" / version(number) / run_id)
        made[-1].mkdir(parents=True)
        made.append(made[-1].parent)
    for path in made:
        os.utime(path, (time.time() - (20 - number) * DAY,) * 2)
    return raw


def left():
    return sorted(path.name for path in (data_folder("raw") / "iris").glob("*.csv"))


def names(*numbers):
    return [f"{version(number)}.csv" for number in numbers]


def test_the_newest_stay_and_mlflow_is_asked_only_about_models(monkeypatch):
    monkeypatch.setattr(MlflowHook, "http", lambda _: pytest.fail("nobody has to be asked"))
    newest = [have(number) for number in range(1, 6)][-1]
    assert tidy_source(newest, keep=10) == OldVersions()
    assert tidy_source(newest, keep=2).versions == (version(3), version(2), version(1))
    assert left() == names(4, 5)


def test_a_run_over_an_old_version_keeps_it():
    oldest, *_ = [have(number) for number in range(1, 6)]
    tidy_source(oldest, keep=1)
    assert left() == names(1, 5)


def test_what_an_alias_points_to_stays_with_what_it_learned_from(registry):
    registry.add_versions("iris", 3)
    runs = [registry.version("iris", number)["run_id"] for number in (1, 2, 3)]
    registry.point("iris", 1)
    newest = [have(number, run_id) for number, run_id in enumerate(runs, 1)][-1]
    tidy_source(newest, keep=1)
    assert left() == names(1, 3)
    registry.point("iris", 3)
    tidy_source(newest, keep=1)
    assert left() == names(3)
    assert [path.name for path in (data_folder("model") / "iris").iterdir()] == [version(3)]


@pytest.mark.parametrize(
    "error", [ServiceUnreachableError("MLflow does not answer"), AirflowNotFoundException("no connection")]
)
def test_without_mlflow_everything_stays(error, monkeypatch, caplog):
    def refuse(_):
        raise error

    monkeypatch.setattr(MlflowHook, "http", refuse)
    newest = [have(number, f"run{number}") for number in range(1, 4)][-1]
    assert tidy_source(newest, keep=1) == OldVersions()
    assert left() == names(1, 2, 3)
    assert "stay for now" in caplog.text


def test_what_is_younger_than_a_day_stays():
    newest = [have(number) for number in (17, 18, 19)][-1]
    os.utime(data_folder("raw") / "iris" / names(18)[0], (time.time() - 3600,) * 2)
    tidy_source(newest, keep=1)
    assert left() == names(18, 19)


def test_another_source_and_what_is_no_version_are_left_alone(tmp_path):
    other = data_folder("raw") / "wine" / f"{version(1)}.csv"
    other.parent.mkdir(parents=True)
    other.touch()
    os.utime(other, (0, 0))
    mine = tmp_path / "mine"
    mine.mkdir()
    for number in range(3):
        (mine / f"{number}.csv").write_text(json.dumps(number))
        os.utime(mine / f"{number}.csv", (0, 0))
    tidy_source(have(5), keep=1)
    tidy_source(mine / "2.csv", keep=1)
    assert other.exists()
    assert len(list(mine.iterdir())) == 3
