"""ruff's answers, read into faults; and programs that are not what they seem."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.errors import NeighbourError
from airfoil.stack.dag_checks.ruff import ask_ruff, clean_with_ruff, find_ruff, mend_with_ruff

pytestmark = pytest.mark.unit
OLD = "from airflow.datasets import Dataset\n\nprint(Dataset('x'), nothing)\n"


def program() -> Path:
    found = find_ruff()
    assert found is not None
    return found


def test_old_names_and_undefined_ones_are_found(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(OLD, encoding="utf-8")
    found = ask_ruff(program(), {path: "dags/a.py"})
    assert [(one.file, one.line, one.code, one.severity, one.fixable) for one in found] == [
        ("dags/a.py", 3, "AIR311", "warning", True),
        ("dags/a.py", 3, "F821", "error", False),
    ]
    assert found[0].subject == "airflow.datasets.Dataset"
    assert all(one.mend.endswith(".") or one.mend.startswith("Read http") for one in found)


def test_the_settings_of_the_users_own_ruff_do_not_matter(tmp_path):
    (tmp_path / "ruff.toml").write_text("nonsense = [\n", encoding="utf-8")
    path = tmp_path / "a.py"
    path.write_text(OLD, encoding="utf-8")
    assert ask_ruff(program(), {path: "a.py"})


def test_no_file_asks_nothing():
    assert ask_ruff(Path("/nonsense"), {}) == []


def test_safe_fixes_are_applied():
    mended = mend_with_ruff(program(), OLD.encode(), Path("a.py"))
    assert b"from airflow.sdk import Asset" in mended
    assert clean_with_ruff(program(), mended, Path("a.py")).startswith(b"from airflow.sdk import Asset")


@pytest.mark.parametrize("script", ["echo nonsense", "echo broken >&2; exit 2", "echo '[{}]'"])
def test_a_program_that_is_no_ruff_is_one_sentence(tmp_path, script):
    fake = tmp_path / "ruff"
    fake.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    fake.chmod(0o755)
    with pytest.raises(NeighbourError, match="ruff"):
        ask_ruff(fake, {tmp_path / "a.py": "a.py"})


def test_a_program_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(NeighbourError, match="could not be run"):
        ask_ruff(tmp_path / "ruff", {tmp_path / "a.py": "a.py"})
