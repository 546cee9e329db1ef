"""Imports of what moved and of what is gone."""

from __future__ import annotations

import pytest

from airfoil.lint.airflow2_names import GONE, MOVED, NEW_HOMES
from airfoil.lint.mending import mend

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", NEW_HOMES)
def test_an_import_is_mended(name, codes):
    module, _, thing = name.rpartition(".")
    text = f"from {module} import {thing}\n"
    assert [code for _, code in codes(text)] in (["AF106"], ["AF107"])
    mended = mend(text.encode(), "x.py").decode()
    assert mended == f"from {NEW_HOMES[name]} import {thing}\n"
    assert codes(mended) == []


@pytest.mark.parametrize("name", [*GONE, *MOVED])
def test_every_old_place_is_found(name, codes):
    module, _, thing = name.rpartition(".")
    assert len(codes(f"from {module} import {thing}\n")) == 1


def test_names_that_go_to_different_places_are_left_to_a_person(codes):
    text = "from airflow.operators.python import PythonOperator, get_current_context\n"
    assert [code for _, code in codes(text)] == ["AF107", "AF107"]
    assert mend(text.encode(), "x.py").decode() == text


def test_new_places_and_other_packages_are_left_in_peace(codes):
    text = "from airflow.sdk import DAG\nfrom airflow.providers.x import Y\nimport airflows.www\n"
    assert codes(text) == []


def test_a_session_is_found_as_import_and_as_attribute(codes):
    text = (
        "from airflow import settings\nfrom airflow.utils.session import provide_session\n"
        "def f():\n    settings.Session()\n"
    )
    assert codes(text) == [(2, "AF502"), (4, "AF502")]
