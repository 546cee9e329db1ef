"""What is wrong, in plain words, each with the next move; and the one sentence that heads the page.

Pure: the stack's state and the facts in, values out. It reads no clock, no file and no network, and it decides nothing
for the stack: the manager restarts things, this only explains.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airfoil.stack.page.facts import DagRun, Facts
    from airfoil.stack.state import ServiceState, StackState

Level = Literal["good", "busy", "warning", "bad", "off"]
Severity = Literal["error", "warning", "notice"]

DOWN = frozenset({"failed", "stopped"})
BUSY = frozenset({"waiting", "starting", "restarting", "stopping"})
PAGE = "page"
"""The page itself: it is obviously up when somebody reads this there, so it never counts as one that runs; on the
command line it may well be down."""
AIRFLOW = "api-server"
# The service of ours -> the name of the server that may stand in for it.
_FOREIGN_NAMES = {AIRFLOW: "airflow", "mlflow": "mlflow"}
MANY_RESTARTS = 3
REST_SECONDS = 60.0
"""How long after a run the platform is at rest again: idle workers, which hold what their tasks imported, have gone."""
GONE = "its process is gone and there is no manager to restart it"


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be."""

    severity: Severity
    subject: str
    """A service's name, or `stack`, `dags`, `airflow`, `mlflow`, `memory`, `start`."""
    message: str
    next_move: str = ""
    """Commands stand in backticks."""
    url: str = ""


@dataclass(frozen=True)
class Headline:
    """The sentence at the top."""

    level: Level
    text: str
    note: str = ""


def seen(state: StackState, facts: Facts) -> tuple[ServiceState, ...]:
    """Give the services as they are: without a living manager, state.json still calls dead processes ready."""
    if facts.manager_alive or state.phase == "stopped":
        return state.services
    return tuple(
        dataclasses.replace(service, state="stopped", detail=GONE)
        if service.name in facts.dead and service.state not in {"done", "failed", "stopped"}
        else service
        for service in state.services
    )


def problems(state: StackState | None, facts: Facts) -> tuple[Problem, ...]:
    """List what is wrong, worst first."""
    if state is None:
        return ()
    found = [
        *_manager(state, facts),
        *_services(state, facts),
        *_neighbours(state, facts),
        *_import_errors(state, facts),
        *_budgets(state, facts),
        *(Problem("warning", "stack", wording.sentence(notice)) for notice in state.notices),
        *_failed_runs(state, facts),
    ]
    order = ("error", "warning", "notice")
    return tuple(sorted(found, key=lambda problem: order.index(problem.severity)))


def headline(state: StackState | None, facts: Facts, found: Sequence[Problem]) -> Headline:
    """Say in one sentence how things are."""
    if state is None:
        return Headline("off", "Airfoil is not running", "Start it with `airfoil up`.")
    if state.phase == "stopped":
        return Headline("off", "Airfoil is stopped", "Start it again with `airfoil up`.")
    if _is_stopping(state, facts):
        return Headline("busy", "Stopping")
    services = seen(state, facts)
    return _broken(services, facts) or _unfinished(services, state) or _running(found)


def _is_stopping(state: StackState, facts: Facts) -> bool:
    """A manager that died on the way down stops nothing any more."""
    return state.phase == "stopping" and facts.manager_alive


def _broken(services: Sequence[ServiceState], facts: Facts) -> Headline | None:
    counted = _counted(services)
    down = [service for service in services if service.state in DOWN]
    if counted and all(service.state in DOWN for service in counted):
        return Headline("bad", "Everything is down")
    if down:
        return Headline("bad", _down(down, counted))
    unhealthy = [service.title for service in services if service.state == "unhealthy"]
    if unhealthy:
        return Headline("bad", f"{wording.names(unhealthy)} {_are(unhealthy)} not healthy")
    if not facts.manager_alive:
        return Headline("warning", "Running without its manager")
    return None


def _unfinished(services: Sequence[ServiceState], state: StackState) -> Headline | None:
    counted = _counted(services)
    waits = [service.title for service in counted if service.state != "ready"]
    if waits and state.phase == "starting":
        ready = f"{len(counted) - len(waits)} of {len(counted)} ready"
        return Headline("busy", "Starting up", f"{ready}, waiting for {wording.names(waits)}.")
    if waits:
        return Headline("busy", f"{wording.names(waits)} {_are(waits)} restarting")
    return None


def _running(found: Sequence[Problem]) -> Headline:
    unreachable = [
        problem.subject for problem in found if problem.severity == "error" and problem.subject in _TITLES
    ]
    if unreachable:
        titles = [_TITLES[name] for name in dict.fromkeys(unreachable)]
        return Headline("bad", f"Trouble with {wording.names(titles)}")
    serious = [problem for problem in found if problem.severity != "notice"]
    if serious:
        note = f"{wording.count(len(serious), 'thing')} {'needs' if len(serious) == 1 else 'need'} a look."
        return Headline("warning", "Everything is running", note)
    return Headline("good", "Everything is running")


def _counted(services: Sequence[ServiceState]) -> list[ServiceState]:
    return [service for service in services if service.kind == "service" and service.name != PAGE]


_TITLES = {"airflow": "Airflow", "mlflow": "MLflow"}


def _down(down: Sequence[ServiceState], counted: Sequence[ServiceState]) -> str:
    titles = [service.title for service in down]
    if len(titles) <= 2:  # noqa: PLR2004 - more names than two make no headline
        return f"{wording.names(titles)} {_are(titles)} down"
    broken = sum(service.state in DOWN for service in counted)
    return f"{broken} of {len(counted)} services are down"


def _living(services: Sequence[ServiceState]) -> list[ServiceState]:
    return [service for service in _counted(services) if service.state not in DOWN]


def _are(items: Sequence[str]) -> str:
    return "is" if len(items) == 1 else "are"


def _manager(state: StackState, facts: Facts) -> Iterator[Problem]:
    if facts.manager_alive or state.phase == "stopped":
        return
    living = _living(seen(state, facts))
    if living:
        message = (
            f"The manager has died while {wording.count(len(living), 'service')} still "
            f"{'runs' if len(living) == 1 else 'run'}: nothing is restarted if it fails."
        )
        yield Problem(
            "error", "stack", message, "`airfoil up` takes over what runs and starts what is missing."
        )
    else:
        message = "The manager has died and no service runs any more."
        yield Problem("error", "stack", message, "Start again with `airfoil up`.")


def _services(state: StackState, facts: Facts) -> Iterator[Problem]:
    if state.phase == "stopped" or _is_stopping(state, facts):
        return
    services = seen(state, facts)
    down = [service for service in services if service.state in DOWN]
    if any(service.detail == GONE for service in down) and not _living(services):
        down = [service for service in down if service.detail != GONE]  # said already, of all of them
    yield from _downs(down)
    for service in services:
        logs = f"`airfoil logs {service.name}`"
        if service.state == "unhealthy":
            message = f"{service.title} runs but is not healthy{_because(service.detail)}"
            yield Problem("error", service.name, message, f"If this stays, read {logs}.")
        elif service.state == "restarting" or (service.state in BUSY and state.phase != "starting"):
            message = f"{service.title} ended and is being restarted{_because(service.detail)}"
            yield Problem("warning", service.name, message, f"If this repeats, read {logs}.")
        elif service.state == "ready" and service.restarts >= MANY_RESTARTS:
            message = f"{service.title} has been restarted {service.restarts} times since the start."
            yield Problem("notice", service.name, message, f"The reason stands in {logs}.")


def _downs(down: Sequence[ServiceState]) -> Iterator[Problem]:
    """Services that went for the same reason are one problem."""
    reasons: dict[tuple[bool, str, str], list[ServiceState]] = {}
    for service in down:
        reasons.setdefault((service.kind == "job", service.state, service.detail), []).append(service)
    for (is_job, condition, detail), services in reasons.items():
        titles, because = wording.names([service.title for service in services]), _because(detail)
        be, logs = "is", f"`airfoil logs {services[0].name}`"
        if len(services) > 1:
            be, logs = "are", "`airfoil logs`"
            because = f", all for the same reason{because}" if detail else because
        message, move = f"{titles} {be} down{because}", f"Read {logs}, then `airfoil up`."
        if condition == "stopped" or detail == GONE:
            message, move = f"{titles} {be} {condition}{because}", "Start what is missing with `airfoil up`."
        elif is_job:
            message = f"A step of the start failed, {titles}{because}"
        yield Problem("error", services[0].name, message, move)


def _because(detail: str) -> str:
    return f": {wording.sentence(detail)}" if detail else "."


def _neighbours(state: StackState, facts: Facts) -> Iterator[Problem]:
    # A service that is known to be down explains its silence itself.
    for subject, name, answer in (("airflow", AIRFLOW, facts.airflow), ("mlflow", "mlflow", facts.mlflow)):
        if answer.error and _answers(name, state, facts):
            # "Look at the status" is no help to somebody who is looking at it.
            known = answer.next_move if "airfoil status" not in answer.next_move else ""
            if subject in state.foreign:
                move = known or "`airfoil doctor` looks closer."
                yield Problem("error", subject, wording.sentence(answer.error), move)
                continue
            move = known or f"Read `airfoil logs {name}`, or let `airfoil doctor` look for the reason."
            yield Problem("error", subject, wording.sentence(answer.error), move)


def _answers(name: str, state: StackState, facts: Facts) -> bool:
    if _FOREIGN_NAMES[name] in state.foreign:
        return True
    service = state.service(name)
    return service is not None and service.state == "ready" and name not in facts.dead


def _import_errors(state: StackState, facts: Facts) -> Iterator[Problem]:
    if not _answers(AIRFLOW, state, facts):
        return  # what it said before it went down is old by now
    for problem in facts.airflow.import_errors:
        reason = f": {wording.sentence(problem.message)}" if problem.message else "."
        if "airflow" in state.foreign:  # most of its DAGs may be other people's
            move = f"Mend the file where the Airflow at {state.foreign['airflow']} reads it."
            yield Problem("notice", "dags", f"{problem.file} does not import{reason}", move)
            continue
        move = "Mend the file; Airflow reads it again by itself. `airfoil doctor` shows where it breaks."
        yield Problem("warning", "dags", f"{problem.file} does not import{reason}", move)


def _budgets(state: StackState, facts: Facts) -> Iterator[Problem]:
    if _is_at_rest(facts):
        yield from _memory(state, facts)
    limit = state.budgets.get("start_seconds", 0)
    took = (state.ready_at or facts.now) - state.started_at
    if 0 < limit < took and (state.ready_at is not None or state.phase == "starting"):
        verb = "took" if state.ready_at is not None else "has taken"
        message = f"The start {verb} {wording.duration(took)}, the budget is {wording.duration(limit)}."
        yield Problem("notice", "start", message, "`airfoil doctor` looks for the usual causes.")


def _is_at_rest(facts: Facts) -> bool:
    """Tell whether what is in use is the platform's own, and not a task's that runs or has just ended."""
    return all(
        run.ended_at is not None and facts.now - run.ended_at >= REST_SECONDS for run in facts.airflow.runs
    )


def _memory(state: StackState, facts: Facts) -> Iterator[Problem]:
    for service in state.services:
        used = facts.memory_mib.get(service.name, 0)
        if 0 < service.memory_budget_mib < used:
            budget = service.memory_budget_mib
            message = f"{service.title} takes {wording.mib(used)}, its budget is {wording.mib(budget)}."
            yield Problem("warning", "memory", message, _raise(f"{service.name.replace('-', '_')}_mib"))
    total, allowed = sum(facts.memory_mib.values()), state.budgets.get("memory_mib", 0)
    if 0 < allowed < total:
        largest = max(facts.memory_mib, key=lambda name: facts.memory_mib[name])
        message = (
            f"The stack takes {wording.mib(total)}, the budget is {wording.mib(allowed)}; "
            f"most of it is {largest} with {wording.mib(facts.memory_mib[largest])}."
        )
        yield Problem("warning", "memory", message, _raise("memory_mib"))


def _raise(key: str) -> str:
    return f"If your DAGs need it, raise `{key}` under `[budgets]` in airfoil.toml."


def _failed_runs(state: StackState, facts: Facts) -> Iterator[Problem]:
    if not _answers(AIRFLOW, state, facts):
        return
    newest: dict[str, DagRun] = {}
    for run in facts.airflow.runs:  # newest first
        newest.setdefault(run.dag_id, run)
    for run in newest.values():
        if run.state == "failed":
            message = f"The last run of {run.dag_id} failed."
            yield Problem("notice", "dags", message, "Open the run to see which task, and why.", run.url)
