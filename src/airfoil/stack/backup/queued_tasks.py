"""Tasks that were under way when a backup was taken: a scheduler that finds them restored has to begin them anew.

Their message to a worker is of another time. Redis remembers for a day how it ended, and a scheduler that asks about a
task which is queued in its database would fail it, unrun, as killed from outside. Must not change anything else.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from airfoil.stack.backup import sqlite_copies

if TYPE_CHECKING:
    from pathlib import Path

TABLE, MESSAGE = "task_instance", "external_executor_id"
UNDER_WAY = ("queued", "restarting", "running")
"""What a scheduler adopts of another that is gone: by its message, or, where there is none, by beginning it anew."""


def forget_messages(copy: Path) -> int:
    """Take the messages of such tasks out of a copy of Airflow's database; how many those were."""
    marks = ", ".join("?" for _ in UNDER_WAY)
    with closing(sqlite3.connect(copy)) as database, database:
        if not {"state", MESSAGE} <= set(sqlite_copies.columns(database, TABLE)):
            return 0  # an Airflow that keeps none
        statement = f"update {TABLE} set {MESSAGE} = null where state in ({marks}) and {MESSAGE} is not null"  # noqa: S608 - ours
        return database.execute(statement, UNDER_WAY).rowcount
