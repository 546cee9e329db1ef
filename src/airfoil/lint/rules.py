"""The list of rules, and what is asked of all files together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.lint.airflow2_arguments import (
    find_dag_arguments,
    find_forgotten_alerts,
    find_operator_arguments,
    find_trigger_rules,
    find_variable_default,
)
from airfoil.lint.airflow2_context import find_blind_pulls, find_context_names
from airfoil.lint.airflow2_names import find_database_access, find_names
from airfoil.lint.calls import dag_calls
from airfoil.lint.cycles import find_cycles
from airfoil.lint.dag_shape import find_moving_dates, find_shape
from airfoil.lint.fault import Fault, fault
from airfoil.lint.heavy_imports import find_heavy_imports
from airfoil.lint.parse_access import find_access
from airfoil.lint.secrets_in_code import find_secrets
from airfoil.lint.task_bodies import find_pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airfoil.lint.source import Source

RULES: tuple[Callable[[Source], Iterator[Fault]], ...] = (
    find_dag_arguments,
    find_operator_arguments,
    find_context_names,
    find_trigger_rules,
    find_variable_default,
    find_names,
    find_forgotten_alerts,
    find_blind_pulls,
    find_access,
    find_heavy_imports,
    find_moving_dates,
    find_cycles,
    find_shape,
    find_secrets,
    find_pickles,
    find_database_access,
)


def check_source(source: Source) -> list[Fault]:
    """Run every rule over one file; the faults in the order of their lines, each once."""
    return sorted({found for rule in RULES for found in rule(source)})


def declared_ids(source: Source) -> Iterator[tuple[str, int]]:
    """Give the ids of the DAGs that a file makes, with their lines, as far as they stand there as text."""
    for dag in dag_calls(source):
        if dag.dag_id is not None:
            yield dag.dag_id, dag.line


def duplicates(declared: Iterable[tuple[str, str, int]]) -> Iterator[Fault]:
    """AF301: ids (id, file, line) that stand in more than one place, each place with the others."""
    places: dict[str, set[tuple[str, int]]] = {}
    for dag_id, file, line in declared:
        places.setdefault(dag_id, set()).add((file, line))
    for dag_id, found in places.items():
        for file, line in found if len(found) > 1 else ():
            others = ", ".join(f"{other}:{at}" for other, at in sorted(found - {(file, line)}))
            message = f"The DAG id '{dag_id}' is also in {others}; Airflow keeps only one of them."
            yield fault("AF301", file, line, message, "Give one of them another id.")
