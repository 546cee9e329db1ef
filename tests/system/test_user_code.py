"""The user's own package: importable in tasks, and what is saved counts from the next task on, without a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.sizes import full_only

if TYPE_CHECKING:
    from tests.system.platforms import Platform

pytestmark = pytest.mark.system

DAG = """
import json, os
from datetime import datetime, UTC
from airflow.sdk import dag, task

@dag(dag_id="own_code", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def own_code():
    @task
    def use():
        from zz_shop.features import VALUE
        with open({result!r}, "a") as file:
            file.write(json.dumps([VALUE, os.getppid()]) + "\\n")
    use()

own_code()
"""
# Loaded by every component when it starts: the worst case of user code in a process that tasks descend from.
PLUGIN = """
from airflow.plugins_manager import AirflowPlugin
from zz_shop.features import VALUE

class OwnPlugin(AirflowPlugin):
    name = "own_plugin"
    first_seen = VALUE
"""


def write_features(platform: Platform, value: str) -> None:
    package = platform.root / "src" / "zz_shop"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    (package / "features.py").write_text(f"VALUE = {value!r}\n")


@full_only
@pytest.mark.parametrize("engine", ["preloaded", "plain"])
def test_an_edited_module_counts_in_the_next_task(make_platform, engine):
    # One worker: it is the same process that serves both runs.
    platform = make_platform({"airflow": {"parallelism": 1}, "stack": {"engine": engine}})
    result = platform.root / "seen.jsonl"
    write_features(platform, "first")
    (platform.project.dags / "own_code.py").write_text(DAG.format(result=str(result)))
    if engine == "preloaded":  # a stock LocalExecutor hands on what its plugins have imported
        (platform.root / "plugins" / "own_plugin.py").write_text(PLUGIN)
    platform.up()

    seconds = []
    for value in ("first", "the second", "the third one"):
        write_features(platform, value)
        done = platform.run("run", "own_code")
        assert done.code == 0, done.said
        seconds.append(done.seconds)

    rows = [json.loads(line) for line in result.read_text().splitlines()]
    assert [value for value, _ in rows] == ["first", "the second", "the third one"]
    assert len({worker for _, worker in rows}) == 1, "the worker was not the same: nothing is proven"
    print(f"{engine}: runs took {', '.join(f'{one:.1f}' for one in seconds)} s")
    if engine == "preloaded":
        said = platform.run("airflow", "plugins", "--output", "json")
        assert "own_plugin" in said.out, said.said
