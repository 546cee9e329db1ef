"""Which MLflow run belongs to what in Airflow: a DAG run, or one task of it and one place in its mapped list.

A key is a value. It knows no server; who holds a key is decided by a claim (`runs.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from airfoil.clients.claims import digest

MAX_NAME_CHARACTERS = 250  # what the column of MLflow's database holds


@dataclass(frozen=True)
class RunKey:
    """A DAG run (`task_id` empty), or one task instance of it; tries are not told apart."""

    dag_id: str
    run_id: str
    task_id: str = ""
    map_index: int = -1

    @property
    def parent(self) -> RunKey:
        """The key of the DAG run."""
        return RunKey(self.dag_id, self.run_id)

    @property
    def digest(self) -> str:
        """A short text for the key, the same on every machine: 32 hexadecimal digits."""
        return digest("run", self.dag_id, self.run_id, self.task_id, self.map_index)

    @property
    def anchor(self) -> str:
        """The name of the anchor that holds the claims of a DAG run and of all its tasks."""
        return f"runs-{self.parent.digest[:2]}"

    @property
    def name(self) -> str:
        """What people see in MLflow's list of runs."""
        name = self.task_id or self.run_id
        return (
            f"{name}[{self.map_index}]"[-MAX_NAME_CHARACTERS:]
            if self.map_index >= 0
            else name[:MAX_NAME_CHARACTERS]
        )

    def cell(self, generation: int) -> str:
        """The write-once cell that says which run holds the key; superseded runs had earlier generations."""
        return f"{self.digest}.{generation}"

    def tags(self) -> dict[str, str]:
        """What Airflow calls this, as tags of the run."""
        tags = {"airflow.dag_id": self.dag_id, "airflow.run_id": self.run_id}
        if self.task_id:
            tags |= {"airflow.task_id": self.task_id, "airflow.map_index": str(self.map_index)}
        return tags
