"""The executors that `[core] executor` names, and which of them a task's `executor` means.

Airflow's own loader reads its database module on the way, which no DAG file should have to wait for; a test compares
the two. Must not import an executor.
"""

from __future__ import annotations

from dataclasses import dataclass

_CORE = {
    "LocalExecutor": "airflow.executors.local_executor.LocalExecutor",
    "CeleryExecutor": "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
    "KubernetesExecutor": (
        "airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor"
    ),
}


@dataclass(frozen=True)
class Executor:
    """One entry of `[core] executor`."""

    path: str
    alias: str = ""

    @property
    def class_name(self) -> str:
        """The last part of the path, by which a task may ask for it as well."""
        return self.path.rpartition(".")[2]

    @property
    def makes_pods(self) -> bool:
        """Whether each task gets a pod of its own."""
        return self.class_name.endswith("KubernetesExecutor")

    @property
    def is_local(self) -> bool:
        """Whether tasks run on the scheduler's machine, ours included (WakingLocalExecutor)."""
        return self.class_name.endswith("LocalExecutor")


def parse_executors(configured: str) -> tuple[Executor, ...]:
    """Return the executors that every DAG may use, the default first.

    Executors of teams (`;team=...`) are left out: which team a DAG belongs to is not known while it is parsed.
    """
    shared = [part.strip("=") for part in configured.split(";") if "=" not in part or part.startswith("=")]
    entries = [entry.strip() for part in shared for entry in part.split(",") if entry.strip()]
    return tuple(_executor(entry) for entry in entries)


def _executor(entry: str) -> Executor:
    alias, colon, name = entry.partition(":")
    if not colon:
        alias, name = (entry if entry in _CORE else ""), entry
    return Executor(_CORE.get(name, name), alias)


def find_executor(executors: tuple[Executor, ...], name: str) -> Executor | None:
    """Return the executor that a task's `executor=name` means, as Airflow looks: alias, then path, then class."""
    for kind in ("alias", "path", "class_name"):
        # Of two with the same name the later one wins, as in Airflow's own table.
        for executor in reversed(executors):
            if name and getattr(executor, kind) == name:
                return executor
    return None
