"""Where tables and records of a run lie: written whole or not at all, under a name, with a hash of what was written.

Tables are Parquet, texts are what they are. polars, pandas and pyarrow are used by the frame that was handed in and
never imported for asking. Local folders only; another kind of store would be another class with the same methods. Must
not know which run or task writes.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airfoil.errors import ConfigurationError, NotFoundError, StorageError
from airfoil.records import DataRef

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as pads

SUFFIX = ".parquet"


class FolderStore:
    """Tables below one folder of this machine, or of a disk that all machines share."""

    def __init__(self, root: Path) -> None:
        """Name the folder; it is made when something is written."""
        self.root = root

    def path(self, name: str) -> Path:
        """Return the path of a name below the root; its folder exists afterwards."""
        path = self.root / name
        if not name.strip() or path == self.root or not path.is_relative_to(self.root) or ".." in path.parts:
            raise ConfigurationError(
                f"'{name}' is no name for data of a task", "Give a name such as 'train' or 'parts/train'."
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(path, error) from error
        return path

    def write(self, name: str, frame: Any) -> DataRef:
        """Write a frame as Parquet; the name leads to the old table or to the whole new one, never to a part."""
        path = self.path(name)
        if path.suffix != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
        return _written(path, lambda unfinished: _write_parquet(frame, unfinished))

    def write_text(self, name: str, text: str) -> DataRef:
        """Write a text, such as a page or a record as JSON, under its whole name; whole or not at all, as a frame."""

        def write(unfinished: Path) -> None:
            unfinished.write_text(text, encoding="utf-8")

        return _written(self.path(name), write)

    def open(self, ref: DataRef) -> pads.Dataset:
        """Return a table as an Arrow dataset, which reads columns and rows when they are asked for, again and again."""
        import pyarrow.dataset

        return pyarrow.dataset.dataset(_existing(ref), format="parquet")

    def read(self, ref: DataRef) -> pa.Table:
        """Return a whole table in memory."""
        return self.open(ref).to_table()


def read_text(ref: DataRef) -> str:
    """Return a text that some task wrote; one that is not what the reference says is refused."""
    path = _existing(ref)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read: {error.strerror or error}", "Give this user the right to read it."
        ) from error
    if ref.content_hash != f"sha256:{hashlib.sha256(content).hexdigest()}":
        raise StorageError(
            f"{path} is not what was written there",
            "Clear the task that wrote it, so that it is written again.",
        )
    return content.decode()


def _written(path: Path, write: Callable[[Path], int | None]) -> DataRef:
    """Let a file be written under another name, and give it its own when it is whole."""
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        rows = write(unfinished)
        with unfinished.open("rb") as written:
            content = hashlib.file_digest(written, "sha256").hexdigest()
            os.fsync(written.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise _not_writable(path, error) from error
    finally:
        with suppress(OSError):  # it has its name by now, or was never made
            unfinished.unlink()
    return DataRef(uri=path.as_uri(), content_hash=f"sha256:{content}", rows=rows)


def path_of(ref: DataRef) -> Path:
    """Return where data lies on this machine, whether it is there or not."""
    parts = urlsplit(ref.uri)
    if parts.scheme not in {"file", ""} or parts.netloc:
        raise ConfigurationError(
            f"{ref.uri} does not lie in a folder", "This version reads data of local or shared folders only."
        )
    return Path(unquote(parts.path) if parts.scheme else ref.uri)


def _existing(ref: DataRef) -> Path:
    path = path_of(ref)
    if not path.exists():
        raise NotFoundError(
            f"The data {ref.uri} is not there", "Clear the task that wrote it, so that it is written again."
        )
    return path


def _write_parquet(frame: Any, path: Path) -> int | None:
    """Write with the frame's own library; return the number of rows where it is known without a look at all of them."""
    library, kind = type(frame).__module__.partition(".")[0], type(frame).__name__
    if library == "polars" and kind == "LazyFrame":
        frame.sink_parquet(path)
        return _rows_of(path)
    if library == "polars" and kind == "DataFrame":
        frame.write_parquet(path)
        return len(frame)
    if library == "pandas" and kind == "DataFrame":
        frame.to_parquet(path)
        return len(frame)
    if library == "pyarrow" and kind in {"Table", "RecordBatch", "RecordBatchReader"}:
        return _write_arrow(frame, path)
    raise ConfigurationError(
        f"A {type(frame).__module__}.{kind} cannot be written as a table",
        "Give a polars, pandas or pyarrow table, or write a file of your own to `work.path(name)`.",
    )


def _write_arrow(frame: Any, path: Path) -> int:
    import pyarrow.parquet

    rows = 0
    batches = [frame] if type(frame).__name__ == "RecordBatch" else frame
    if type(frame).__name__ == "Table":
        pyarrow.parquet.write_table(frame, path)
        return int(frame.num_rows)
    with pyarrow.parquet.ParquetWriter(path, frame.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _rows_of(path: Path) -> int | None:
    try:
        import pyarrow.parquet
    except ImportError:
        return None
    return int(pyarrow.parquet.read_metadata(path).num_rows)


def _not_writable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written: {error.strerror or error}",
        "Free space, or let [airfoil] work_area in Airflow's configuration name a folder that tasks may write to.",
    )
