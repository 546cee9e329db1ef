"""What a DAG says of itself: its schedule, its start date, who owns it and what it is for."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.calls import (
    DagCall,
    dag_calls,
    default_arguments,
    literal_items,
    operator_calls,
    text,
)
from airfoil.lint.fault import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

PRESETS = {
    "@once",
    "@continuous",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@quarterly",
    "@yearly",
    "@annually",
}
CLOCKS = (
    "CronTriggerTimetable",
    "CronDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "DeltaDataIntervalTimetable",
    "MultipleCronTriggerTimetable",
)
SHORT_CRON, LONG_CRON = 5, 7
MOST_IN_FIELD = (59, 23, 31, 12, 7)
_CRON = re.compile(r"[\w*/,?#-]+")
MOVING = {"now", "utcnow", "today", "days_ago", "time", "yesterday", "tomorrow"}
DEADLINES = ("deadline", "dagrun_timeout")
DEADLINE_MEND = (
    "Add `deadline=airfoil.within(minutes=60)`, which tells people, or `dagrun_timeout=`, which ends the run."
)
ONCE = ("@once", "@continuous")
SCHEDULE_MEND = "Write five cron fields such as `0 2 * * *`, a preset such as `@daily`, or a timedelta."
FIXED = "Give a fixed date, such as `datetime(2026, 1, 1, tzinfo=UTC)`."


def find_shape(source: Source) -> Iterator[Fault]:
    """AF303 to AF307, AF309: schedule, start date, tags, description, owner, deadline."""
    for dag in dag_calls(source):
        yield from _schedule(dag, source)
        if not dag.is_whole:
            continue
        named = f"The DAG {dag.dag_id}" if dag.dag_id else "This DAG"
        defaults, known = _defaults(dag, source)
        catchup, starts = dag.argument("catchup"), _is_given(dag, "start_date") or "start_date" in defaults
        if known and not starts and catchup is not None and _is_true(catchup.value):
            message = f"{named} catches up, but has no start date to catch up from."
            yield fault("AF304", source.name, catchup.lineno, message, "Add `start_date=`.")
        if not _is_given(dag, "tags"):
            yield fault("AF305", source.name, dag.line, f"{named} has no tags.", 'Add `tags=["..."]`.')
        if not _is_given(dag, "description"):
            yield fault(
                "AF306", source.name, dag.line, f"{named} has no description.", 'Add `description="..."`.'
            )
        if known and "owner" not in defaults and not _tasks_are_owned(source):
            mend = 'Add `default_args={"owner": "..."}`.'
            yield fault("AF307", source.name, dag.line, f"{named} does not say who owns it.", mend)
        if _runs_by_the_clock(dag, source) and not any(_is_given(dag, name) for name in DEADLINES):
            message = f"{named} runs by the clock, and nobody is told when a run does not end."
            yield fault("AF309", source.name, dag.line, message, DEADLINE_MEND)


def find_moving_dates(source: Source) -> Iterator[Fault]:
    """AF207: start dates that are another one at each parse."""
    for value in _start_dates(source):
        resolved = source.resolve(value)
        for node in ast.walk(resolved) if resolved is not None else ():
            if isinstance(node, ast.Call):
                name = source.dotted(node.func)
                if source.is_imported(node.func) and name.rpartition(".")[2] in MOVING:
                    called = name.rpartition(".")[2]
                    message = f"The start date is `{called}()`: another one whenever the file is parsed."
                    yield fault("AF207", source.name, value.lineno, message, FIXED, subject=name)
                    break


def _start_dates(source: Source) -> Iterator[ast.expr]:
    calls = [dag.call for dag in dag_calls(source) if dag.call] + [call for call, _ in operator_calls(source)]
    for call in calls:
        yield from (one.value for one in call.keywords if one.arg == "start_date")
    for dictionary in default_arguments(source):
        yield from (value for _, name, value in literal_items(dictionary) if name == "start_date")


def _schedule(dag: DagCall, source: Source) -> Iterator[Fault]:
    for name in ("schedule", "schedule_interval"):
        given = dag.argument(name)
        said = text(source.resolve(given.value)) if given is not None else None
        if given is not None and said is not None and not may_be_schedule(said):
            message = f"'{said}' is no schedule."
            yield fault("AF303", source.name, given.value.lineno, message, SCHEDULE_MEND)


def _runs_by_the_clock(dag: DagCall, source: Source) -> bool:
    """Tell whether runs begin by themselves, again and again; what cannot be known is not."""
    given = dag.argument("schedule")
    if given is None:
        return False
    value = source.resolve(given.value)
    if isinstance(value, ast.IfExp):
        return any(_is_clock(source.resolve(one), source) for one in (value.body, value.orelse))
    return _is_clock(value, source)


def _is_clock(value: ast.expr | None, source: Source) -> bool:
    if isinstance(value, ast.Call):
        name = source.dotted(value.func).rpartition(".")[2]
        return name == "timedelta" or name.endswith(CLOCKS)
    said = text(value)
    return said is not None and said not in ONCE and may_be_schedule(said)


def may_be_schedule(said: str) -> bool:
    """Tell what is certainly none; the finer points of cron are Airflow's to say."""
    if said.startswith("@"):
        return said in PRESETS
    fields = said.split()
    if not SHORT_CRON <= len(fields) <= LONG_CRON:
        return False
    return all(_CRON.fullmatch(one) for one in fields) and all(
        int(number) <= most
        for one, most in zip(fields, MOST_IN_FIELD, strict=False)
        for number in _numbers(one)
    )


def _numbers(cron_field: str) -> list[str]:
    """Give the numbers of a field; what follows a slash is a step and may be any number."""
    return re.findall(r"(?<![/\d])\d+", cron_field)


def _is_true(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def _is_given(dag: DagCall, name: str) -> bool:
    keyword = dag.argument(name)
    if keyword is None:
        return False
    value = keyword.value
    if isinstance(value, ast.Constant):
        return bool(value.value)
    return not (isinstance(value, ast.List | ast.Set | ast.Tuple) and not value.elts)


def _defaults(dag: DagCall, source: Source) -> tuple[set[str], bool]:
    """Give the names in default_args, and whether they are all known."""
    keyword = dag.argument("default_args")
    if keyword is None:
        return set(), True
    value = source.resolve(keyword.value)
    if not isinstance(value, ast.Dict):
        return set(), False
    whole = all(isinstance(key, ast.Constant) for key in value.keys)
    return {name for _, name, _ in literal_items(value)}, whole


def _tasks_are_owned(source: Source) -> bool:
    return any(isinstance(node, ast.keyword) and node.arg == "owner" for node in source.nodes)
