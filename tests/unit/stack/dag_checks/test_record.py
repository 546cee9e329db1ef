"""The record of a check: its mark changes with the files, and a damaged one is none."""

from __future__ import annotations

import json
import os

import pytest

from airfoil.stack.dag_checks.record import FILE, CheckRecord, load, mark_of, save

pytestmark = pytest.mark.unit
RECORD = CheckRecord("m", ("/shop/dags",), 3, 1, 0, ({"file": "a.py", "line": 1},))


def test_a_record_survives_its_file(tmp_path):
    save(tmp_path, RECORD)
    assert load(tmp_path) == RECORD
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"schema": 2}', '{"schema": 1, "mark": "x"}'])
def test_a_damaged_record_is_none(tmp_path, content):
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    assert load(tmp_path) is None


def test_a_record_of_a_newer_release_is_none(tmp_path):
    save(tmp_path, RECORD)
    found = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))
    (tmp_path / FILE).write_text(json.dumps(found | {"more": 1}), encoding="utf-8")
    assert load(tmp_path) is None


def test_the_mark_follows_python_files_and_nothing_else(tmp_path):
    (tmp_path / "a.py").write_text("x", encoding="utf-8")
    folders = [str(tmp_path), str(tmp_path / "none")]
    marks = [mark_of(folders)]
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/b.py").write_text("x", encoding="utf-8")
    assert mark_of(folders) == marks[0]
    (tmp_path / "b.py").write_text("x", encoding="utf-8")
    marks.append(mark_of(folders))
    os.utime(tmp_path / "b.py", (1, 1))
    marks.append(mark_of(folders))
    (tmp_path / "b.py").unlink()
    assert mark_of(folders) == marks[0]
    assert len(set(marks)) == 3
