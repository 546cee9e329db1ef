"""The process at the terminal: imports the DAG, runs its tasks one after the other, prints what happens.

The database is blocked before any code of the person's is imported, by the function that Airflow calls in every real
task process. Tasks run on the main thread with the terminal's own input and output, so `breakpoint()` works. A task has
one try and no time limit here: whoever stands in a debugger must not be cut off.
"""

from __future__ import annotations

import bdb
import secrets
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.runtime.here import trace
from airfoil.runtime.here.channel import HelperTransport, Refusal
from airfoil.runtime.here.dag_file import FoundDag, find_dag

if TYPE_CHECKING:
    from collections.abc import Callable

    from airfoil.runtime.here.channel import Questions

SUCCESS, FAILURE, INTERRUPTED = 0, 1, 130
WAIT_SECONDS = 0.5
LABEL_WIDTH = 28
MARKS = {"success": "✓", "skipped": "-", "failed": "✗", "upstream_failed": "✗"}


@dataclass(frozen=True)
class Order:
    """What the person asked for."""

    dag_id: str
    folder: Path
    """The DAG folder."""
    conf: dict[str, Any]
    date: str = ""
    """The logical date as ISO text; without an offset in the DAG's own zone."""
    task_id: str = ""
    map_index: int | None = None
    pdb: bool = False


class Session:
    """One `--here` from the first import to the outcome."""

    def __init__(self, order: Order, questions: Questions, say: Callable[[str], None]) -> None:
        self._order = order
        self._questions = questions
        self._say = say
        self._began = time.monotonic()
        self._clients: Any = None

    def run(self) -> int:
        """Do it; the exit code."""
        from airflow.sdk.execution_time.supervisor import block_orm_access

        block_orm_access()
        self._clients = Clients(self._questions)
        with self._clients.answering():
            found = find_dag(self._order.folder, self._order.dag_id)
        self._create(found)
        self._began = time.monotonic()  # what went before was not the person's own code
        while True:
            news = self._questions.ask("next")
            if "ended" in news:
                return self._end(news)
            if "waiting" in news:
                time.sleep(WAIT_SECONDS)
                continue
            stop = self._run_task(found.dag, news["run"])
            if stop is not None:
                return stop

    def _create(self, found: FoundDag) -> None:
        from airflow.serialization.serialized_objects import DagSerialization

        order = self._order
        for task in found.dag.task_dict.values():
            forget_time_limit(task)
        values = {
            "data": DagSerialization.to_dict(found.dag),
            "file": found.file,
            "run_id": new_run_id(),
            "logical_date": moment(order.date, found.dag.timezone),
            "conf": order.conf,
        }
        if order.task_id:
            self._create_for_task(found, values)
            return
        self._questions.ask(
            "create", **{**values, "logical_date": values["logical_date"] or datetime.now(UTC)}
        )

    def _create_for_task(self, found: FoundDag, values: dict[str, Any]) -> None:
        task_id = self._order.task_id
        if task_id not in found.dag.task_dict:
            import difflib

            near = difflib.get_close_matches(task_id, found.dag.task_ids, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Its tasks: {', '.join(found.dag.task_ids)}."
            raise Refusal(f"{self._order.dag_id} has no task {task_id}. {hint}")
        made = self._questions.ask(
            "create_for_task", **values, task_id=task_id, map_index=self._order.map_index
        )
        if made["earlier"]:
            self._say(f"  Parameters, date and results of earlier tasks: those of {made['earlier']}.")
        elif made["upstream"]:
            names = ", ".join(made["upstream"])
            self._say(f"  No run has results of {names} yet: the task is given none.")

    def _run_task(self, dag: Any, values: dict[str, Any]) -> int | None:
        """Run one task through all its parts; an exit code when the whole run is to stop."""
        label = values["task_id"] + ("" if values["map_index"] < 0 else f"[{values['map_index']}]")
        began = time.monotonic()
        self._say(f"--- {label}")
        task, error = dag.task_dict[values["task_id"]], None
        result = self._clients.run_task(task, values)
        state, error = word(result.state), result.error
        while state == "deferred":
            self._say("  deferred: its trigger runs here")
            event = self._clients.run_trigger(result.msg, values)
            # A trigger may end its task by itself.
            state = word(getattr(event, "task_instance_state", ""))
            if not state:
                values = self._resume(values, result.msg, event)
                result = self._clients.run_task(task, values)
                state, error = word(result.state), result.error
        self._questions.ask("done", id=values["id"], state=state)
        if state == "up_for_reschedule":
            return None
        seconds = time.monotonic() - began
        self._say(f"{MARKS.get(state, ' ')} {label:<{LABEL_WIDTH}} {state}  {seconds:.1f} s")
        return self._explain(error)

    def _explain(self, error: BaseException | None) -> int | None:
        if error is None:
            return None
        if isinstance(error, bdb.BdbQuit):
            self._say("You left the debugger; the rest was not run.")
            return FAILURE
        if isinstance(error, KeyboardInterrupt):
            self._say("Interrupted; the rest was not run.")
            return INTERRUPTED
        self._say(trace.user_traceback(error))
        if self._order.pdb:
            import pdb  # noqa: T100 - the person asked for it

            pdb.post_mortem(trace.user_frames(error))
        return None

    def _resume(self, values: dict[str, Any], deferral: Any, event: Any) -> dict[str, Any]:
        """Let a deferred task go on with what its trigger found."""
        from airflow.sdk.serde import serialize

        following = {"event": serialize(event.payload)} if event else deferral.next_kwargs
        resumed: dict[str, Any] = self._questions.ask(
            "resume", id=values["id"], method=deferral.next_method, kwargs=following
        )
        return dict(resumed["run"])

    def _end(self, news: dict[str, Any]) -> int:
        state, dag_id = news["ended"], self._order.dag_id
        for task_id, map_index, its in news["tasks"]:
            if its in {"upstream_failed", "skipped"} and not self._order.task_id:
                label = task_id if map_index < 0 else f"{task_id}[{map_index}]"
                self._say(f"{MARKS[its]} {label:<{LABEL_WIDTH}} {its}")
        seconds = time.monotonic() - self._began
        self._say(f"{MARKS[state]} {dag_id}: {state} after {seconds:.1f} s, here")
        if state == "failed" and not self._order.pdb:
            only = f" --task {self._order.task_id}" if self._order.task_id else ""
            self._say(f"  Stand where it failed: airfoil run {dag_id} --here{only} --pdb")
        return SUCCESS if state == "success" else FAILURE


class Clients:
    """Airflow's in-process supervisor, talking to the helper instead of a database."""

    def __init__(self, questions: Questions) -> None:
        from airflow.sdk.api.client import Client

        self._client = Client(
            base_url=None, token="", dry_run=True, transport=HelperTransport(questions), timeout=None
        )
        self._client.base_url = "http://in-process.invalid./"

    def answering(self) -> Any:
        """Answer what a DAG file asks while it is imported (a Variable, a Connection), as in a task process."""
        from airflow.sdk.execution_time.supervisor import set_supervisor_comms

        return set_supervisor_comms(self._supervisor("00000000-0000-0000-0000-000000000000").comms)

    def run_task(self, task: Any, values: dict[str, Any]) -> Any:
        """Run one task instance in this process."""
        from airflow.sdk.api.datamodels._generated import TaskInstance
        from airflow.sdk.execution_time.supervisor import run_task_in_process

        return run_task_in_process(ti=TaskInstance(**values), task=task, client=self._client)

    def run_trigger(self, deferral: Any, values: dict[str, Any]) -> Any:
        """Run the trigger that a task waits for in this process, until it fires; give its event."""
        import asyncio

        from airflow.sdk._shared.module_loading import import_string
        from airflow.sdk.execution_time.supervisor import set_supervisor_comms
        from airflow.sdk.serde import deserialize

        kwargs: Any = deserialize(deferral.trigger_kwargs) if deferral.trigger_kwargs else {}
        trigger = import_string(deferral.classpath)(**kwargs)

        async def first_event() -> Any:
            return await anext(trigger.run(), None)

        with set_supervisor_comms(self._supervisor(values["id"]).comms):
            return asyncio.run(first_event())

    def _supervisor(self, number: str) -> Any:
        import os
        from uuid import UUID

        import psutil
        import structlog
        from airflow.sdk.execution_time.supervisor import InProcessSupervisorComms, InProcessTestSupervisor

        itself: Any = psutil.Process()
        supervisor = InProcessTestSupervisor(
            id=UUID(number),
            pid=os.getpid(),
            process=itself,
            process_log=structlog.get_logger(logger_name="task"),
            client=self._client,
        )
        supervisor.comms = InProcessSupervisorComms(supervisor=supervisor)
        return supervisor


def word(state: Any) -> str:
    """Give a state as text, whichever of Airflow's ways of keeping it this is."""
    return str(getattr(state, "value", state) or "")


def forget_time_limit(task: Any) -> None:
    """Take away a task's execution_timeout."""
    partial = getattr(task, "partial_kwargs", None)
    if partial is None:
        task.execution_timeout = None
    else:
        partial.pop("execution_timeout", None)


def moment(text: str, zone: Any) -> datetime | None:
    """Read the date; without an offset it is meant in the DAG's zone."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def new_run_id() -> str:
    """Name a run so that everybody who meets it (in MLflow, say) sees where it came from."""
    return f"here__{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}_{secrets.token_hex(4)}"


def say(text: str) -> None:
    """Print a line of ours, in order with what tasks print."""
    sys.stderr.flush()
    print(text, flush=True)
