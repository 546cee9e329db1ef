"""What engines raise becomes one sentence of ours; what is our own bug stays what it is."""

from __future__ import annotations

import errno

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from airfoil.errors import NotFoundError, StorageError, TableError
from airfoil.table_faults import table_fault

pytestmark = pytest.mark.unit


class PanicException(BaseException):
    """As polars raises one: no Exception, and of a module of its own."""

    __module__ = "pyo3_runtime"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "no"), NotFoundError, "is not there"),
        (duckdb.IOException("IO Error: No files found that match"), NotFoundError, "is not there"),
        (PermissionError(errno.EACCES, "no"), StorageError, "may not be read"),
        (OSError(errno.ENOSPC, "No space left on device"), StorageError, "disk is full"),
        (duckdb.OutOfMemoryException("could not allocate block"), StorageError, "more memory"),
        (MemoryError(), StorageError, "more memory"),
        (pa.ArrowInvalid("Parquet magic bytes not found in footer"), TableError, "cut short"),
        (OSError("failed to fill whole buffer"), TableError, "cut short"),
        (PanicException("range.end as u64 <= self.size"), TableError, "cut short"),
        (PanicException("anything"), TableError, "cut short"),
        (pl.exceptions.ComputeError("strange"), TableError, "cannot be read: strange"),
        (pa.ArrowNotImplementedError("a type"), TableError, "cannot be read: a type"),
    ],
)
def test_a_fault_of_the_table_is_told(error, kind, said):
    fault = table_fault(error, "trips")
    assert type(fault) is kind
    assert said in fault.message
    assert "trips" in fault.message
    assert fault.next_move


@pytest.mark.parametrize(
    "error",
    [
        ValueError("not of an engine"),
        KeyboardInterrupt(),
        pl.exceptions.ColumnNotFoundError("x"),
        duckdb.BinderException("x"),
    ],
)
def test_what_is_no_fault_of_a_table_stays_what_it_is(error):
    assert table_fault(error, "trips") is None
