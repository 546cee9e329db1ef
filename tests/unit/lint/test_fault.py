"""Faults as values: sorted by place, equal by what is told, the same after a trip through JSON."""

from __future__ import annotations

import pytest

from airfoil.lint.fault import Edit, Fault, fault

pytestmark = pytest.mark.unit


def test_the_catalog_decides_how_bad_it_is():
    assert fault("AF101", "x.py", 3, "m", "f").severity == "error"
    assert fault("AF305", "x.py", 3, "m", "f").severity == "warning"


def test_a_fault_with_an_edit_is_fixable():
    assert fault("AF101", "x.py", 3, "m", "f", edit=Edit(0, 1, b"")).fixable
    assert not fault("AF101", "x.py", 3, "m", "f").fixable


def test_faults_sort_by_file_and_line():
    late, early = fault("AF101", "b.py", 1, "m", "f"), fault("AF305", "a.py", 9, "m", "f")
    assert sorted([late, early]) == [early, late]


def test_json_and_back():
    one = fault("AF101", "x.py", 3, "m", "f", subject="concurrency")
    assert Fault.from_dict(one.to_dict()) == one
