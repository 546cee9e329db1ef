"""Calls as rules look at them: which DAGs and operators a file makes, and with which arguments."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.lint.source import FUNCTIONS, is_dag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source


@dataclass(frozen=True)
class DagCall:
    """One `DAG(...)` or `@dag(...)`."""

    call: ast.Call | None
    """None for a bare `@dag`."""
    line: int
    dag_id: str | None
    """None when it is computed."""
    is_whole: bool
    """Whether all arguments can be read: no `**more`."""

    def argument(self, name: str) -> ast.keyword | None:
        """Give an argument by name."""
        if self.call is None:
            return None
        return next((one for one in self.call.keywords if one.arg == name), None)


def dag_calls(source: Source) -> Iterator[DagCall]:
    """Find the DAGs that a file makes while it is parsed."""
    decorators: set[ast.AST] = set()
    for node in source.parse_nodes:
        if isinstance(node, FUNCTIONS):
            for one in node.decorator_list:
                called = one.func if isinstance(one, ast.Call) else one
                if is_dag(source.dotted(called)) and source.dotted(called).endswith("dag"):
                    decorators.add(one)
                    yield _dag_call(one if isinstance(one, ast.Call) else None, one.lineno, node.name, source)
        elif isinstance(node, ast.Call) and node not in decorators:
            name = source.dotted(node.func)
            if is_dag(name) and name.endswith("DAG"):
                yield _dag_call(node, node.lineno, None, source)


def _dag_call(call: ast.Call | None, line: int, fallback: str | None, source: Source) -> DagCall:
    if call is None:
        return DagCall(None, line, fallback, is_whole=True)
    given: ast.expr | None = call.args[0] if call.args else None
    for keyword in call.keywords:
        if keyword.arg == "dag_id":
            given = keyword.value
    whole = all(one.arg for one in call.keywords) and not any(
        isinstance(one, ast.Starred) for one in call.args
    )
    if given is None:
        return DagCall(call, line, fallback if whole else None, whole)
    value = source.resolve(given)
    known = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return DagCall(call, line, value.value if known else None, whole)  # type: ignore[union-attr]


def operator_calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Find the operators, sensors and `@task(...)`s of a file, with their full names."""
    for node in source.nodes:
        if isinstance(node, ast.Call):
            name = source.dotted(node.func)
            last = name.rpartition(".")[2]
            is_task = name.startswith(("airflow.sdk.task", "airflow.decorators.task"))
            if last.endswith(("Operator", "Sensor")) or (is_task and last[:1].islower()):
                yield node, name


def default_arguments(source: Source) -> Iterator[ast.Dict]:
    """Find the dictionaries given as `default_args`."""
    for node in source.nodes:
        if isinstance(node, ast.keyword) and node.arg == "default_args":
            value = source.resolve(node.value)
            if isinstance(value, ast.Dict):
                yield value


def literal_items(dictionary: ast.Dict) -> Iterator[tuple[ast.Constant, str, ast.expr]]:
    """Give the entries of a dictionary whose keys are text."""
    for key, value in zip(dictionary.keys, dictionary.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key, key.value, value


def text(node: ast.expr | None) -> str | None:
    """Give the text of a literal, or None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
