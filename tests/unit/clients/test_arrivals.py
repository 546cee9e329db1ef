"""Meeting a module when it arrives."""

from __future__ import annotations

import importlib
import sys

import pytest

from airfoil.clients.arrivals import on_arrival

pytestmark = pytest.mark.unit


@pytest.fixture
def late(tmp_path, monkeypatch):
    (tmp_path / "airfoil_late.py").write_text("answer = 41\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "airfoil_late"
    sys.modules.pop("airfoil_late", None)


def enter(module):
    module.answer += 1
    return lambda: setattr(module, "answer", "put back")


def test_a_module_is_met_when_it_is_imported_and_put_back(late):
    finders = list(sys.meta_path)
    with on_arrival(late, enter):
        assert late not in sys.modules
        module = importlib.import_module(late)
        assert module.answer == 42
    assert module.answer == "put back"
    assert sys.meta_path == finders


def test_one_that_is_there_is_met_at_once(late):
    module = importlib.import_module(late)
    with pytest.raises(KeyError), on_arrival(late, enter):
        assert module.answer == 42
        raise KeyError
    assert module.answer == "put back"


def test_one_that_never_comes_is_not_imported(late):
    finders = list(sys.meta_path)
    with on_arrival(late, enter):
        pass
    assert late not in sys.modules
    assert sys.meta_path == finders


def test_what_cannot_be_imported_is_told_as_ever():
    with on_arrival("airfoil_never", enter), pytest.raises(ModuleNotFoundError, match="airfoil_never"):
        importlib.import_module("airfoil_never")
