"""Lets Airflow's API write its log of people's actions without standing still.

Airflow 3.3 commits that row inside its event loop. On SQLite the commit waits for whoever writes just then; that one is
a request whose own commit is scheduled by the same loop, so both wait until SQLite gives up after five seconds, and the
person's request fails with HTTP 500. Here the commit happens in a thread. Leans on one function of Airflow, which is
looked at first; where it is another one, everything stays as it was.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

log = logging.getLogger(__name__)

PARAMETERS = ["request", "session", "user"]
LogAction = Callable[..., Awaitable[None]]


def commit_in_a_thread() -> bool:
    """Put it in, before the API's routes are imported; False when this Airflow logs actions in another way."""
    try:
        from airflow.api_fastapi.logging import decorators

        if not _is_known(decorators.action_logging()):
            return False
    except Exception:
        log.warning("Airflow's log of actions is left as it is", exc_info=True)
        return False
    decorators.action_logging = patient(decorators.action_logging)
    return True


def patient(action_logging: Callable[..., LogAction]) -> Callable[..., LogAction]:
    """Return Airflow's function whose dependencies commit in a thread."""

    @functools.wraps(action_logging)
    def with_thread(event: str | None = None) -> LogAction:
        log_action = action_logging(event)

        @functools.wraps(log_action)  # FastAPI reads the parameters from what was wrapped
        async def log_and_commit(request: Any, session: Any, user: Any) -> None:
            from starlette.concurrency import run_in_threadpool

            draft = Draft()
            await log_action(request, draft, user)
            if draft.rows:
                await run_in_threadpool(_store, session, draft.rows)

        return log_and_commit

    return with_thread


class Draft:
    """Stands in for the session: keeps the rows, and commits nothing."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def add(self, row: Any) -> None:
        """Keep a row."""
        self.rows.append(row)

    def commit(self) -> None:
        """Do nothing; the rows are stored afterwards."""


def _store(session: Any, rows: list[Any]) -> None:
    session.add_all(rows)
    session.commit()


def _is_known(log_action: Callable[..., Any]) -> bool:
    """Tell whether it is the function that we know: it takes a session, adds a row and commits, and nothing else."""
    uses = {word for word in inspect.getsource(log_action).split() if word.startswith("session.")}
    return (
        inspect.iscoroutinefunction(log_action)
        and list(inspect.signature(log_action).parameters) == PARAMETERS
        and uses == {"session.add(log)", "session.commit()"}
    )
