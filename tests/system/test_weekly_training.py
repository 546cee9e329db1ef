"""The shipped weekly training on the embedded stack: a model that deserves it gets `staging` once, another none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest
from tests.sizes import full_only
from tests.system.platforms import AIRFOIL, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
DAG, MODEL = "ml_model_training_pipeline", "lost_customers"
DEADLINE_SECONDS = 2 * 3600


@pytest.fixture(scope="module")
def platform(make_platform):
    found = make_platform(template="all")
    found.up()
    return found


def versions(platform) -> dict[int, list[str]]:
    """The versions of the model, each with its aliases."""
    said = platform.run("models", "show", MODEL, "--json")
    if said.code:
        return {}
    return {one["version"]: one["aliases"] for one in json.loads(said.out)["versions"]}


@full_only
def test_a_model_below_the_gate_is_registered_nowhere_and_the_reason_is_shown(platform):
    done = platform.run("run", DAG, "--param", "accuracy=0.999")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    assert versions(platform) == {}
    shown = platform.run("models", "show", MODEL).said
    assert "at least 0.999 is needed" in shown


def test_above_it_there_is_one_version_at_staging_though_its_training_is_killed(platform):
    running = subprocess.Popen(
        [str(AIRFOIL), "run", DAG, "--json"],
        cwd=platform.root,
        env=platform.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with platform.airflow() as airflow:

        def training() -> int | None:
            """The process that trains, once it does."""
            for run in airflow.parsed(airflow.call("GET", f"/dags/{DAG}/dagRuns"))["dag_runs"]:
                if run["state"] == "running":
                    place = f"/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances/train"
                    with suppress(Exception):
                        found = airflow.parsed(airflow.call("GET", place))
                        return found["pid"] if found["state"] == "running" and found["pid"] else None
            return None

        pids: list[int] = []
        wait_until(
            lambda: pids.append(training() or 0) or pids[-1], 400, "the training runs", step_seconds=0.05
        )
        os.kill(pids[-1], signal.SIGKILL)
    assert running.wait(600) == 0, platform.last_words()
    assert list(versions(platform).values()) == [["staging"]]
