"""Fields of a form for hyper-parameters: one for each name that a model type of the zoo knows, as JSON schema.

A form is filled in before anybody knows which model type it will be, so a field takes what any type with a parameter of
this name does; `model_zoo.plan_model` holds it against the one that was chosen. Must not know what shows the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airfoil.steps.model_zoo import ZOO

_WIDEST: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "minimum": min,
    "exclusiveMinimum": min,
    "maximum": max,
    "exclusiveMaximum": max,
}


def model_fields() -> dict[str, dict[str, Any]]:
    """Return the schema of each hyper-parameter; null stands for what the model type has by default."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for model_type, plan in ZOO.items():
        for name, schema in plan.model_json_schema()["properties"].items():
            found.setdefault(name, {})[model_type] = schema
    return {name: _field(name, schemas) for name, schemas in found.items()}


def given_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters among the parameters of a run, those that somebody filled in."""
    names = dict.fromkeys(name for plan in ZOO.values() for name in plan.model_fields)
    return {name: params[name] for name in names if params.get(name) is not None}


def _field(name: str, schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join what the model types say of a parameter."""
    given = [_without_null(schema) for schema in schemas.values()]
    field: dict[str, Any] = {
        "type": [*dict.fromkeys(one["type"] for one in given), "null"],
        "title": name.replace("_", " ").capitalize(),
        "description": f"{next(iter(schemas.values()))['description']}. {_defaults(schemas)}",
    }
    for bound, widest in _WIDEST.items():
        values = [one[bound] for one in given if bound in one]
        if len(values) == len(given):
            field[bound] = widest(values)
    choices = [choice for one in given for choice in one.get("enum", ())]
    return field | ({"enum": [None, *dict.fromkeys(choices)]} if choices else {})


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a parameter is when it is given: pydantic writes `int | None` as two schemas."""
    kinds: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    return next(one for one in kinds if one["type"] != "null")


def _defaults(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which model types have a parameter, and what it is where nobody says otherwise."""
    types: dict[Any, list[str]] = {}
    for model_type, schema in schemas.items():
        types.setdefault(schema["default"], []).append(model_type)
    told = (f"{', '.join(names)}: {'no limit' if value is None else value}" for value, names in types.items())
    return "; ".join(told)
