"""Which part is made, and where: the tools themselves are met in an integration test."""

from __future__ import annotations

import sys

import pytest

from airfoil.runtime import schema

pytestmark = pytest.mark.unit


def test_one_part_is_made_at_the_address_of_the_environment(monkeypatch):
    made = []
    monkeypatch.setitem(schema.PARTS, "mlflow", made.append)
    monkeypatch.setattr(sys, "argv", ["schema", "mlflow"])
    monkeypatch.setenv("AIRFOIL_SCHEMA_URL", "sqlite:////tmp/x.db")
    schema.main()
    assert made == ["sqlite:////tmp/x.db"]


def test_the_parts_are_those_that_a_restore_asks_for():
    from airfoil.stack.backup import schemas

    assert set(schema.PARTS) == schemas.PARTS
    assert schema.__name__ == schemas.MODULE
    assert schema.VARIABLE == schemas.VARIABLE
