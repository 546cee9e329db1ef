"""The report of a parse: traces reduced to the user's line, forks that hang or end."""

from __future__ import annotations

import os
import time

import pytest

from airfoil.runtime import parse_report

pytestmark = pytest.mark.unit
TRACE = """Traceback (most recent call last):
  File "/venv/importlib/__init__.py", line 126, in import_module
    return _bootstrap._gcd_import(name)
  File "/shop/dags/a.py", line 3, in <module>
    from shop.features import x
  File "/shop/src/shop/features.py", line 9, in <module>
    import pandas.nonsense
  File "/venv/pandas/__init__.py", line 1, in <module>
ModuleNotFoundError: No module named 'pandas.nonsense'
"""


def test_a_trace_is_reduced_to_the_last_line_that_is_the_users():
    found = parse_report._error(TRACE, "/shop/dags/a.py", ("/shop/dags", "/shop/src"))
    assert found == {
        "message": "ModuleNotFoundError: No module named 'pandas.nonsense'",
        "file": "/shop/src/shop/features.py",
        "line": 9,
        "line_in_file": 3,
    }


def test_a_trace_that_is_none_has_no_line():
    found = parse_report._error("", "/shop/dags/a.py", ())
    assert (found["message"], found["line"]) == ("", 0)


def test_a_fork_reports_what_it_found(monkeypatch):
    monkeypatch.setattr(parse_report, "parse", lambda file, roots: {"file": file, "roots": list(roots)})
    assert parse_report.parse_apart("a.py", ("r",), 10) == {"file": "a.py", "roots": ["r"]}


def test_a_fork_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(parse_report, "parse", lambda file, roots: time.sleep(60))
    began = time.monotonic()
    assert "did not end" in parse_report.parse_apart("a.py", (), 0.2)["ended"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("end", [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9), lambda: 1 / 0])
def test_a_fork_that_ends_without_a_word_is_told(monkeypatch, end):
    monkeypatch.setattr(parse_report, "parse", lambda file, roots: end())
    assert parse_report.parse_apart("a.py", (), 10) == {"ended": "ended the process that parsed it"}
