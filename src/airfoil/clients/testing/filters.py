"""MLflow's filter and order clauses: `tags.x = 'a' and attributes.status = 'RUNNING'`, `attributes.start_time DESC`.

What the four searches (experiments, runs, registered models, versions) accept differs and is given as a `Grammar`.
Must not know how a row is stored: a row is a function that gives the value of a field.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airfoil.clients.testing.refusals import RefusalError

T = TypeVar("T")
Row = Callable[[str, str], Any]
"""Gives the value of a field by kind ("attribute", "tag", "param", "metric") and key; None when there is none."""

_CONDITION = re.compile(
    r"""\s*(?P<field>(?:\w+\.)?(?:`[^`]*`|"[^"]*"|[\w.\-/]+))
        \s*(?P<operator>IS\s+NOT\s+NULL|IS\s+NULL|NOT\s+IN\b|IN\b|LIKE\b|ILIKE\b|>=|<=|!=|=|<|>)
        \s*(?P<value>'[^']*'|"[^"]*"|-?\d[\w.+-]*|\([^)]*\)|[\w.]+)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)
_ORDER = re.compile(r"\s*(?P<field>(?:\w+\.)?(?:`[^`]*`|\"[^\"]*\"|[\w.\-]+))(?:\s+(?P<way>\w+))?\s*")
_KINDS = {
    "attribute": ("attribute", "attributes", "attr", "run"),
    "tag": ("tag", "tags"),
    "param": ("param", "params", "parameter", "parameters"),
    "metric": ("metric", "metrics"),
}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "IN": lambda held, given: held in given,
    "NOT IN": lambda held, given: held not in given,
    "LIKE": lambda held, given: _like(held, given, 0),
    "ILIKE": lambda held, given: _like(held, given, re.IGNORECASE),
}
_NUMBER_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_TEXT_OPERATORS = frozenset({"=", "!=", "LIKE", "ILIKE"})


@dataclass(frozen=True)
class Grammar:
    """What one search accepts."""

    kinds: frozenset[str]
    texts: frozenset[str]
    """Attributes that are compared as text."""
    numbers: frozenset[str] = frozenset()
    """Attributes that are compared as numbers."""
    lists: frozenset[str] = frozenset()
    """Attributes that may be compared with a list of values."""
    nulls: frozenset[str] = frozenset()
    """Kinds that may be asked for their absence."""


@dataclass(frozen=True)
class Condition:
    """One comparison."""

    kind: str
    key: str
    operator: str
    value: Any

    def holds(self, row: Row) -> bool:
        """Say whether a row meets it; a field that is not there meets nothing but `IS NULL`."""
        held = row(self.kind, self.key)
        if self.operator == "IS NULL":
            return held is None
        if held is None:
            return False
        if isinstance(held, float) and math.isnan(held):
            return self.operator == "!="
        return self.operator == "IS NOT NULL" or _COMPARE[self.operator](held, self.value)


def parse_filter(filter_text: str, grammar: Grammar) -> tuple[Condition, ...]:
    """Return the conditions of a filter, all of which must hold."""
    conditions = []
    rest = filter_text.strip()
    while rest:
        found = _CONDITION.match(rest)
        if found is None:
            raise RefusalError(f"Invalid clause(s) in filter string: '{rest}'")
        conditions.append(_condition(found, grammar))
        rest = rest[found.end() :]
        joined = _AND.match(rest)
        rest = rest[joined.end() :].strip() if joined else rest
    return tuple(conditions)


def choose(rows: Iterable[T], conditions: Sequence[Condition], row_of: Callable[[T], Row]) -> list[T]:
    """Return the rows that meet all conditions."""
    return [one for one in rows if all(condition.holds(row_of(one)) for condition in conditions)]


def arrange(
    rows: Iterable[T], clauses: Sequence[str], grammar: Grammar, row_of: Callable[[T], Row]
) -> list[T]:
    """Return the rows in the order of the clauses; rows without the value come last, whichever way."""
    ordered = list(rows)
    for clause in reversed(clauses):
        found = _ORDER.fullmatch(clause)
        way = ((found and found["way"]) or "asc").lower()
        if found is None or way not in {"asc", "desc"}:
            raise RefusalError(f"Invalid order_by clause '{clause}'. Could not be parsed.")
        kind, key = _field(found["field"], grammar)
        present = [one for one in ordered if row_of(one)(kind, key) is not None]
        absent = [one for one in ordered if row_of(one)(kind, key) is None]
        present.sort(key=lambda one, kind=kind, key=key: row_of(one)(kind, key), reverse=way == "desc")
        ordered = present + absent
    return ordered


def _condition(found: re.Match[str], grammar: Grammar) -> Condition:
    kind, key = _field(found["field"], grammar)
    sign = " ".join(found["operator"].upper().split())
    given = found["value"]
    if sign in {"IS NULL", "IS NOT NULL"}:
        if kind not in grammar.nulls or given is not None:
            raise RefusalError(f"{sign} is not supported for {kind} '{key}'")
        return Condition(kind, key, sign, None)
    if given is None:
        raise RefusalError("Invalid comparison clause. Expected 3 tokens found 2")
    numeric = kind == "metric" or (kind == "attribute" and key in grammar.numbers)
    if sign in {"IN", "NOT IN"}:
        return Condition(kind, key, sign, _values(kind, key, given, grammar))
    if sign not in (_NUMBER_OPERATORS if numeric else _TEXT_OPERATORS):
        raise RefusalError(f"Invalid comparator '{sign}'")
    return Condition(kind, key, sign, _number(given) if numeric else _quoted(given))


def _field(name: str, grammar: Grammar) -> tuple[str, str]:
    prefix, dot, key = name.partition(".")
    if not dot:
        prefix, key = "attribute", name
    kind = next((kind for kind, words in _KINDS.items() if prefix in words), None)
    if kind not in grammar.kinds:
        raise RefusalError(f"Invalid entity type '{prefix}'.")
    key = key[1:-1] if key[0] in '`"' else key
    if kind == "attribute" and key not in grammar.texts | grammar.numbers:
        raise RefusalError(f"Invalid attribute key '{key}' specified.")
    return kind, key


def _values(kind: str, key: str, given: str, grammar: Grammar) -> tuple[str, ...]:
    if kind != "attribute" or key not in grammar.lists or not given.startswith("("):
        raise RefusalError(f"'{key}' does not support comparison with a list.")
    try:
        listed = ast.literal_eval(given)
    except (SyntaxError, ValueError) as error:
        raise RefusalError("While parsing a list in the query, got ill-formed list.") from error
    values = listed if isinstance(listed, tuple) else (listed,)
    if not values or not all(isinstance(value, str) for value in values):
        raise RefusalError("While parsing a list in the query, expected a non-empty list of string values.")
    return values


def _quoted(given: str) -> str:
    if given[0] not in "'\"":
        raise RefusalError(f"Expected a quoted string value. Got value {given}")
    return given[1:-1]


def _number(given: str) -> float:
    try:
        return float(given)
    except ValueError as error:
        raise RefusalError(f"Expected numeric value type. Found {given}") from error


def _like(held: str, pattern: str, flags: int) -> bool:
    expression = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch(expression, held, flags | re.DOTALL) is not None
