"""A folder mlruns as MLflow 2 wrote it, by hand: what an import is tried on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

PARENT, CHILD, STALE, DELETED = (letter * 32 for letter in "abcd")
LOGGED = "m-" + "e" * 32


@dataclass
class MlrunsFolder:
    """The folder, and how things are put into it."""

    root: Path

    def meta(self, place: str, **values: object) -> Path:
        folder = self.root / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        return folder

    def text(self, place: str, text: str) -> None:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, run_id: str, **values: object) -> None:
        known = {"run_id": run_id, "experiment_id": "7", "status": 3, "start_time": 1000, "end_time": 2000}
        self.meta(f"7/{run_id}", **known | {"lifecycle_stage": "active", "run_name": run_id[:3]} | values)

    def version(self, name: str, number: int, source: str, stage: str = "None") -> None:
        values = {
            "version": number,
            "source": source,
            "current_stage": stage,
            "description": f"number {number}",
        }
        self.meta(f"models/{name}/version-{number}", **values)


def write_mlruns(root: Path) -> MlrunsFolder:
    """Two runs, one below the other, a deleted one, one that never ended, and a model with a gap."""
    made = MlrunsFolder(root)
    made.meta("7", experiment_id="7", name="wines", lifecycle_stage="active")
    made.run(PARENT)
    made.run(CHILD, status=4)
    made.run(STALE, status=1, end_time=None)
    made.run(DELETED, lifecycle_stage="deleted")
    made.text(f"7/{CHILD}/tags/mlflow.parentRunId", PARENT)
    made.text(f"7/{CHILD}/params/model/depth", "3\n")
    made.text(f"7/{CHILD}/metrics/loss", "1000 0.5 0\n2000 nan 1\n")
    made.text(f"7/{PARENT}/artifacts/model/MLmodel", "flavors: {}\n")
    made.text(f"7/{CHILD}/artifacts/chart.txt", "a chart\n")
    made.meta(f"7/models/{LOGGED}", name="forest", source_run_id=CHILD)
    made.text(f"7/models/{LOGGED}/artifacts/MLmodel", "flavors: {forest: {}}\n")
    made.meta("models/wine", name="wine", description="A wine")
    made.text("models/wine/tags/owner", "anne")
    made.text("models/wine/aliases/best", "1")
    made.version("wine", 1, f"/home/anne/mlruns/7/{PARENT}/artifacts/model", "Archived")
    made.version("wine", 3, f"models:/{LOGGED}", "Production")
    made.version("wine", 4, f"runs:/{CHILD}/forest", "Staging")
    made.version("wine", 5, "/gone/for/ever", "Production")
    return made
