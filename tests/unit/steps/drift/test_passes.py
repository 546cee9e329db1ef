from __future__ import annotations

import pyarrow as pa
import pytest

from airfoil.steps.drift.passes import batch_rows, run
from airfoil.steps.scans import Scan

pytestmark = pytest.mark.unit


class Summing:
    def __init__(self, memory=1):
        self.memory = memory
        self.sums = [0, 0]

    def take(self, side, array):
        self.sums[side] += sum(array.to_pylist())


def twice():
    first = Summing()
    yield first
    second = Summing()
    yield second
    return [*first.sums, *second.sums]


def once(memory=1):
    taker = Summing(memory)
    yield taker
    return taker.sums


def scans():
    reference = Scan.of_table(pa.table({"a": [1, 2], "b": [3, 4]}))
    return reference, Scan.of_table(pa.table({"b": [5], "a": [6]}))


def test_measurements_share_passes_and_return_what_they_found():
    assert run(scans(), {"a": twice(), "b": once()}, memory=100) == {"a": [3, 6, 3, 6], "b": [7, 5]}


def test_what_does_not_fit_together_is_read_one_after_the_other():
    opened = []

    class Watched:
        def __init__(self, scan):
            self.scan, self.name, self.schema = scan, scan.name, scan.schema

        def batches(self, columns=(), rows=1):
            opened.append(list(columns))
            return self.scan.batches(columns, rows)

    tables = tuple(Watched(scan) for scan in scans())
    assert run(tables, {"a": once(60), "b": once(60)}, memory=100) == {"a": [3, 6], "b": [7, 5]}
    assert sorted(opened) == [["a"], ["a"], ["b"], ["b"]]


def test_what_a_group_holds_is_given_away_before_the_next_is_read():
    told = []

    def measurement(name):
        taker = Summing(60)
        yield taker
        told.append(f"{name} has {sum(taker.sums)}")
        second = Summing(60)
        second.take = lambda side, array: told.append(f"{name} again")
        yield second
        return name

    found = run(scans(), {"a": measurement("a"), "b": measurement("b")}, memory=100)
    assert found == {"a": "a", "b": "b"}
    assert told[:2] == ["a has 9", "b has 12"]
    assert sorted(told[2:]) == ["a again"] * 2 + ["b again"] * 2


def test_an_error_of_either_side_comes_out():
    class Broken(Summing):
        def take(self, side, array):
            if side:
                raise ValueError("damaged")

    def measurement():
        yield Broken()

    with pytest.raises(ValueError, match="damaged"):
        run(scans(), {"a": measurement()}, memory=1)


@pytest.mark.parametrize(("columns", "rows"), [(0, 2**15), (10, 2**15), (1000, 2097), (5000, 1024)])
def test_many_columns_come_in_small_batches(columns, rows):
    assert batch_rows(columns) == rows
