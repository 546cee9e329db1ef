"""Trips as models take them, out of files as the city publishes them: five columns under many names and types.

Yellow cabs, green cabs and high-volume hire cars name their columns differently; names and types changed over the years
(`airport_fee` became `Airport_fee`, zones went from 64 to 32 bits, a column without values had no type at all). Only
what is needed is looked at, so other columns may come, go and change. Nothing is read: a scan knows its columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import TableError
from airfoil.steps.duckdb_engine import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.scans import Scan

PICKUP_ZONE, DROPOFF_ZONE, DISTANCE = "PULocationID", "DOLocationID", "trip_distance"
"""What the columns are called that a model takes."""
# Compared without case, blanks and underscores.
_NAMES = {
    "pickup time": ("tpeppickupdatetime", "lpeppickupdatetime", "pickupdatetime", "trippickupdatetime"),
    "drop-off time": ("tpepdropoffdatetime", "lpepdropoffdatetime", "dropoffdatetime", "tripdropoffdatetime"),
    "pickup zone": ("pulocationid", "pickuplocationid"),
    "drop-off zone": ("dolocationid", "dropofflocationid"),
    "distance": ("tripdistance", "tripmiles"),
}


@dataclass(frozen=True)
class TripColumns:
    """What the needed columns are called in a file, as SQL that gives them the types they should have."""

    pickup: str
    dropoff: str
    pickup_zone: str
    dropoff_zone: str
    distance: str
    """Of miles; zero where the distance is not asked for."""


def find_columns(scan: Scan, *, with_distance: bool = True) -> TripColumns:
    """Find the needed columns in a file by any of the names they have had; what lacks one is a TableError."""
    found = {what: _find(scan, what) for what in _NAMES if with_distance or what != "distance"}
    return TripColumns(
        pickup=_moment(scan, found["pickup time"]),
        dropoff=_moment(scan, found["drop-off time"]),
        pickup_zone=_whole(scan, found["pickup zone"]),
        dropoff_zone=_whole(scan, found["drop-off zone"]),
        distance=_amount(scan, found["distance"]) if with_distance else "0::DOUBLE",
    )


def plain_columns(scan: Scan, *, with_distance: bool = True) -> tuple[str, ...] | None:
    """Return the names of both times, both zones and the distance, or None where one must be converted first."""
    import pyarrow as pa

    found = [_find(scan, what) for what in _NAMES if with_distance or what != "distance"]
    times, zones, miles = ([scan.types[name] for name in part] for part in (found[:2], found[2:4], found[4:]))
    is_plain = (
        all(pa.types.is_timestamp(kind) and not kind.tz for kind in times)
        and all(pa.types.is_integer(kind) for kind in zones)
        and all(pa.types.is_float64(kind) for kind in miles)
    )
    return tuple(found) if is_plain else None


def _find(scan: Scan, what: str) -> str:
    found = [name for name in scan.columns if _plain(name) in _NAMES[what]]
    if len(found) > 1:
        raise TableError(
            f"The table {scan.name} has more than one column for the {what}: {', '.join(found)}",
            "Leave one of them, or give the others names that mean something else.",
        )
    if not found:
        zones = "; until 2010 the city published coordinates instead of zones" if "zone" in what else ""
        raise TableError(
            f"The table {scan.name} has no column for the {what}{zones}",
            f"It has {', '.join(scan.columns[:40])}. Name a file of trips of yellow, green or high-volume hire cars.",
        )
    return found[0]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _moment(scan: Scan, name: str) -> str:
    import pyarrow as pa

    kind = _type_of(scan, name)
    if pa.types.is_timestamp(kind):
        # DuckDB turns moments of a zone into plain ones only where they are not of nanoseconds.
        return f"make_timestamp(epoch_ns({quoted(name)}) // 1000)" if kind.tz else quoted(name)
    if _is_text(kind):
        return f"TRY_CAST({quoted(name)} AS TIMESTAMP)"
    raise _unfit(scan, name, kind, "a time")


def _whole(scan: Scan, name: str) -> str:
    import pyarrow as pa

    kind = _type_of(scan, name)
    if pa.types.is_integer(kind):
        return quoted(name)
    if _is_text(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return f"TRY_CAST({quoted(name)} AS INTEGER)"
    raise _unfit(scan, name, kind, "the number of a zone")


def _amount(scan: Scan, name: str) -> str:
    import pyarrow as pa

    kind = _type_of(scan, name)
    if pa.types.is_float64(kind):
        return quoted(name)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or _is_text(kind):
        return f"TRY_CAST({quoted(name)} AS DOUBLE)"
    raise _unfit(scan, name, kind, "a distance")


def _type_of(scan: Scan, name: str) -> pa.DataType:
    import pyarrow as pa

    kind = scan.types[name]
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _unfit(scan: Scan, name: str, kind: pa.DataType, wanted: str) -> TableError:
    said = "holds no values" if str(kind) == "null" else f"is {kind}, and should be {wanted}"
    return TableError(f"The column '{name}' of {scan.name} {said}", "Check what wrote it.")
