"""Run the DAGs of a file with `dag.test()`, in a process and an Airflow of their own; what became of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

SCENE = """
import json, sys
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
DagBundlesManager().sync_bundles_to_db()
bag = DagBag(dag_folder=sys.argv[1], bundle_name="dags-folder")
assert not bag.import_errors, bag.import_errors
for dag in bag.dags.values():
    dag.deadline = None  # of Airflow 3.3.2 `dag.test()` of a DAG with one breaks when the run has succeeded
sync_bag_to_db(bag, "dags-folder", None)
found = {}
for dag_id, dag in sorted(bag.dags.items()):
    run = dag.test(run_conf=json.loads(sys.argv[2]))
    rows = [[t.task_id, t.map_index, str(t.state), t.try_number] for t in run.get_task_instances()]
    found[dag_id] = {"state": str(run.state), "run_id": run.run_id, "tasks": rows}
print("SCENE" + json.dumps(found))
"""


@dataclass(frozen=True)
class Scene:
    """The DAG runs by DAG, and everything that was written meanwhile."""

    runs: dict[str, dict[str, Any]]
    log: str

    def tasks(self, dag_id: str) -> dict[str, tuple[str, int]]:
        """State and tries by task."""
        return {
            name if index < 0 else f"{name}[{index}]": (state, tries)
            for name, index, state, tries in self.runs[dag_id]["tasks"]
        }


def play(home: AirflowHome, file: Path, *, conf: dict[str, Any] | None = None, **environment: str) -> Scene:
    """Run each DAG of a file once; `conf` are parameters of the runs."""
    dags = {"AIRFLOW__CORE__DAGS_FOLDER": str(file.parent)}
    done = subprocess.run(
        [sys.executable, "-c", SCENE, str(file), json.dumps(conf)],
        env=home.environment | dags | environment,
        cwd=home.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-4000:]
    return Scene(json.loads(done.stdout.rpartition("SCENE")[2].splitlines()[0]), log)
