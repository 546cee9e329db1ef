"""What tasks do that works on one machine by luck: frames and models handed on through /tmp."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from airfoil.lint.calls import text
from airfoil.lint.fault import Fault, fault
from airfoil.lint.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

_PICKLES = re.compile(
    r"(c?loud)?(pickle|joblib|dill|torch)\.(dump|load|save)|(pandas|numpy)\.(read_pickle|load|save)"
)
_METHODS = {"to_pickle", "to_parquet", "to_csv"}
MEND = (
    "Return a small value, or store it with the run (MLflow, S3): the next task may run on another machine."
)


def find_pickles(source: Source) -> Iterator[Fault]:
    """AF501: pickles and frames below /tmp, once for each function."""
    for node in source.nodes:
        if not isinstance(node, FUNCTIONS):
            continue
        inside = list(ast.walk(node))
        if not any(_is_below_tmp(one) for one in inside):
            continue
        handed = [one for one in inside if isinstance(one, ast.Call) and _hands_on(one, source)]
        if handed and source.is_dag_file:
            first = min(handed, key=lambda one: one.lineno)
            message = f"`{node.name}` hands data on through /tmp."
            yield fault("AF501", source.name, first.lineno, message, MEND)


def _is_below_tmp(node: ast.AST) -> bool:
    return isinstance(node, ast.expr) and (text(node) or "").startswith("/tmp/")  # noqa: S108 - what is looked for


def _hands_on(call: ast.Call, source: Source) -> bool:
    if _PICKLES.fullmatch(source.dotted(call.func)):
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
