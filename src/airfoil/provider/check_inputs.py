"""What operators are given to check by, beside the tables: a contract, limits, a plan. As values, JSON, or a file.

Numbers may come as texts: that is what a template such as `{{ params.p_value }}` leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.definitions._internal.mixins import ResolveMixin
from pydantic import TypeAdapter, ValidationError

from airfoil.errors import ConfigurationError
from airfoil.provider.project_files import find_file
from airfoil.provider.record_inputs import plain
from airfoil.steps.quality.contract import Contract

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    AnyPlan = TypeVar("AnyPlan", bound=DataclassInstance)


def plain_settings(given: Any) -> Any:
    """Return a contract, limits or a plan as JSON, so that Airflow can show, template and serialize it."""
    if is_dataclass(given) and not isinstance(given, type):
        return asdict(given)
    return str(given) if isinstance(given, Path) else plain(given)


def settled(given: Any, check: Callable[[Any], object]) -> Any:
    """Return limits or a plan as JSON, checked while the file is parsed unless a template is yet to fill them in."""
    found = plain_settings({} if given is None else given)
    if isinstance(found, Mapping) and found and not any(_is_open(value) for value in found.values()):
        check(found)
    return found


def _is_open(value: Any) -> bool:
    return "{{" in value if isinstance(value, str) else isinstance(value, ResolveMixin)


def contract_of(given: Any, dag_file: str = "") -> Contract:
    """Return a contract: itself, plain values, or what a YAML file says, beside the DAG file or in its project."""
    if not isinstance(given, str | Path):
        return Contract.of(given)
    if not str(given).strip():
        raise ConfigurationError("The argument 'contract' is empty", "Name a YAML file, or give the rules.")
    path = Path(find_file(str(given), dag_file) if dag_file else given)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no UTF-8"
        raise ConfigurationError(
            f"The contract {path} cannot be read: {said}", "Check the path of the contract."
        ) from error
    return Contract.of_yaml(text, path.name)


def plan_of(kind: type[AnyPlan], given: Any) -> AnyPlan:
    """Return a plan of measuring from its JSON; what it does not know is refused."""
    known = [one.name for one in fields(kind)]
    if not isinstance(given, Mapping) or set(given) - set(known):
        raise ConfigurationError(
            f"The argument 'plan' means nothing: {given!r:.80}", f"It may say {', '.join(known)}."
        )
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"The argument 'plan' means nothing: {where}: {first['msg']}", f"It may say {', '.join(known)}."
        ) from error
