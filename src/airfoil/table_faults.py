"""What engines raise about a table that cannot be read, told in one sentence: truncated, vanished, not a table at all.

polars, DuckDB and Arrow each have their own words for the same misfortune, and change them between releases. Only what
is certain is named; the rest is told as what it is, with the first line of what was said. Nothing is imported here.
"""

from __future__ import annotations

import errno

from airfoil.errors import AirfoilError, NotFoundError, StorageError, TableError

# Raised when we ask wrongly: a bug of ours, and not a fault of the table.
_OURS = frozenset(
    {"ColumnNotFoundError", "BinderException", "CatalogException", "ParserException", "ShapeError"}
)
_ENGINES = ("polars", "duckdb", "_duckdb", "pyarrow", "pyo3_runtime")
_DAMAGED = (
    "magic bytes",
    "file size is",
    "not enough bytes",
    "could not read enough bytes",
    "failed to fill whole buffer",
    "range.end",
    "couldn't deserialize thrift",
    "end of file",
    "unexpected eof",
    "invalid parquet",
    "not a parquet",
    "file out of specification",
    "corrupt",
    "truncated",
    "larger than file size",
    "decompress",
)
_GONE = ("no such file", "no files found")
_FULL = ("no space left", "disk full", "failed to offload")
_MEMORY = ("out of memory", "failed to allocate", "could not allocate", "malloc of size")


def table_fault(error: BaseException, name: str) -> AirfoilError | None:
    """Return what to say instead of an error that came up while the table `name` was read; None for a bug of ours."""
    if type(error).__name__ in _OURS:
        return None
    said = " ".join(str(error).split())
    text = said.lower()
    if isinstance(error, MemoryError) or (_is_foreign(error) and _has(text, _MEMORY)):
        return StorageError(
            f"Checking {name} needs more memory than it may have",
            "Raise the memory limit, or look at fewer columns at a time.",
        )
    if isinstance(error, FileNotFoundError) or (_is_foreign(error) and _has(text, _GONE)):
        return NotFoundError(
            f"The table {name} is not there, or vanished while it was read", "Check its path; then try again."
        )
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM}:
        return StorageError(f"The table {name} may not be read", "Give this user the right to read it.")
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or (
        _is_foreign(error) and _has(text, _FULL)
    ):
        return StorageError(
            f"The disk is full, and checking {name} needs room for temporary files",
            "Free some space, or point the work folder at a larger disk.",
        )
    if _is_damage(error, text):
        return TableError(
            f"The table {name} is damaged or was cut short: {said[:200]}",
            "Write it again; a file that is still being written should have another name until it is complete.",
        )
    if _is_foreign(error) or isinstance(error, OSError):
        return TableError(f"The table {name} cannot be read: {said[:300]}", "Check what wrote it.")
    return None


def _is_foreign(error: BaseException) -> bool:
    return any(kind.__module__.partition(".")[0] in _ENGINES for kind in type(error).__mro__)


def _is_damage(error: BaseException, text: str) -> bool:
    # polars panics on a file that shrinks under it, with a BaseException of its own.
    return (_is_foreign(error) or isinstance(error, OSError)) and (
        _has(text, _DAMAGED) or type(error).__name__ == "PanicException"
    )


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)
