"""Files are mended whole or not at all."""

from __future__ import annotations

import os

import pytest

from airfoil.errors import StorageError
from airfoil.stack.dag_checks.repair import repair
from airfoil.stack.dag_checks.scope import loose_scope

pytestmark = pytest.mark.unit
OLD = "import os\nfrom airflow import DAG\n\nDAG('x', schedule_interval=None)\n"


def test_a_file_is_mended_and_what_changed_is_told(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(OLD, encoding="utf-8")
    path.chmod(0o640)
    (change,) = repair(loose_scope(tmp_path, tmp_path))
    assert path.read_text(encoding="utf-8") == "from airflow.sdk import DAG\n\nDAG('x', schedule=None)\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert change.file == "a.py"
    assert "-from airflow import DAG" in change.diff
    assert "+from airflow.sdk import DAG" in change.diff
    assert os.listdir(tmp_path) == ["a.py"]  # noqa: PTH208 - names are what is looked for


def test_an_unused_import_alone_is_no_reason_to_touch_a_file(tmp_path):
    (tmp_path / "a.py").write_text("import os\n", encoding="utf-8")
    assert list(repair(loose_scope(tmp_path, tmp_path))) == []


def test_ruff_may_not_make_a_file_worse(tmp_path):
    """It renames `timetable` to `schedule`, which is there already."""
    path = tmp_path / "a.py"
    text = "from airflow.sdk import DAG\n\nDAG('x', schedule=None, timetable=None)\n"
    path.write_text(text, encoding="utf-8")
    list(repair(loose_scope(tmp_path, tmp_path)))
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("content", [b"def (", b"\0dag", b""])
def test_what_is_not_python_stays(tmp_path, content):
    (tmp_path / "a.py").write_bytes(content)
    assert list(repair(loose_scope(tmp_path, tmp_path))) == []
    assert (tmp_path / "a.py").read_bytes() == content


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.py").write_text(OLD, encoding="utf-8")
    (tmp_path / "link.py").symlink_to(tmp_path / "real/a.py")
    assert len(list(repair(loose_scope(tmp_path / "link.py", tmp_path)))) == 1
    assert (tmp_path / "link.py").is_symlink()
    assert "schedule=None" in (tmp_path / "real/a.py").read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path):
    (tmp_path / "a.py").write_text(OLD, encoding="utf-8")
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError):
        list(repair(loose_scope(tmp_path, tmp_path)))
    tmp_path.chmod(0o700)
