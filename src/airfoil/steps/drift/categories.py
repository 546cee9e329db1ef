"""Count the values of a column of text or truth values on both sides, as long as they are few enough to be categories.

What has more different values than the limit is an identifier or free text: it has no distribution to compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.steps.drift.passes import SIDES

if TYPE_CHECKING:
    import pyarrow as pa

MOST_VALUES = 100_000
_BYTES_OF_VALUE = 200


class Tallying:
    """Counts each value; gives up when there are too many."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self.most = most
        self.rows = [0 for _ in SIDES]
        self.missing = [0 for _ in SIDES]
        self._counts: tuple[dict[str, int], ...] = tuple({} for _ in SIDES)
        self._has_too_many = [False for _ in SIDES]
        self.memory = len(SIDES) * most * _BYTES_OF_VALUE

    @property
    def has_too_many(self) -> bool:
        """Whether either side has more values than are counted."""
        return any(self._has_too_many)

    def take(self, side: int, array: pa.Array) -> None:
        """Count one batch."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(array.type):
            # A null may stand in the dictionary, where the array's own count does not see it.
            array = array.dictionary_decode()
        self.rows[side] += len(array)
        self.missing[side] += array.null_count
        if self._has_too_many[side]:
            return
        counts = self._counts[side]
        found = pc.value_counts(array.drop_null() if array.null_count else array)
        for value, count in zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True):
            name = str(value).lower() if isinstance(value, bool) else str(value)
            counts[name] = counts.get(name, 0) + count
        if len(counts) > self.most:
            self._has_too_many[side] = True
            counts.clear()

    def add(self, side: int, value: str | None, times: int) -> None:
        """Add a value that another has counted; its rows are known already."""
        counts = self._counts[side]
        if value is None:
            self.missing[side] += times
        else:
            counts[value] = counts.get(value, 0) + times
            self._has_too_many[side] = self._has_too_many[side] or len(counts) > self.most

    def different(self, side: int) -> int:
        """Return how many values a side has."""
        return len(self._counts[side])

    def table(self) -> list[tuple[str, int, int]]:
        """Return each value with its counts, the most frequent first; equal ones by name."""
        reference, current = self._counts
        rows = [(value, reference.get(value, 0), current.get(value, 0)) for value in {**reference, **current}]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))


def is_category(left: pa.DataType, right: pa.DataType) -> bool:
    """Tell whether both types hold text, or both truth values, or one of them nothing."""
    families = {_family(left), _family(right)} - {"nothing"}
    return len(families) == 1 and families <= {"text", "truth"}


def _family(kind: pa.DataType) -> str:
    import pyarrow as pa

    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_null(plain):
        return "nothing"
    if pa.types.is_boolean(plain):
        return "truth"
    if pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain):
        return "text"
    return str(plain)
