"""Whether a task is still the same work: a short text for its code and for what it was given.

While the text is the same a further try continues the MLflow run of the last one. It must be the same in every process:
no address, no order of a set, no hash of Python's own. Nothing of what a task was given can be read from it.
"""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import enum
import functools
import hashlib
import inspect
import json
import textwrap
import uuid
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import CodeType
from typing import Any

from airfoil.records import Record

_WORDS = (dt.date, dt.time, dt.timedelta, decimal.Decimal, enum.Enum, uuid.UUID, PurePath)


def code_digest(function: Callable[..., Any]) -> str:
    """Return a text for the code of a function: comments, layout and its decorators do not count."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        # No file, a class with __call__, or a lambda in the middle of a line.
        code = getattr(function, "__code__", None)
        text = (
            _bytecode(code)
            if code
            else f"{type(function).__qualname__} {getattr(function, '__qualname__', '')}"
        )
    else:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                node.decorator_list = []
        text = ast.dump(tree)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(code: str, given: Any) -> str:
    """Return a text for code (as `code_digest` names it) and everything it is given."""
    text = json.dumps([code, _plain(given)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _bytecode(code: CodeType) -> str:
    parts = [code.co_code.hex(), *code.co_names, *code.co_varnames]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            parts.append(_bytecode(constant))
        elif isinstance(constant, frozenset):
            parts.append(str(sorted(map(repr, constant))))
        else:
            parts.append(repr(constant))
    return "\x1f".join(parts)


def _plain(value: Any) -> Any:
    """Return plain JSON; of what has no text that is the same everywhere only the kind counts."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Record):
        return _plain(value.to_json())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_plain(item), sort_keys=True) for item in value)
    if isinstance(value, _WORDS):
        return str(value)
    return f"{type(value).__module__}.{type(value).__qualname__}"
