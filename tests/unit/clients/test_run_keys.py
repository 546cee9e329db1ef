"""Run keys: one text for one task instance, whatever its names look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.run_keys import MAX_NAME_CHARACTERS, RunKey

pytestmark = pytest.mark.unit

KEYS = st.builds(RunKey, st.text(), st.text(), st.text(), st.integers(min_value=-1, max_value=99_999))


@given(KEYS, KEYS)
def test_different_keys_have_different_digests(one, other):
    assert (one.digest == other.digest) == (one == other)


@given(KEYS)
def test_a_child_is_claimed_where_its_parent_is(key):
    assert key.anchor == key.parent.anchor == key.parent.parent.anchor
    assert key.cell(0) != key.cell(1)


@given(KEYS)
def test_a_name_fits_into_mlflows_database(key):
    assert len(key.name) <= MAX_NAME_CHARACTERS


def test_names_and_tags_are_those_of_airflow():
    key = RunKey("shop", "manual__1", "train", 3)
    assert (key.name, key.parent.name) == ("train[3]", "manual__1")
    assert key.tags() == {
        "airflow.dag_id": "shop",
        "airflow.run_id": "manual__1",
        "airflow.task_id": "train",
        "airflow.map_index": "3",
    }
    assert "airflow.task_id" not in key.parent.tags()


def test_places_of_long_names_stay_apart():
    assert RunKey("d", "r", "t" * 300, 1).name.endswith("[1]")
