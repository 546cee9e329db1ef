"""What operators are given for a record: the record itself, or the plain JSON that came through XCom.

Must not know which operator asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from airfoil.errors import ConfigurationError
from airfoil.records import Comparison, ModelRef, Record, Scores

AnyRecord = TypeVar("AnyRecord", bound=Record)


def plain(value: Any) -> Any:
    """Return a record as JSON, so that Airflow can show, template and serialize it; leave anything else alone."""
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def record(kind: type[AnyRecord], value: Any, argument: str) -> AnyRecord:
    """Return what an argument holds as a record; what is no such record is said by the argument's name."""
    if isinstance(value, kind):
        return value
    try:
        if isinstance(value, Mapping | str):
            return kind.from_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _misfit(kind, argument, f"{where}: {first['msg']}") from error
    except ValueError as error:
        raise _misfit(kind, argument, f"{value!r:.80}") from error
    raise _misfit(kind, argument, f"{value!r:.80}")


def comparison(value: Any, argument: str = "scores") -> Comparison:
    """Return scores as a comparison, which has no champion where scores alone were measured."""
    if isinstance(value, Comparison) or (isinstance(value, Mapping) and "scores" in value):
        return record(Comparison, value, argument)
    return Comparison(scores=record(Scores, value, argument))


def model_ref(value: Any, argument: str = "model") -> ModelRef:
    """Return a model."""
    return record(ModelRef, value, argument)


def _misfit(kind: type[Record], argument: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The argument '{argument}' should be {kind.__name__}, and it is not: {what}",
        f"Hand on a {kind.__name__} that a task before has returned.",
    )
