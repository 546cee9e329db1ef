"""Servers that are not ours, as the page tells of them: where, whether they answer, and what we cannot promise there.

Pure text and values; who reads it should know what they gave up before it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.stack.page.facts import AirflowFacts, Facts, MlflowFacts

TITLES = {"airflow": "Airflow", "mlflow": "MLflow"}
LOST = {
    "airflow": (
        (
            "Airfoil does not start, watch or restart it: what happens to a task whose process is killed is up to its "
            "executor and its settings."
        ),
        "The DAG folder of this project is not read there: deploy the files as that Airflow expects them.",
        (
            "Connections and variables of this project are not created there: `airfoil connections set` does it one by "
            "one."
        ),
        "Its database and its task logs are in nobody's backup here.",
    ),
    "mlflow": (
        "Airfoil does not start, watch or restart it: while it is away, tasks that log to it fail.",
        "That nothing is registered twice holds only if it keeps its runs in an SQL database.",
        "Its runs, models and artifacts are in nobody's backup here; who may change them is decided there.",
    ),
}


@dataclass(frozen=True)
class BorrowedServer:
    """One server that existed before us."""

    name: str
    title: str
    url: str
    state: str
    """`answers`, `silent`, or `unknown` before the first answer."""
    version: str | None
    error: str
    lost: tuple[str, ...]
    """What is not promised because it is not ours, each a sentence."""


def borrowed_servers(foreign: Mapping[str, str], facts: Facts) -> tuple[BorrowedServer, ...]:
    """List them, with what they last said."""
    answers: dict[str, AirflowFacts | MlflowFacts] = {"airflow": facts.airflow, "mlflow": facts.mlflow}
    found = []
    for name, url in foreign.items():
        answer = answers.get(name)
        if answer is None:
            continue  # of a newer release
        state = "silent" if answer.error else "unknown" if answer.answered_at is None else "answers"
        found.append(
            BorrowedServer(name, TITLES[name], url, state, answer.version or None, answer.error, LOST[name])
        )
    return tuple(found)
