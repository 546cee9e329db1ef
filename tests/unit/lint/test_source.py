"""Files as rules see them: names, values, what runs at parse; and files that cannot be read."""

from __future__ import annotations

import ast
import os

import pytest

from airfoil.lint import Fault, Source, read_source
from airfoil.lint.source import MOST_BYTES, parse_source

pytestmark = pytest.mark.unit


def test_names_are_followed_to_where_they_come_from(source):
    found = source("import pandas as pd\nimport os.path\nfrom a.b import c as d\nfrom . import e\n")
    assert found.names == {"pd": "pandas", "os": "os", "d": "a.b.c"}
    assert found.dotted(ast.parse("pd.read_csv", mode="eval").body) == "pandas.read_csv"
    assert found.dotted(ast.parse("f().x", mode="eval").body) == ""


def test_only_names_bound_once_have_a_value(source):
    found = source("a = 1\nb = 1\nb = 2\nfor c in x: pass\nd: int = 4\n")
    assert set(found.values) == {"a", "d"}


def test_what_runs_at_parse(source):
    text = (
        "a()\ndef f(x=b()):\n    c()\nclass K:\n    d()\n"
        "if __name__ == '__main__':\n    e()\nelse:\n    g()\nlambda: h()\n"
    )
    called = {node.func.id for node in source(text).parse_nodes if isinstance(node, ast.Call)}
    assert called == {"a", "b", "d", "g"}


def test_offsets_count_bytes(source):
    found = source("ä = 'ö'\nx = 'y'\n")
    value = found.tree.body[1].value
    assert found.text_of(value) == b"'y'"


def test_a_folder_a_missing_file_and_a_huge_one_are_faults(tmp_path):
    huge = tmp_path / "huge.py"
    with huge.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for path in (tmp_path, tmp_path / "missing.py", huge):
        found = read_source(path, "x.py")
        assert isinstance(found, Fault)
        assert found.code == "AF001"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_fault(tmp_path):
    path = tmp_path / "x.py"
    path.touch(0)
    found = read_source(path, "x.py")
    assert isinstance(found, Fault)
    assert "Permission" in found.message


def test_a_file_without_an_end_of_line_and_an_empty_one_are_python():
    assert isinstance(parse_source(b"x = 1", "x.py"), Source)
    assert isinstance(parse_source(b"", "x.py"), Source)


def test_a_warning_of_python_is_no_fault():
    assert isinstance(parse_source(rb"x = '\d'", "x.py"), Source)
