"""Tasks that wait for each other in a circle, as far as `>>`, `<<` and set_upstream between plain names show it.

Airflow says only which DAG and task; the line that closes the circle is what a person looks for.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from airfoil.lint.fault import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

MEND = "Take one of these arrows away: a task can only wait for tasks that do not wait for it."


def find_cycles(source: Source) -> Iterator[Fault]:
    """AF302: the first arrow that leads back."""
    after: dict[str, set[str]] = {}
    for line, before, later in sorted(_edges(source)):
        if before not in source.values or later not in source.values:
            continue  # a name bound twice may be another task each time
        if before == later or _reaches(later, before, after):
            message = f"With this arrow `{before}` waits for itself."
            yield fault("AF302", source.name, line, message, MEND)
            return
        after.setdefault(before, set()).add(later)


def _reaches(start: str, goal: str, after: dict[str, set[str]]) -> bool:
    waiting, seen = [start], set[str]()
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting.extend(after.get(here, ()))
    return False


def _edges(source: Source) -> Iterator[tuple[int, str, str]]:
    for node in source.parse_nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
            left, right = _names(_last(node.left)), _names(node.right)
            if isinstance(node.op, ast.LShift):
                left, right = right, left
            yield from ((node.end_lineno or node.lineno, one, other) for one in left for other in right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            here, there = _names(node.func.value), _names(node.args[0])
            if node.func.attr == "set_upstream":
                here, there = there, here
            elif node.func.attr != "set_downstream":
                continue
            yield from ((node.lineno, one, other) for one in here for other in there)
        elif isinstance(node, ast.Call):
            name = source.dotted(node.func)
            if name.startswith("airflow.") and name.endswith(".chain"):
                for one, other in zip(node.args, node.args[1:], strict=False):
                    yield from ((node.lineno, a, b) for a in _names(one) for b in _names(other))


def _last(node: ast.expr) -> ast.expr:
    """Give what an arrow starts from: `a >> b >> c` reads as `(a >> b) >> c`, and goes on from b."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift | ast.LShift):
        node = node.right
    return node


def _names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.List | ast.Tuple):
        return [one.id for one in node.elts if isinstance(one, ast.Name)]
    return []
