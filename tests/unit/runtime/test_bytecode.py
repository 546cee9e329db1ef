"""What Python remembers of a file that was saved twice within a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from airfoil.runtime import bytecode

pytestmark = pytest.mark.unit

RUN = """
import sys
from importlib.machinery import SourceFileLoader
if sys.argv[2] == "ours":
    from airfoil.runtime.bytecode import keep_none_of_young_files
    keep_none_of_young_files()
    keep_none_of_young_files()
print(SourceFileLoader("dag", sys.argv[1]).load_module("dag").NAME)
"""


def loaded(path, whose):
    """Load a file as Airflow does, in a process of its own; what it says."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(path), whose],
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def save(path, name, when):
    path.write_text(f"NAME = '{name}'\n")
    os.utime(path, (when, when))


@pytest.mark.parametrize(("whose", "second"), [("ours", "task"), ("plain", "tusk")])
def test_two_saves_within_a_second_are_two(tmp_path, whose, second):
    """Python alone believes the first: if that changes, this module can go."""
    path = tmp_path / "dag.py"
    now = time.time()
    save(path, "tusk", now)
    assert loaded(path, whose) == "tusk"
    save(path, "task", now)
    assert loaded(path, whose) == second


def test_compiled_code_of_older_files_is_kept(tmp_path):
    path = tmp_path / "dag.py"
    save(path, "task", time.time() - 60)
    loaded(path, "ours")
    assert list(tmp_path.rglob("*.pyc"))


def test_a_file_that_is_gone_or_of_the_future_is_young(tmp_path):
    path = tmp_path / "dag.py"
    assert bytecode.is_young(str(path))
    save(path, "task", time.time() + 3600)
    assert bytecode.is_young(str(path))
