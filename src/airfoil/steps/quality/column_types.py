"""What a column holds, in words that are the same for every source: `integer`, `text`, `timestamp`; what a bound means.

Reads no data.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = (
    "integer", "float", "decimal", "number", "boolean", "text", "date", "timestamp", "time", "duration", "binary",
    "nested",
)  # fmt: skip
"""What a contract may ask for; `number` is any of the first three."""
NUMBERS = frozenset({"integer", "float", "decimal"})
TEMPORAL = frozenset({"date", "timestamp"})


def kind_of(arrow_type: pa.DataType) -> str:
    """Return the kind of a type: one of KINDS, `empty` for a column that never had a value, or `other`."""
    import pyarrow.types as are

    if are.is_dictionary(arrow_type):
        return kind_of(arrow_type.value_type)
    tests = (
        ("boolean", are.is_boolean),
        ("integer", are.is_integer),
        ("float", are.is_floating),
        ("decimal", are.is_decimal),
        ("text", lambda one: are.is_string(one) or are.is_large_string(one) or are.is_string_view(one)),
        ("date", are.is_date),
        ("timestamp", are.is_timestamp),
        ("time", are.is_time),
        ("duration", are.is_duration),
        ("nested", are.is_nested),
        ("empty", are.is_null),
        ("binary", lambda one: "binary" in str(one)),
    )
    return next((kind for kind, holds in tests if holds(arrow_type)), "other")


def is_type(name: str) -> bool:
    """Whether a contract may ask for a type of this name."""
    return name in KINDS or _arrow_type(name) is not None


def fits(arrow_type: pa.DataType, wanted: str) -> bool | None:
    """Whether a column is what is asked for; None when it never had a value and could be anything."""
    kind = kind_of(arrow_type)
    if kind == "empty":
        return None
    if wanted == "number":
        return kind in NUMBERS
    if wanted in KINDS:
        return kind == wanted
    return str(arrow_type) == str(_arrow_type(wanted))


def wanted_kind(wanted: str) -> str:
    """Return the kind that is asked for, when the exact type is given; `number` stays as it is."""
    if wanted in KINDS:
        return wanted
    arrow_type = _arrow_type(wanted)
    return "other" if arrow_type is None else kind_of(arrow_type)


def _arrow_type(name: str) -> pa.DataType | None:
    """Return Arrow's type of a name, written as Arrow prints it."""
    import re

    import pyarrow as pa

    if found := re.fullmatch(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]", name):
        return pa.timestamp(found[1], tz=found[2])
    if found := re.fullmatch(r"decimal128\((\d+), (-?\d+)\)", name):
        return pa.decimal128(int(found[1]), int(found[2]))
    if found := re.fullmatch(r"duration\[(s|ms|us|ns)\]", name):
        return pa.duration(found[1])
    plain = {"date32[day]": pa.date32, "date64[ms]": pa.date64, "bool": pa.bool_, "double": pa.float64}
    if name in plain:
        return plain[name]()
    try:
        return pa.type_for_alias(name)
    except ValueError:
        return None


def moment_of(bound: Any) -> dt.datetime:
    """Read a bound of a date or time; without a zone it is UTC, as such columns are."""
    try:
        moment = dt.datetime.fromisoformat(str(bound))
    except ValueError as error:
        raise ConfigurationError(
            f"'{bound}' is no date or time", "Write it as 2026-01-31 or 2026-01-31T12:00:00+00:00."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
