"""Keys of any type and number as one small whole number, the same on both sides of a join.

Equal means what SQL means by it: a null equals nothing, not even another null. Numbers are compared as numbers,
whichever width they have; a number and a text are never equal, and are refused instead of joined to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import TableError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

NOBODY = -1
_CODE = "__airfoil_code"
_MOST_PLACES = 2**24
"""64 MiB."""


class KeyCodes:
    """The different keys of the entity rows, numbered; rows of other tables are looked up in them."""

    def __init__(
        self, entities: pl.DataFrame, schema: pl.Schema, keys: Mapping[str, str], table: str
    ) -> None:
        """Number the keys; `keys` are columns of the feature table, of that schema, by columns of the entities."""
        import polars as pl

        self._theirs = tuple(keys.values())
        self._places = tuple(f"key{number}" for number in range(len(keys)))
        self._types = tuple(
            _common(entities.schema[ours], schema[theirs], ours, theirs, table)
            for ours, theirs in keys.items()
        )
        own = self._aligned(entities, tuple(keys))
        known = own.drop_nulls().unique()
        self._known = known.with_columns(pl.int_range(len(known), dtype=pl.Int32).alias(_CODE))
        self._close = _CloseNumbers.of(known) if self._types == (pl.Int64(),) else None
        self.count = len(known) if keys else 1
        self.of_entities = self._look_up(own, len(entities))

    def of(self, rows: pl.DataFrame) -> NDArray[np.int32]:
        """Return the number of each row's key, NOBODY for a key that no entity row has."""
        return self._look_up(self._aligned(rows, self._theirs), len(rows))

    def _aligned(self, rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
        import polars as pl

        places = zip(columns, self._types, self._places, strict=True)
        return pl.DataFrame([_cast(rows[column], kind).alias(place) for column, kind, place in places])

    def _look_up(self, keys: pl.DataFrame, rows: int) -> NDArray[np.int32]:
        import numpy as np

        if not self._places:
            return np.zeros(rows, np.int32)
        if self._close is not None:
            return self._close.look_up(keys.to_series())
        found = keys.join(self._known, on=self._places, how="left", maintain_order="left")[_CODE]
        return found.fill_null(NOBODY).to_numpy()


@dataclass(frozen=True)
class _CloseNumbers:
    """Whole numbers that lie so close together that an array has a place for each: ten times as fast as hashing."""

    low: int
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, known: pl.DataFrame) -> _CloseNumbers | None:
        """Number the keys by their order in the frame; None where they lie too far apart."""
        import numpy as np

        keys = known.to_series().to_numpy()
        low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, -1)
        if high - low >= _MOST_PLACES:
            return None
        codes = np.full(high - low + 1, NOBODY, np.int32)
        codes[keys - low] = np.arange(len(keys), dtype=np.int32)
        return cls(low, codes)

    def look_up(self, keys: pl.Series) -> NDArray[np.int32]:
        """Return the number of each key, NOBODY for a null and for one that is not there."""
        import numpy as np

        found = np.full(len(keys), NOBODY, np.int32)
        if not len(self.codes):
            return found
        is_near = keys.is_between(self.low, self.low + len(self.codes) - 1)
        if is_near.all(ignore_nulls=False):
            return np.asarray(self.codes[keys.to_numpy() - self.low])
        near = np.flatnonzero(is_near.fill_null(value=False).to_numpy())
        found[near] = self.codes[keys.gather(near).to_numpy() - self.low]
        return found


def _common(ours: pl.DataType, theirs: pl.DataType, key: str, their_key: str, table: str) -> pl.DataType:
    """Return a type that holds the values of both sides without loss."""
    import polars as pl

    for one, other in ((ours, theirs), (theirs, ours)):
        if one == pl.Null:
            return _plain(other)
        if one.is_integer() and (other.is_integer() or other.is_float()):
            # A whole number that went through pandas beside a null is a float; it is still that whole number.
            return pl.Int128() if pl.UInt64 in {ours, theirs} else pl.Int64()
        if isinstance(one, pl.Decimal) and (isinstance(other, pl.Decimal) or other.is_integer()):
            return pl.Decimal(38, max(_scale(one), _scale(other)))
        if isinstance(one, pl.Datetime) and isinstance(other, pl.Datetime):
            return pl.Datetime("ns" if "ns" in {one.time_unit, other.time_unit} else "us", "UTC")
    left, right = _plain(ours), _plain(theirs)
    if left != right or left.is_nested():
        raise TableError(
            f"The key '{key}' holds {ours}, and '{their_key}' of {table} holds {theirs}",
            "Write both as the same kind of number or text.",
        )
    return left


def _plain(dtype: pl.DataType) -> pl.DataType:
    import polars as pl

    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.String()
    return pl.Float64() if dtype.is_float() else dtype


def _scale(dtype: pl.DataType) -> int:
    return int(getattr(dtype, "scale", 0) or 0)


def _cast(values: pl.Series, kind: pl.DataType) -> pl.Series:
    import polars as pl

    if values.dtype.is_float() and kind.is_integer():
        whole = values.is_finite() & (values == values.round())
        return values.set(~whole.fill_null(value=False), None).cast(kind, strict=False)
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is None:
        values = values.dt.replace_time_zone("UTC")
    return values if values.dtype == kind else values.cast(kind, strict=False)
