"""Files of one table on this machine: which ones a path means, what each of them is, and all of them as Parquet.

Parquet is read where it lies; CSV and Arrow files are written once as Parquet, which every engine reads in parts and by
column. What a file is, its first bytes say; its name only decides where they do not.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from airfoil.clients.csv_tables import CsvFormat, convert_csv
from airfoil.errors import AirfoilError, NotFoundError, StorageError, TableError
from airfoil.table_faults import table_fault

Kind = Literal["parquet", "arrow", "arrow stream", "csv"]
SUFFIXES = frozenset({".parquet", ".pq", ".arrow", ".feather", ".ipc", ".csv", ".tsv", ".txt", ".gz"})
_FIRST_BYTES = 4096
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class TableFiles:
    """A table as Parquet files of this machine: all that a step needs to know (`Scan.of_parquet`)."""

    name: str
    paths: tuple[Path, ...]


def local_files(path: str, name: str) -> list[Path]:
    """Return the files that a path, a folder or a pattern means, in the order of their names."""
    whole = Path(path).expanduser()
    if whole.is_file():
        return [whole]
    if whole.is_dir():
        found = [one for one in whole.rglob("*") if one.suffix.lower() in SUFFIXES and _is_shown(one, whole)]
    else:
        found = [Path(one) for one in glob.glob(str(whole), recursive=True)]  # noqa: PTH207 - the pattern is absolute
    files = sorted(one for one in found if one.is_file())
    if not files:
        raise NotFoundError(
            f"There is no table {name}: nothing lies at {path}",
            "Check the path; a relative one begins at the folder where the task runs.",
        )
    return files


def table_of_files(files: Sequence[Path], folder: Path, name: str, csv: CsvFormat) -> TableFiles:
    """Return files that are one table as Parquet; what is not yet is written as such below `folder`."""
    kinds = [kind_of_file(path) for path in files]
    if len(set(kinds)) > 1:
        other = next(path for path, kind in zip(files, kinds, strict=True) if kind != kinds[0])
        raise TableError(
            f"The files of {name} are of several kinds: {files[0].name} and {other.name}",
            "Name the files of one kind with a pattern, such as trips/*.parquet.",
        )
    if kinds[0] == "parquet":
        return TableFiles(name, tuple(files))
    targets = [folder / "tables" / str(number) / path.name for number, path in enumerate(files)]
    for target in targets:
        target.parent.mkdir(parents=True)
    if kinds[0] == "csv":
        _convert_csv_files(files, targets, csv)
    else:
        for path, target, kind in zip(files, targets, kinds, strict=True):
            _convert_arrow(path, target, is_stream=kind == "arrow stream")
    return TableFiles(name, tuple(targets))


def _convert_csv_files(files: Sequence[Path], targets: Sequence[Path], csv: CsvFormat) -> None:
    """Write CSV files with the same types: those of the first one, wider where a later one asks for it."""
    first = convert_csv(files[0], targets[0], csv)
    last = first
    for path, target in zip(files[1:], targets[1:], strict=True):
        last = convert_csv(path, target, last)
    if last.types != first.types:
        for path, target in zip(files, targets, strict=True):
            convert_csv(path, target, last)


def kind_of_file(path: Path) -> Kind:
    """Return what a file is; what is no table is a TableError."""
    try:
        with path.open("rb") as file:
            head = file.read(_FIRST_BYTES)
    except OSError as error:
        raise table_fault(error, path.name) or StorageError(f"{path.name} cannot be read") from error
    if not head:
        raise TableError(
            f"{path.name} is empty: it has no bytes at all", "Check what should have written it."
        )
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    if head.startswith(b"\xff\xff\xff\xff"):
        return "arrow stream"
    suffix = path.suffix.lower()
    if suffix in {".parquet", ".pq", ".arrow", ".feather", ".ipc"}:
        raise TableError(
            f"{path.name} is no {'Parquet' if suffix in {'.parquet', '.pq'} else 'Arrow'} file, whatever its name says",
            "Check what wrote it: a page that says 'not found' is often kept under such a name.",
        )
    if head.lstrip()[:1] in {b"{", b"[", b"<"}:
        raise TableError(
            f"{path.name} looks like JSON or HTML, and is read neither way", "Write it as Parquet or CSV."
        )
    return "csv"


def _is_shown(path: Path, below: Path) -> bool:
    """Whether nothing on the way to a file is hidden or marked as unfinished, as Spark and others do it."""
    return not any(part.startswith((".", "_")) for part in path.relative_to(below).parts)


def _convert_arrow(path: Path, target: Path, *, is_stream: bool) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.memory_map(str(path)) as source:
            if is_stream:
                reader = pa.ipc.open_stream(source)
                batches = iter(reader)
            else:
                reader = pa.ipc.open_file(source)
                batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
            with pq.ParquetWriter(target, reader.schema) as writer:
                for batch in batches:
                    for start in range(0, batch.num_rows, _BATCH_ROWS):
                        writer.write_batch(batch.slice(start, _BATCH_ROWS))
    except (pa.ArrowException, OSError) as error:
        fault: AirfoilError | None = table_fault(error, path.name)
        raise fault or TableError(f"{path.name} cannot be read as Arrow: {error}") from error
