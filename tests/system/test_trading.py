"""The trading DAG on the whole stack: 500 sets of parameters, 20 years, 50 symbols, and a minute for all of it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from tests.sizes import full_only
from tests.system.platforms import wait_until
from tests.system.tracked_work import children

from airfoil.errors import AirfoilError

pytestmark = [pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(900)]

FILE = Path(__file__).parents[2] / "dags" / "trading_strategy_train.py"
DAG_ID = FILE.stem
MOST_SECONDS = 60.0
RUN_ID, SETS = "timed", 500


@full_only
def test_the_whole_sweep_takes_less_than_a_minute(platform):
    shutil.copyfile(FILE, platform.project.dags / FILE.name)
    with platform.airflow() as airflow:
        wait_until(lambda: triggered(airflow), 120, "the DAG is known")
        ended = {"success", "failed"}
        wait_until(
            lambda: airflow.run(DAG_ID, RUN_ID)["state"] in ended, 400, "the run's end", step_seconds=0.5
        )
        run = airflow.run(DAG_ID, RUN_ID)
    began, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    seconds = (end - began).total_seconds()
    print(f"the sweep took {seconds:.1f} s, Airflow included")
    assert run["state"] == "success"
    assert seconds < MOST_SECONDS
    assert len(children(platform, RUN_ID, "select")) == 1
    parts = children(platform, RUN_ID, "sweep")
    counts = [int(run["params"]["last_set"]) - int(run["params"]["first_set"]) + 1 for run in parts]
    assert sum(counts) == SETS
    assert {run["status"] for run in parts} == {"FINISHED"}


def triggered(airflow):
    with suppress(AirfoilError):
        airflow.trigger(DAG_ID, {}, None, RUN_ID)
        return True
    return False
