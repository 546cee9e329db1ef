"""Run the DAGs of a file with `dag.test()`, in a process and an Airflow of their own; what became of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

SCENE = """
import json, sys
from pathlib import Path
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
DagBundlesManager().sync_bundles_to_db()
for file, text, conf in json.load(sys.stdin):
    if text is not None:
        Path(file).write_text(text, encoding="utf-8")
    bag = DagBag(dag_folder=file, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    for dag in bag.dags.values():
        dag.deadline = None  # of Airflow 3.3.2 `dag.test()` of a DAG with one breaks when the run has succeeded
    sync_bag_to_db(bag, "dags-folder", None)
    found = {}
    for dag_id, dag in sorted(bag.dags.items()):
        run = dag.test(run_conf=conf)
        rows = [[t.task_id, t.map_index, str(t.state), t.try_number] for t in run.get_task_instances()]
        found[dag_id] = {"state": str(run.state), "run_id": run.run_id, "tasks": rows}
    print("SCENE" + json.dumps(found))
    if text is not None:
        Path(file).unlink()  # `dag.test()` reads the whole folder
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
    (scene,) = _play(home, file.parent, [(str(file), None, conf)], environment)
    return scene


def play_in_turn(
    home: AirflowHome,
    folder: Path,
    files: Sequence[tuple[str, str, dict[str, Any] | None]],
    **environment: str,
) -> list[Scene]:
    """Run the DAGs of files in one process, each alone in a folder: its name, its text, parameters of its runs.

    All scenes have the log of the whole.
    """
    return _play(home, folder, [(str(folder / name), text, conf) for name, text, conf in files], environment)


def _play(home: AirflowHome, folder: Path, files: Sequence[Any], environment: dict[str, str]) -> list[Scene]:
    done = subprocess.run(
        [sys.executable, "-c", SCENE],
        input=json.dumps(files),
        env=home.environment | {"AIRFLOW__CORE__DAGS_FOLDER": str(folder)} | environment,
        cwd=home.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-4000:]
    told = re.findall(r"SCENE(\{.*)$", done.stdout, re.MULTILINE)
    # A thread that logs may write before the end of the line.
    return [Scene(json.JSONDecoder().raw_decode(found)[0], log) for found in told]
