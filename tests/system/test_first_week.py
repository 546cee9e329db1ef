"""The first week with one's own project, from the built wheel in an empty folder, with a stopwatch.

The steps build on each other, as days do. What a person waits for that is not their own code stays under five seconds,
but for starting the platform and for downloading a package, which have budgets of their own.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.system.first_week import Terminal, Week, build_wheel, install
from tests.system.platforms import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.system,
    pytest.mark.alone,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(shutil.which("uv") is None, reason="builds a wheel and a virtualenv with uv"),
]

WAIT_SECONDS = 5.0
DAG = """from datetime import UTC, datetime

from airflow.sdk import dag, task


@dag(description="Prices", schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=UTC), tags=["shop"])
def prices() -> None:
    @task
    def read() -> list[float]:
        return [10.0, 20.0, 40.0]

    @task
    def total(values: list[float]) -> float:
        from shop.pricing import total_of

        found = total_of(values)
        print(f"The total is {found}.")
        return found

    @task
    def publish(value: float) -> str:
        import inflection

        return inflection.titleize(f"total_{value:.0f}")

    publish(total(read()))


prices()
"""
FEATURES = "def total_of(values: list[float]) -> float:\n    return sum(values) * {factor}\n"
NOTEBOOK = """
import airfoil
here = airfoil.connect()
import mlflow
from shop.pricing import total_of
mlflow.set_experiment("notebook")
with mlflow.start_run() as run:
    mlflow.log_metric("total", total_of([1.0, 2.0]))
print("total", mlflow.get_run(run.info.run_id).data.metrics["total"])
"""


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """Build, install, and stop what runs in the end."""
    folder = tmp_path_factory.mktemp("first week")
    wheel = build_wheel(folder / "dist")
    found = Week(folder, install(wheel, folder / "venv", "ipykernel", "nbclient", "pytest"))
    yield found
    found.close()
    left = found.platform.leftovers() if found.root.exists() else []
    assert left == []


def test_the_first_week(week, capsys):
    day_one_a_project_of_ones_own(week)
    day_two_edits(week)
    day_three_debugging(week)
    day_four_the_past_and_a_notebook(week)
    day_five_upgrades_and_a_fresh_start(week)
    with capsys.disabled():
        for name, seconds in week.waits.items():
            print(f"\n{seconds:6.1f} s  {name} (others in line: {week.stalls[name]:.1f} s)", end="")
    slow = {
        name: seconds
        for name, seconds in week.waits.items()
        if seconds - week.stalls[name] > WAIT_SECONDS and not name.startswith(("start", "package"))
    }
    assert slow == {}


def day_one_a_project_of_ones_own(week):
    with week.step("init"):
        assert week.do("airfoil", "init", "shop", inside=week.folder).code == 0
    with week.step("start: first up, databases made"):
        week.well("airfoil", "up")
    with week.step("run the project's first DAG"):
        week.well("airfoil", "run", "first_dag")
    with week.step("the project's own tests"):
        tests = week.do("pytest", "-q")
    assert tests.code == 0, tests.said
    del week.waits["the project's own tests"]  # the user's own code, and Airflow's import
    with week.step("package: add inflection"):
        week.well("airfoil", "add", "inflection")
    assert "inflection" in (week.root / "pyproject.toml").read_text()


def day_two_edits(week):
    week.write("src/shop/pricing.py", FEATURES.format(factor=1))
    week.write("dags/prices.py", DAG)
    with week.step("run a new DAG that uses src/shop and the new package"):
        done = week.well("airfoil", "run", "prices")
    assert "prices" in done.out
    assert "The total is 70.0" in week.well("airfoil", "logs", "prices.total").out
    week.write("src/shop/pricing.py", FEATURES.format(factor=10))
    with week.step("run it again after an edit in src/shop"):
        week.well("airfoil", "run", "prices")
    assert "The total is 700.0" in week.well("airfoil", "logs", "prices.total").out

    week.write(
        "dags/prices.py",
        DAG.replace("from airflow.sdk import dag, task", "from airflow.sdk import dag, tusk"),
    )
    with week.step("a broken DAG is in status"):
        wait_until(lambda: "tusk" in week.do("airfoil", "status", "--json").out, 30, "the import error")
    week.write("dags/prices.py", DAG)
    with week.step("and gone when it is mended"):
        try:
            wait_until(lambda: "tusk" not in week.do("airfoil", "status", "--json").out, 30, "it is mended")
        except AssertionError as error:
            raise AssertionError(week.do("airfoil", "status", "--json").out) from error


def day_three_debugging(week):
    week.write("src/shop/pricing.py", "def total_of(values):\n    breakpoint()\n    return sum(values)\n")
    with week.step("a breakpoint is hit with --here"):
        terminal = Terminal(week, "airfoil", "run", "prices", "--here")
        terminal.expect(r"\(Pdb\)")
    terminal.type("p len(values) * 1000")
    terminal.expect("3000")
    terminal.type("c")
    assert terminal.wait() == 0, terminal.said

    week.write("src/shop/pricing.py", "def total_of(values):\n    return sum(values) / 0\n")
    with week.step("a run that fails says where"):
        failed = week.do("airfoil", "run", "prices")
    assert failed.code == 1
    assert "ZeroDivisionError" in failed.said
    assert "pricing.py" in failed.said
    assert "airfoil retry prices" in failed.said
    week.write("src/shop/pricing.py", FEATURES.format(factor=2))
    with week.step("retry from the failed task"):
        retried = week.well("airfoil", "retry", "prices")
    assert "total" in retried.out
    with week.platform.airflow() as airflow:
        (run,) = airflow.recent_runs(1, "prices")
        tries = {
            row["task_id"]: row["try_number"] for row in airflow.task_instances("prices", run["dag_run_id"])
        }
    assert tries == {"read": 1, "total": 2, "publish": 1}, "what was finished did not run again"


def day_four_the_past_and_a_notebook(week):
    with week.step("three days of the past"):
        week.well("airfoil", "run", "prices", "--from", "2026-02-01", "--to", "2026-02-03")
    with week.platform.airflow() as airflow:
        dates = {str(run["logical_date"])[:10] for run in airflow.recent_runs(20, "prices")}
    assert {"2026-02-01", "2026-02-02", "2026-02-03"} <= dates

    cell = {
        "cell_type": "code",
        "id": "a",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": NOTEBOOK,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    week.write(
        "notebooks/prices.ipynb",
        json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}),
    )
    code = (
        "import nbformat, nbclient, sys, time\n"
        "book = nbformat.read('notebooks/prices.ipynb', 4)\n"
        "nbclient.NotebookClient(book, resources={'metadata': {'path': 'notebooks'}}).execute()\n"
        "print(book.cells[0].outputs[-1]['text'])\n"
    )
    executed = week.do("python", "-c", code)
    assert executed.code == 0, executed.said
    assert "total 6.0" in executed.out


def day_five_upgrades_and_a_fresh_start(week):
    project = week.platform.project
    week.well("airfoil", "down")
    with closing(sqlite3.connect(project.airflow_database)) as database, database:
        runs_before = database.execute("select count(*) from dag_run").fetchone()[0]
    assert runs_before >= 5
    fake_version(week, "0.0.1")
    with week.step("start: up after an upgrade, with a copy first"):
        upgraded = week.well("airfoil", "up")
    snapshots = list((project.state / "snapshots").iterdir())
    assert snapshots, upgraded.said
    week.well("airfoil", "down")
    fake_version(week, "99.0.0")
    with week.step("an older version on newer state refuses"):
        refused = week.do("airfoil", "up")
    assert refused.code == 1
    assert "99.0.0" in refused.said
    fake_version(week, "0.1.0")

    models = sorted(path.name for path in project.artifacts.rglob("*"))
    with week.step("reset, keeping models"):
        week.well("airfoil", "reset", "--keep-models", "--yes")
    assert sorted(path.name for path in project.artifacts.rglob("*")) == models
    with week.step("start: up after a reset"):
        week.well("airfoil", "up")
    with week.platform.airflow() as airflow:
        kept = [
            run["dag_run_id"] for run in airflow.recent_runs(50, "prices") if run["run_type"] != "scheduled"
        ]
    assert kept == []
    began = time.monotonic()
    week.well("airfoil", "run", "prices")
    print(f"run after the reset: {time.monotonic() - began:.1f} s")


def fake_version(week, version):
    """Make the project look as if another Airfoil had run it last."""
    path = week.platform.project.versions
    found = json.loads(path.read_text()) | {"airfoil": version}
    path.write_text(json.dumps(found))
