"""docs/testing.md is true: its files, written down as they are printed, are tests that pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import mlflow_behaviours
from tests.mlflow_behaviours.talk import behaviours_of, modules_of

import airfoil.clients.testing

pytestmark = pytest.mark.contracts

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = re.findall(r'^```python title="([\w/.]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)


def test_what_is_printed_works(tmp_path):
    for name, text in FILES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "PYTHONPATH": str(tmp_path / "dags"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "4 passed" in done.stdout


def test_every_public_name_is_on_the_page():
    assert [
        name for name in airfoil.clients.testing.__all__ if name.startswith("fake_") and name not in PAGE
    ] == []
    assert "FakeMlflow" in PAGE


def test_the_number_of_behaviours_is_right():
    count = sum(len(behaviours_of(module)) for module in modules_of(mlflow_behaviours))
    assert f"{count} behaviours" in PAGE
