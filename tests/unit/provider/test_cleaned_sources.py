"""A crawled file becomes a clean table kept by its version, and its rejects lie beside it."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from airfoil.errors import ConfigurationError, TableError
from airfoil.provider.cleaned_sources import clean_source
from airfoil.records import DataRef

pytestmark = pytest.mark.unit
CONTRACT = {
    "columns": {
        "size": {"type": "number", "nullable": False},
        "kind": {"type": "text", "nullable": False, "one_of": ["a", "b"]},
    }
}


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    return tmp_path / "work"


@pytest.fixture
def crawled(tmp_path):
    """Return what `crawl` would, for a file with this text."""

    def crawled(text, suffix=".csv"):
        path = tmp_path / f"20260101T000000Z-abc{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        ref = DataRef(uri=path.as_uri(), content_hash="sha256:1").to_json()
        return {"raw": ref, "source": "flowers", "version": "20260101T000000Z-abc"}

    return crawled


def test_both_parts_lie_in_the_folder_of_their_version(work, crawled):
    found = clean_source(
        crawled("size,kind\n1.5,a\nwide,b\n2,b\n"), CONTRACT, target="kind", most_rejected=0.5
    )
    folder = work / "data" / "processed" / "flowers" / "20260101T000000Z-abc"
    assert {path.name for path in folder.iterdir()} == {"rows.parquet", "rejects.parquet"}
    assert pq.read_table(folder / "rows.parquet").to_pylist() == [
        {"size": 1.5, "kind": "a"},
        {"size": 2.0, "kind": "b"},
    ]
    (rejected,) = pq.read_table(folder / "rejects.parquet").to_pylist()
    assert (rejected["row"], rejected["reasons"], rejected["size"]) == (2, ["size is no number"], "wide")
    assert (found.rows.rows, found.counted.rejected, found.classes) == (2, 1, ("a", "b"))
    assert found.to_json()["counted"]["reasons"] == {"size is no number": 1}


def test_a_version_that_is_cleaned_again_is_the_same(crawled):
    given = crawled("size,kind\n1.5,a\n")
    assert (
        clean_source(given, CONTRACT, target="kind").to_json()
        == clean_source(given, CONTRACT, target="kind").to_json()
    )


def test_other_delimiters_and_packed_files_are_read(crawled):
    import gzip

    packed = gzip.compress(b"size;kind\n1.5;a\n")
    assert clean_source(crawled(packed, ".csv.gz"), CONTRACT, target="kind").rows.rows == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("width,kind\n1,a\n", "flowers has no column 'size'; it has width, kind"),
        ("size,kind\nx,a\n", "flowers has too few rows: 0 rows taken, 1 rejected: size is no number"),
        ("size,kind\n1,a\nx,a\n", "flowers is not what it was: 1 rows taken, 1 rejected"),
        ("size,kind\n1,a\n1,a,7\n", "of 3 fields where its header has 2"),
        ("<!doctype html><p>404", "looks like JSON or HTML"),
        ("", "is empty"),
    ],
)
def test_a_source_that_is_no_good_is_told_in_a_sentence(crawled, text, sentence):
    with pytest.raises(TableError) as raised:
        clean_source(crawled(text), CONTRACT, target="kind")
    assert sentence in raised.value.message


def test_the_rejects_of_a_refused_source_are_kept(work, crawled):
    with pytest.raises(TableError):
        clean_source(crawled("size,kind\n1,a\nx,a\n"), CONTRACT, target="kind")
    assert len(list(work.rglob("rejects.parquet"))) == 1


def test_what_crawl_did_not_return_is_refused(crawled):
    with pytest.raises(ConfigurationError, match="does not say its 'raw'"):
        clean_source({}, CONTRACT, target="kind")
    with pytest.raises(ConfigurationError, match="which classes the column 'size' has"):
        clean_source(crawled("size,kind\n1,a\n"), CONTRACT, target="size")
