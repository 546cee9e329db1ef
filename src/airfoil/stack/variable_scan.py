"""Finds the Airflow variables that DAG files use, by reading them: nothing of a project is run.

Knows `Variable.get("key")`, whatever Variable was imported as, and `{{ var.value.key }}` in a template. A key that is
computed cannot be found.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_HOMES = frozenset(
    {"airflow.sdk", "airflow.models", "airflow.models.variable", "airflow.sdk.definitions.variable"}
)
_TEMPLATE = re.compile(
    r"\bvar\.(?:value|json)(?:\.get\(\s*['\"](?P<got>[^'\"]+)['\"](?P<more>[^)]*)\)|\.(?P<plain>[A-Za-z_]\w*))"
)
_DEFAULTS = frozenset({"default", "default_var"})


@dataclass(frozen=True, order=True)
class UsedVariable:
    """One place that needs a variable."""

    key: str
    place: str
    """FILE:LINE, relative to the project."""
    has_default: bool


def used_variables(root: Path, folders: Iterable[Path]) -> list[UsedVariable]:
    """List every use in the Python files below the folders; a file that is no Python is somebody else's finding."""
    found: set[UsedVariable] = set()
    for folder in folders:
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else ():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(file.read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                continue
            shown = file.relative_to(root) if file.is_relative_to(root) else file
            found |= {UsedVariable(key, f"{shown}:{line}", default) for key, line, default in _uses(tree)}
    return sorted(found)


def _uses(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    names = _names_of_variable(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_get(node.func, names):
            key = (
                node.args[0] if node.args else next((w.value for w in node.keywords if w.arg == "key"), None)
            )
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                given = len(node.args) > 1 or any(word.arg in _DEFAULTS for word in node.keywords)
                yield key.value, node.lineno, given
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "{{" in node.value:
            for match in _TEMPLATE.finditer(node.value):
                plain = match["plain"]
                if plain != "get":
                    yield plain or match["got"], node.lineno, bool(plain is None and match["more"].strip())


def _names_of_variable(tree: ast.Module) -> set[str]:
    """Return what this file calls Airflow's Variable: plain names and `module.Variable`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _HOMES:
            found |= {alias.asname or alias.name for alias in node.names if alias.name == "Variable"}
            found |= {
                f"{alias.asname or alias.name}.Variable" for alias in node.names if alias.name == "models"
            }
        elif isinstance(node, ast.ImportFrom) and node.module == "airflow":
            found |= {f"{a.asname or a.name}.Variable" for a in node.names if a.name in {"sdk", "models"}}
        elif isinstance(node, ast.Import):
            found |= {f"{a.asname or a.name}.Variable" for a in node.names if a.name in _HOMES}
    return found


def _is_get(function: ast.expr, names: set[str]) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "get"
        and ast.unparse(function.value) in names
    )
