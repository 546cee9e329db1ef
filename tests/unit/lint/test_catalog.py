"""The catalog knows every code that the rules give, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airfoil.lint.catalog import CATALOG

pytestmark = pytest.mark.unit
HOME = Path(__file__).parents[3] / "src" / "airfoil"


def test_every_code_is_given_somewhere():
    files = [*(HOME / "lint").glob("*.py"), *(HOME / "stack" / "dag_checks").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files if path.name != "catalog.py")
    used = set(re.findall(r'"(AF\d{3})"', text))
    assert set(CATALOG) == used


def test_titles_are_titles():
    assert all(kind.title and not kind.title.endswith(".") for kind in CATALOG.values())
    assert {kind.severity for kind in CATALOG.values()} == {"error", "warning"}
