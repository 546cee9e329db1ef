"""Tables below a folder: whole or absent, whatever library made them."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.object_store import FolderStore, read_text
from airfoil.errors import ConfigurationError, NotFoundError, StorageError
from airfoil.records import DataRef

pytestmark = pytest.mark.unit

COLUMNS = {"x": [1, 2, 3], "name": ["a", "b", None]}
TABLE = pa.table(COLUMNS)


def polars_like(kind, method):
    """A frame as polars has them; polars itself is no part of the platform."""

    def write(self, path):
        pq.write_table(TABLE, path)

    return type(kind, (), {"__module__": "polars.frame", "__len__": lambda self: 3, method: write})()


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "größe 1")


FRAMES = {
    "arrow table": lambda: TABLE,
    "arrow batch": lambda: TABLE.to_batches()[0],
    "arrow reader": lambda: pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches()),
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "polars": lambda: polars_like("DataFrame", "write_parquet"),
    "lazy polars": lambda: polars_like("LazyFrame", "sink_parquet"),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_any_frame_is_written_and_read_again(store, frame):
    ref = store.write("parts/train", frame())
    assert ref.rows == 3
    assert ref.content_hash.startswith("sha256:")
    assert ref.uri.startswith("file:///")
    assert store.read(ref).to_pydict() == COLUMNS
    dataset = store.open(ref)
    assert dataset.count_rows() == dataset.count_rows() == 3
    assert [path.name for path in (store.root / "parts").iterdir()] == ["train.parquet"]


def test_the_hash_is_of_the_content(store):
    first, again = store.write("a", TABLE), store.write("b", TABLE)
    other = store.write("a", TABLE.slice(1))
    assert first.content_hash == again.content_hash != other.content_hash
    assert store.read(first).num_rows == 2, "a name leads to what was written last"


def test_a_write_that_fails_leaves_the_old_table(store):
    ref = store.write("a", TABLE)

    def batches():
        yield TABLE.to_batches()[0]
        raise ValueError

    with pytest.raises(ValueError):
        store.write("a", pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    assert store.read(ref).to_pydict() == COLUMNS
    assert [path.name for path in store.root.iterdir()] == ["a.parquet"]


def test_a_full_disk_is_told_in_our_words(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        store.write("a", TABLE)
    assert "work_area" in caught.value.next_move
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("name", ["", " ", "../a", "/etc/a", "a/../../b", "."])
def test_a_name_stays_inside(store, name):
    with pytest.raises(ConfigurationError, match="is no name"):
        store.write(name, TABLE)


@pytest.mark.parametrize("thing", [None, 3, [1, 2], {"x": [1]}, pd.Series([1])])
def test_what_is_no_table_is_refused(store, thing):
    with pytest.raises(ConfigurationError, match="cannot be written as a table"):
        store.write("a", thing)
    assert not any(store.root.iterdir())


def test_data_that_is_gone_or_elsewhere_is_told(store):
    with pytest.raises(NotFoundError, match="is not there") as caught:
        store.open(DataRef(uri="file:///nowhere/a.parquet", content_hash="x"))
    assert "Clear the task" in caught.value.next_move
    with pytest.raises(ConfigurationError, match="does not lie in a folder"):
        store.open(DataRef(uri="s3://bucket/a.parquet", content_hash="x"))


def test_a_path_of_ones_own_has_its_folder(store):
    path = store.path("charts/one.png")
    path.write_bytes(b"x")
    assert path.is_relative_to(store.root)


def test_nothing_heavy_is_imported_before_there_is_a_frame():
    heavy = "{'pyarrow', 'polars', 'pandas'}"
    code = f"import airfoil.clients.object_store, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_text_is_written_whole_under_its_own_name(store):
    ref = store.write_text("parts/report.json", '{"ü": 1}')
    assert ref.uri.endswith("/parts/report.json")
    assert read_text(ref) == '{"ü": 1}'
    store.write_text("parts/report.json", "another")
    with pytest.raises(StorageError, match="is not what was written there"):
        read_text(ref)
    assert [path.name for path in (store.root / "parts").iterdir()] == ["report.json"]


def test_a_text_that_is_not_there_is_said(store):
    ref = store.write_text("report.json", "x")
    (store.root / "report.json").unlink()
    with pytest.raises(NotFoundError, match=r"report\.json is not there"):
        read_text(ref)
    (store.root / "report.json").mkdir()
    with pytest.raises(StorageError, match="cannot be read: Is a directory"):
        read_text(ref)
