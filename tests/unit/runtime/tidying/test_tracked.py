"""What of MLflow stays: ids in addresses, the runs above a run, and never the whole store."""

from __future__ import annotations

import pytest

from airfoil.runtime.tidying.tracked import above, ids_in, proxied_path

pytestmark = pytest.mark.unit

RUN, MODEL = "0123456789abcdef0123456789abcdef", "m-fedcba9876543210fedcba9876543210"


def test_ids_are_found_wherever_they_stand():
    texts = [
        RUN,
        None,
        "",
        f"models:/{MODEL}",
        f"mlflow-artifacts:/1/{RUN}/artifacts/model",
        "models:/wine/3",
    ]
    assert ids_in(texts) == {RUN, MODEL}


def test_a_longer_number_is_no_id():
    assert ids_in([f"{RUN}0", f"x{RUN}", "s3://bucket/abc"]) == set()


def test_everything_above_a_run_stays_with_it():
    parents = {"task": "dag", "dag": "week", "other": "dag"}
    assert above({"task"}, parents) == {"task", "dag", "week"}
    assert above({"a"}, {"a": "b", "b": "a"}) == {"a", "b"}, "a circle ends"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("mlflow-artifacts:/1/ab/artifacts", "1/ab/artifacts"),
        ("mlflow-artifacts://host:5000/1/ab", "1/ab"),
        ("mlflow-artifacts:/", ""),
        ("s3://bucket/1/ab", None),
        ("/srv/mlruns/1/ab", None),
    ],
)
def test_a_proxied_address_is_a_path_in_the_store(location, path):
    assert proxied_path(location) == path
