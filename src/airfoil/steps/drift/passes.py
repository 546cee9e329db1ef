"""Read two tables once, both at the same time, and hand each column to whoever wants it.

Measuring a column takes a few passes, and each next one depends on what the last one found. A measurement is therefore
a generator: it yields what shall take the column in the next pass. All columns share the passes. Must not compute.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.scans import Scan

SIDES = REFERENCE, CURRENT = 0, 1
_BATCH_CELLS = 2**21
# What is computed with a batch of a column stays in the processor's cache, and is too small for the allocator to give
# back to the system each time: fetching it again costs more than the arithmetic.
_FEWEST_ROWS, _MOST_ROWS = 1024, 2**15


class Taker(Protocol):
    """Something that looks at a column, batch by batch; the sides come in two threads and must not share state."""

    memory: int
    """How many bytes it will hold at most, about."""

    def take(self, side: int, array: pa.Array) -> None:
        """Look at one batch of one side."""
        ...


Measured = TypeVar("Measured")
Measurement = Generator[Taker, None, Measured]


def run(
    tables: tuple[Scan, Scan],
    measurements: Mapping[str, Measurement[Measured]],
    *,
    memory: int,
) -> dict[str, Measured]:
    """Carry measurements out, in as few passes as the memory allows; what each of them returned, by column."""
    found: dict[str, Measured] = {}
    following = _started(measurements, list(measurements), found)
    while following:
        waiting, following = following, {}
        while waiting:
            group = _taken(waiting, memory)
            _read(tables, group)
            # At once: what a group holds is not kept until the others have been read.
            names = list(group)
            del group
            following |= _started(measurements, names, found)
    return found


def _started(
    measurements: Mapping[str, Measurement[Measured]], names: Iterable[str], found: dict[str, Measured]
) -> dict[str, Taker]:
    """Let measurements go on; what they want next, and into `found` what those returned that have ended."""
    wanted = {}
    for name in names:
        try:
            wanted[name] = next(measurements[name])
        except StopIteration as end:
            found[name] = end.value
    return wanted


def batch_rows(columns: int) -> int:
    """Return how many rows a batch may have, so that it is neither large in memory nor small to compute with."""
    return max(_FEWEST_ROWS, min(_MOST_ROWS, _BATCH_CELLS // max(1, columns)))


def _taken(waiting: dict[str, Taker], memory: int) -> dict[str, Taker]:
    """Take out what fits into the memory together; what does not fit alone goes alone."""
    group: dict[str, Taker] = {}
    used = 0
    for name, taker in list(waiting.items()):
        if group and used + taker.memory > memory:
            break
        group[name] = waiting.pop(name)
        used += taker.memory
    return group


def _read(tables: tuple[Scan, Scan], takers: Mapping[str, Taker]) -> None:
    rows = batch_rows(len(takers))

    def read(side: int) -> None:
        for batch in tables[side].batches(list(takers), rows):
            for column, taker in takers.items():
                taker.take(side, batch.column(column))

    # A pool of two, because one side decodes while the other counts; the first error of either is raised.
    with ThreadPoolExecutor(len(SIDES), "drift") as pool:
        list(pool.map(read, SIDES))
