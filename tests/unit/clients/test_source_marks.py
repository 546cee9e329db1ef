"""What was worked off is remembered whole or not at all, and a damaged memory is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airfoil.clients.source_marks import FILE, SourceMark, digest_of, read_mark, write_mark
from airfoil.errors import StorageError

pytestmark = pytest.mark.unit
MARK = SourceMark(
    content_hash="sha256:1", settings_digest="d", dag_run="p/r", at=datetime(2026, 1, 1, tzinfo=UTC)
)


def test_a_mark_is_kept_and_replaced(tmp_path):
    assert read_mark(tmp_path / "new") is None
    write_mark(tmp_path / "new", MARK)
    assert read_mark(tmp_path / "new") == MARK
    later = MARK.model_copy(update={"content_hash": "sha256:2"})
    write_mark(tmp_path / "new", later)
    assert read_mark(tmp_path / "new") == later
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"content_hash": ""}', "\x00"])
def test_a_damaged_mark_is_no_reason_to_skip(tmp_path, text):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert read_mark(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"finished\.json cannot be written"):
        write_mark(tmp_path / "file", MARK)


def test_settings_that_differ_have_another_digest():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
