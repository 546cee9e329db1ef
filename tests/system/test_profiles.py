"""Profiles, pools and Airflow's own options on a running platform."""

from __future__ import annotations

import json
import venv
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from tests.sizes import full_only
from tests.system.platforms import fetch

if TYPE_CHECKING:
    from tests.system.platforms import Platform

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

SETTINGS = """
[airflow.core]
max_active_runs_per_dag = 3
test_connection = "Enabled"

[airflow.secrets]
backend = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
backend_kwargs = '{{"variables_file_path": "{root}/variables.json"}}'

[profiles.training]
executor = "LocalExecutor"
gpu = 1
timeout_seconds = 300

[profiles.cluster]
executor = "k8s"
memory = "64Gi"
pool = "api"

[profiles.apart]
environment = "heavy"
"""
DAG = """
import json, time
from airflow.sdk import Variable, dag, task
from airfoil import profile

SECONDS = 1.5

def note(name):
    began = time.time()
    assert Variable.get("from_the_backend") == "ä"
    time.sleep(SECONDS)
    with open({result!r}, "a") as file:
        file.write(json.dumps([name, began, time.time()]) + "\\n")

@dag(dag_id="turns", schedule=None)
def turns():
    @task(**profile("training"))
    def fit(number):
        note("fit")

    @task(**profile("cluster"))
    def free(number):
        note("free")

    @task.external_python(**profile("apart"))
    def apart(file):
        import sys
        with open(file, "w") as out:
            out.write(sys.prefix)

    apart({result!r} + ".apart")
    fit.expand(number=[1, 2])
    free.expand(number=[1, 2])

turns()
"""


def ran(platform: Platform) -> dict[str, list[tuple[float, float]]]:
    """Run the DAG; when each task of each name ran."""
    result = platform.root / "turns.jsonl"
    result.unlink(missing_ok=True)
    done = platform.run("run", "turns")
    assert done.code == 0, done.said
    rows = [json.loads(line) for line in result.read_text().splitlines()]
    return {name: [(one[1], one[2]) for one in rows if one[0] == name] for name in ("fit", "free")}


def overlaps(spans: list[tuple[float, float]]) -> int:
    return sum(max(one[0], other[0]) < min(one[1], other[1]) for one, other in combinations(spans, 2))


def set_pool(platform: Platform, name: str, slots: int) -> None:
    """Change a pool as the web interface does."""
    url = platform.url("api-server")
    login = {"username": "admin", "password": platform.secrets().admin_password}
    token = fetch(f"{url}/auth/token", method="POST", body=login).json()["access_token"]
    answer = fetch(
        f"{url}/api/v2/pools/{name}",
        method="PATCH",
        body={"pool": name, "slots": slots, "include_deferred": False},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status == 200, answer.body


def pools(platform: Platform) -> dict[str, str]:
    said = platform.run("airflow", "pools", "list", "--output", "json")
    assert said.code == 0, said.said
    return {row["pool"]: row["slots"] for row in json.loads(said.out[said.out.index("[") :])}


@full_only
def test_tasks_that_ask_for_a_gpu_take_turns_until_there_are_two(new_platform):
    platform = new_platform
    plain = platform.project.toml.read_text()
    settings = plain + SETTINGS.format(root=platform.root)
    (platform.root / "variables.json").write_text('{"from_the_backend": "ä"}')
    platform.project.toml.write_text(settings)
    (platform.project.dags / "turns.py").write_text(DAG.format(result=str(platform.root / "turns.jsonl")))
    environment = platform.project.state / "environments" / "heavy"
    venv.create(environment, with_pip=False, symlinks=True)
    platform.up()
    first = ran(platform)
    assert (len(first["fit"]), overlaps(first["fit"])) == (2, 0), "two tasks with a gpu, one after the other"
    assert overlaps(first["free"]) == 1, "others run side by side, or nothing is proven"
    assert (platform.root / "turns.jsonl.apart").read_text() == str(environment)
    assert pools(platform) == {"default_pool": "128", "gpu": "1", "api": "4"}
    for option, value in (("max_active_runs_per_dag", "3"), ("test_connection", "Enabled")):
        said = platform.run("airflow", "config", "get-value", "core", option)
        assert said.out.split() == [value], said.said

    # A pool that is changed in the web interface stays as it is, also when another one changes in the file.
    set_pool(platform, "gpu", 2)
    platform.project.toml.write_text(settings + "[pools]\napi = 3\n")
    platform.up()
    assert pools(platform) == {"default_pool": "128", "gpu": "2", "api": "3"}
    second = ran(platform)
    assert overlaps(second["fit"]) == 1, "with two slots they run side by side"
    print(f"up {', '.join(f'{seconds:.1f}' for seconds in platform.seconds_up)} s")
